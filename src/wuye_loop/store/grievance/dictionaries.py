"""What images are made of, to pack them by. A value names its dictionary: one that was released is never edited, only followed.

What stands near the end is found cheapest, so the commonest comes last. Names and words are those of the program, of the rules
that every city's begin with and of the files that come with it; a city's own words are packed too, once for each row.
"""

from typing import Final

_RARE: Final = (
    '"precedents":[{"seq":,"category":"","from_unit":"","to_unit":"","ruling":"","reason":"sealed:","at":"'
    '"ratings":[{"cycle":1,"rater":"12345","of_unit":"","answers":{"contacted":true,"solved":true,"satisfied":"满意",'
    '"不满意","基本满意","comment":"sealed:"},"satisfied":"满意","at":"'
    '"documents":[{"number":"","kind":"supervision_order","series":"","year":20,"n":,"task_id":"'
    '","addressee":"","copies":[],"text":"sealed:","issued_at":"'
    '"tasks":[{"id":"","grievance_id":"","kind":"supervision_order","suspension","assist","question","return_request","extension",'
    '"n":1,"state":"asked","approved","refused","open","issued","replied","closed","final":true,"final":false,'
    '"holder_unit":null,"opener_unit":"","opener_role":"system","handler","dispatcher","supervisor","document":null,'
    '"document_number":null,"copies":[],"data":{"days":,"reason":"sealed:"},"counts":{},"opened_at":"'
    '","state_since":"","closed_at":null,"cycle":1}'
    "外部系统答复 → ，理由：；后备单位也不能用：名录中没有单位本轮已退回此件件供参考：先例：裁定，由承办"
    "条规则都不成立（诉求没有属地上没有职责为 的单位个单位中在办最少（诉求的属地没有一级属地社区街道为物业企业"
)
_WORDS: Final = (
    "hotline resident command assistant urge reopen reject approve call_back rate send_back suspend resume "
    "escalate hand_over release_supervised close_merged classify finish merge "
    '"suspended","supervised","reviewing","callback","rating","closed","merged","evaluate","feedback","escalate"'
    '"review","promise","decide","reply","urged":1,"merged_into":"","closed_at":"20'
    '"final":true,'
    '"suggestion":{"by":"patterns","why":["","category":"","runner_up":"","confidence":0.'
    '"limit":"30 minutes","1 hour","2 hours","3 workdays","2 workdays","1 month","10 workdays","15 workdays","starts":"next workday"'
    '"adjustments":[{"kind":"pause","at":"20","kind":"resume","at":"20","kind":"extend","at":"","span":"5 workdays"'
    '"rungs":[[0,"20",null,true],[1],[2],[3],[4],[5]]'
)
_SHIPPED: Final = (
    '"urban-management","natural-resources","civil-affairs","law-enforcement","town-property","red-centre","housing-bureau",'
    '"property-committee","admin-office","property-supervision","police-bureau","education-sports","property-section",'
    '"property-platform","call-centre","price-bureau","market-bureau","housing-property","fire-rescue","platform","street-1",'
    '"community-1","market","command-office","district-party-office","joint-inspection","property-centre","origin":"resident",'
    '"through_train","why":["电梯","电梯停运","category":"物业服务","停车管理","环境卫生","公共照明","噪音","供热","物业收费","消防","绿化",'
    "社区环境和物业管理委员会检查和征询的整改检查、红黑榜、信用评价街道应急维修服务站社区职责清单（小事不出社区）物业企业先行处理"
    "楼院自管会成员单位职责清单属地街道小区物业关键词人工转办人工指定部门职责清单部门增容事项清单未诉先办与名单"
    "无物业小区由社区物业服务公司（服务站）整改service_list inspection 或 worst_list 或 bottom_five 或 exit_list"
)
_ORDER: Final = (
    '"order":{"number":"WY2","source":"12345","external_id":"","channel":"网络","微信","电话","kind":"咨询","求助","举报","建议",'
    '"投诉","received_at":"20","occurred_at":null,"estate_code":"","area_code":"37","company_code":null,"anonymous":false,'
    '"confidential":false,"category_suggested":false,"texts":"'
    '{"facts":{"area":"37","estate":"","kind":"投诉","channel":"电话","category":"","urgency":"平急","routing":[{"kind":"table","title":"职责清单","outcome":"no-match","why":"不适用：需要：来源 为  或 '
    '","unit":"","kind":"territory","title":"","outcome":"skipped","why":"第 1 条不成立：第 2 条成立：类别 为  → 局；'
    '未列协办：小区没有登记物业企业","unit":"","outcome":"matched"}],"suggestion":{"by":"patterns"'
    '},"changes":{"grievance":{"category":"电梯","房屋维修","物业服务","urgency":"特急","加急","平急","state":"received",'
    '"stage":"collect","state_since":"20","final":false,"cycle":1,"level":"community","street","district","lead_unit":null,'
    '"holder_unit":"","holder_role":"dispatcher","units":["","counts":{},"data":{"origin":"'
    '"did":{},"merged_into":null,"followers":0,"urged":0,"flags":[],"due_at":"20","due_clock":"accept","closed_at":null,"workflow":"'
)
_STEP: Final = (
    '{"facts":{},"changes":{"grievance":{"state":"routing","assigned","stage":"assign","state_since":"20'
    '"lead_unit":"","holder_unit":"","holder_role":"handler","units":["'
    '"state":"handling","stage":"handle","state_since":"20'
    '"counts":{"done.accept":1,"cycle_done.accept":1,"done.route":1,"cycle_done.route":1,"done.sign":1,"cycle_done.sign":1,'
    '"done.finish":1,"cycle_done.finish":1},"did":{"dispatcher":["","handler":["","due_at":"20","due_clock":"sign"},'
    '"clocks":[{"id":"01a","name":"handle","cycle":1,"run":1,"starts":"next workday","started_at":"202'
    'Z","status":"running","due_at":"202T09:30:00.000000Z","provisional":false,"rungs":[[0,"202T09:30:00.000000Z"],'
    '[1,"202T09:30:00.000000Z"],[2,"202T09:30:00.000000Z"],[3,"202T09:30:00.000000Z"],[4,"202T09:30:00.000000Z"],[5,"202T09:30:00.000000Z"]],'
    '"plans":[[0,"-1 workday"],[1],[2,"2 workdays"],[3,"5 workdays"],[4,"10 workdays"],[5,"20 workdays"]],'
    '"unit":"","limit":"5 workdays"},{"id":"01a'
    '","name":"accept","dispatch","sign","cycle":1,"run":1,"starts":"at once","started_at":"20'
    'Z","status":"ended","due_at":"20Z","provisional":false,"rungs":[[0],[1],[2]],'
    '"plans":[[0],[1,"1 workday"],[2,"3 workdays"]],"unit":"","limit":"1 workday","ended_at":"20'
    'Z","adjustments":[{"kind":"end","at":"20'
    'Z"}]}]}}'
)
_OF_CLOCK: Final = (
    '"until":"20","limit":"30 minutes","1 hour","2 hours","1 month","2 workdays","3 workdays","10 workdays","15 workdays",'
    '"adjustments":[{"kind":"carry","at":"","kind":"pause","at":"","kind":"resume","at":"","kind":"extend","at":"","span":"5 workdays"'
    '{"starts":"next workday","rungs":[[0,"20","20",null,true],[1,"20T09:30:00.000000Z"],[2,"20T09:30:00.000000Z"],[3,"20T09:30:00.000000Z"],'
    '[4,"20T09:30:00.000000Z"],[5,"20T09:30:00.000000Z"]],"plans":[[0,"-1 workday"],[1],[2,"2 workdays"],[3,"5 workdays"],'
    '[4,"10 workdays"],[5,"20 workdays"]],"limit":"5 workdays"}'
    '{"starts":"at once","rungs":[[0,"202'
    'Z"],[1,"202'
    'Z"],[2,"202'
    'Z"]],"plans":[[0],[1,"1 workday"]],"limit":"1 workday"}'
    '{"starts":"at once","rungs":[[0],[1],[2]],"plans":[[0],[1,"1 workday"],[2,"3 workdays"]],"limit":"1 workday",'
    '"adjustments":[{"kind":"end","at":"202'
    'Z"}]}'
)

