"""The closed list of facts that a condition may ask about, each with its type and its Chinese title."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FactType = Literal["text", "number", "bool", "list", "any"]
_MEMBER = re.compile(r"\w[\w.-]{0,63}")


@dataclass(frozen=True, slots=True)
class FactInfo:
    """What a fact is: its type, its Chinese title, one sentence, and the value that stands for its absence."""

    type: FactType
    title: str
    description: str
    missing: object = None


FACTS: Mapping[str, FactInfo] = {
    "source": FactInfo("text", "来源系统", "送来诉求的外部系统"),
    "channel": FactInfo("text", "渠道", "诉求进入的渠道"),
    "origin": FactInfo("text", "来源", "sources 里的名称：热线、检查、会议……"),
    "answered": FactInfo("text", "答复对象", "complainant 诉求人、reporter 提出的单位、nobody 不用答复"),
    "kind": FactInfo("text", "诉求类型", "咨询、求助、投诉、举报、建议、感谢、其他"),
    "urgency": FactInfo("text", "紧急程度", "特急、加急、平急、常规"),
    "category": FactInfo("text", "类别", "完整的类别路径，如 物业服务/电梯/困人"),
    "category_path": FactInfo("list", "类别或上级类别", "类别路径的每一级前缀：a、a/b、a/b/c"),
    "title": FactInfo("text", "标题", "诉求的标题"),
    "body": FactInfo("text", "内容", "诉求的正文"),
    "text": FactInfo("text", "标题和内容", "标题与正文合在一起"),
    "area": FactInfo("text", "属地", "所在属地的代码"),
    "areas": FactInfo("list", "属地或上级属地", "所在属地及其全部上级的代码"),
    "level": FactInfo("text", "层级", "当前办理层级：community、street、district、city"),
    "estate": FactInfo("text", "小区", "小区的代码"),
    "estate_kind": FactInfo("text", "小区类型", "如 商品房、老旧小区、还建"),
    "company": FactInfo("text", "物业企业", "小区物业企业的单位代码"),
    "managed": FactInfo("bool", "有物业企业", "小区是否有物业企业管理"),
    "anonymous": FactInfo("bool", "匿名", "诉求人是否匿名"),
    "state": FactInfo("text", "状态", "诉求当前的状态"),
    "stage": FactInfo("text", "环节", "诉求当前所在的环节"),
    "cycle": FactInfo("number", "办理轮次", "第几轮办理，从 1 开始"),
    "lead": FactInfo("text", "主办单位", "主办单位的代码"),
    "hour": FactInfo("number", "时刻", "当地时间的小时，0 至 23"),
    "workday": FactInfo("bool", "工作日", "今天是否工作日（含调休）"),
    "followers": FactInfo("number", "同类诉求数", "跟随本诉求的诉求数", missing=0),
    "lead_final": FactInfo("bool", "牵头诉求已结", "本诉求跟随的牵头诉求是否已经办结", missing=False),
    "urged": FactInfo("number", "催办次数", "诉求人催办的次数", missing=0),
    "repeat": FactInfo("number", "重复次数", "同一诉求人对同一小区同一类别此前的诉求数", missing=0),
    "age_workdays": FactInfo("number", "已历工作日", "受理至今的工作日数"),
    "document": FactInfo("text", "文书种类", "督办单所用的文书种类"),
}

# A family's name is followed by a name of the workflow or of a form: `open.assist`, `form.result`.
FAMILIES: Mapping[str, FactInfo] = {
    "open": FactInfo("number", "未结任务数", "该种任务现在未结的个数", missing=0),
    "tasks": FactInfo("number", "任务总数", "该种任务一共开过的个数", missing=0),
    "done": FactInfo("number", "动作次数", "该动作一共做过的次数", missing=0),
    "cycle_done": FactInfo("number", "本轮动作次数", "该动作在本轮做过的次数", missing=0),
    "earlier": FactInfo("any", "上一件", "同一诉求人就同一小区的上一件诉求：怎样办结的"),
    "overdue": FactInfo("bool", "已超期", "该时限是否已超期", missing=False),
    "form": FactInfo("any", "所填", "本次动作表单中的字段"),
    "data": FactInfo("any", "所存", "先前动作存下的字段"),
    "extra": FactInfo("any", "附加字段", "外部系统送来的附加字段"),
}


#: What may be asked of the complainant's last earlier grievance there.
EARLIER: Mapping[str, str] = {"result": "办理结果", "final_reply": "已有最终答复", "state": "状态"}


def fact_info(name: str) -> FactInfo | None:
    """Look up a fact by its full name, `category` or `open.assist`; None when there is no such fact."""
    family, dot, member = name.partition(".")
    if dot:
        return FAMILIES.get(family) if _MEMBER.fullmatch(member) else None
    return FACTS.get(name)