_OF_GRIEVANCE: Final = (
    '"done.urge":1,"done.reopen":1,"done.extend":1,"tasks.assist":1,"cycle_tasks.assist":1,"task_n":1,"tasks.supervision_order":1,'
    '"cycle_tasks.supervision_order":1,"done.escalate":1,"cycle_done.escalate":1,"supervisor":["","hotline":["12345","resident":['
    '{"data":{"suggestion":{"by":"model","model":"","why":["","category":"","runner_up":"物业服务","confidence":0.9'
    '"by":"patterns","why":["","category":"电梯","房屋维修","停车管理","环境卫生","公共照明","噪音","供热","物业收费","消防","绿化"'
    '"runner_up":"物业服务","confidence":0.0}},"counts":{"done.accept":1,"cycle_done.accept":1,"done.route":1,"cycle_done.route":1,'
    '"done.sign":1,"cycle_done.sign":1,"done.finish":1,"cycle_done.finish":1,"done.approve":1,"cycle_done.approve":1,'
    '"done.call_back":1,"cycle_done.call_back":1,"done.rate":1,"cycle_done.rate":1},'
    '"did":{"dispatcher":["property-centre"],"handler":["market"]}}'
)

DICTIONARIES: Final = {
    1: (_RARE + _WORDS + _SHIPPED + _ORDER + _STEP).encode(),
    2: _OF_CLOCK.encode(),
    3: _OF_GRIEVANCE.encode(),
}
