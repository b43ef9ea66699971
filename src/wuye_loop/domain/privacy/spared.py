"""The closed list of what is never struck for looking like an identity: amounts, dates, readings, articles, public numbers."""

import re
from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from wuye_loop.domain.expressions import expression
from wuye_loop.domain.privacy.folding import NO_DIGIT

# --- what a directory makes public ----------------------------------------------------------------------------------

# Numbers that are everybody's: hot lines, carriers, banks, emergency; 400 and 800 are never a person's.
_PUBLIC = expression(r"(?:400|800)\d{7}|1(?:10|14|19|20|22)|12\d{3}|9[56]\d{3,4}|100\d{2,3}|106\d{4,12}|16\d{3}")
_AREA_CODE = expression(r"(?:0086|86)?0(?:10|2\d|[3-9]\d\d)(?=\d{7,8}$)")


@dataclass(frozen=True, slots=True)
class Spared:
    """What a directory makes public: service phones by their digits, and the names of units, estates and areas.

    `reply` says that a text is an office's answer to the public, in which every landline is one of its own.
    """

    phones: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    reply: bool = False
    _local: frozenset[str] = field(default=frozenset(), compare=False)

    def has_phone(self, digits: str) -> bool:
        """Say whether a number is one of the directory's, with its area code or without, or everybody's."""
        return digits in self.phones or digits in self._local or _PUBLIC.fullmatch(digits) is not None

    def covers(self, plain: str, start: int, end: int) -> bool:
        """Say whether a part of a text belongs to such a name as it stands there."""
        word = plain[start:end]
        for name in self.names:
            at = name.find(word)
            if at >= 0 and plain.startswith(name, start - at):
                return True
        return False


NOTHING: Final = Spared()


def spared(phones: Collection[str], names: Collection[str]) -> Spared:
    """Return what a directory makes public; phones as they are written there, names in their one form."""
    numbers = frozenset(re.sub(r"\D", "", phone) for phone in phones)
    local = frozenset(_AREA_CODE.sub("", number) for number in numbers)
    return Spared(numbers, frozenset(name for name in names if len(name) > 1), _local=local - numbers)


# --- what a number says by what stands beside it --------------------------------------------------------------------

# Right after a number of seven digits and more: what it counts, measures or prices.
_UNIT = expression(
    r"\s?(?:\.\d+\s?)?[多余来几]?\s?(?:"
    r"元|块|万|亿|圆|角|毛|美元|港[币元]|rmb|平|㎡|m[23]?(?![a-z])|米|厘|毫|公[里斤分顷]|千[米瓦克]|k[mgvw](?![a-z])|[cm]m(?![a-z])|"
    r"吨|斤|克|升|立方|方|度|瓦|伏|转|分贝|db|℃|%|‰|倍|人|名|位|个|件|次|条|台|套|栋|幢|座(?!机)|层|楼|"
    r"户|期|年|月|日|天|周|小时|秒|岁|票|份|页|字|辆|部|间|棵|株|批|起|例|号(?:文|令|公告|通知|文件|工单|订单|楼|院))"
)
# Right after a room number: only what leaves no doubt. 2907天花板, 2907多次反映, 2907楼上, 2907平时 are of the room.
_SURE_UNIT = expression(
    r"\s?(?:(?:多|余|来)(?:住户|业主|居民|名|家|亩|天|元|块|人|户|名|平|米|吨|万|亿|度|个|件|辆|棵|套|台|张|份)|"
    r"元(?!宵)|块[钱（(,，。、]|万[元块吨人户平]|亿|角钱|美元|港[币元]|rmb|㎡|m[23](?![a-z])|平方|平米|米|厘米|毫米|公[里斤顷]|千[米瓦克]|"
    r"k[mgvw](?![a-z])|[cm]m(?![a-z])|吨|斤|克|升|立方|方水|度(?:电|[,，。、；;）)]|$)|千瓦|分贝|℃|%|‰|倍|"
    r"人(?:次|参加|参与|签名|签字|联名|投票|报名|以上|以下|[,，。、；;]|$)|名(?![下义字])|个(?![别性体])|亩|天(?![花台井棚窗然气天晚黑亮热冷])|分钟|小时|出头|强绿|(?:/|每|一|1)平|[一1]个月|居民|件(?:[,，。、；;]|$)|"
    r"条(?!件)|款(?![式项])|章|届|套房|栋|幢|单元|层(?!高)|车次|路(?:公交|车|线|[,，。、；;）)0-9]|$)|公交|线路|[国省县]道|号(?:楼|院|线|文|令|公告|通知|决定|文件|工单|订单|路|法令)|"
    r"年(?!轻|老|迈|纪|龄|久)|月\d{1,2}[日号]|岁|票|页|字[,，。、；;]|辆|棵|株|盏|级|版|型(?!房)|号?(?:地下|机动)?车[位库]|号?(?:门面|商铺)|次列车)"
)
_LABELS: Final = (
    r"(?:[表读][底码数]|止码|起码|表号|型号|货号|批号|邮编|"
    r"(?:工单|受理|流水|信访|投诉件?|举报件?|诉求|回执|订单|合同|案|文|登记|备案|许可证?|批准|审批|预售证?|证|卷宗|资质|标准|(?<!房屋)(?<!房间)(?<!门牌)编|单)"
    r"(?:编|件)?号码?|gb(?:/t)?|jgj(?:/t)?|cjj|db\d*(?:/t)?|sb/t|iso|no\.?|[〔\[(【]\s?(?:19|20)\d\d\s?[〕\])】]\s?第?)"
)
_SAID = expression(
    rf"(?:[¥$]|总?[价款]|金额|费用?|工资|余额|[缴交付退]了?|{_LABELS})\s?[:：为是约共计]{{0,2}}\s?[-#]?$"
)
_SURELY_SAID = expression(
    rf"(?:[¥$]|(?:总价|价格|金额|费用?|工资|罚款|押金|定金|单价|均价|房款|余额)[:：为是约共计]{{1,2}}|{_LABELS}\s?[:：为是]{{0,2}})\s?(?:(?:19|20)\d\d)?[-#]?$"
    r"|(?:gb|jgj|cjj|db|iso|cecs|jb)(?:/?t)?\s?\d+(?:\.\d+)?[-—–]$|[〔\[(（【]$|(?:拨打|打了?|报了?|呼叫)$|[路街道巷]$"
)
_LABEL_LAST: Final = "底码数号编btjo.〕])】第:：为是-#"
_SAID_LAST: Final = frozenset(f"{_LABEL_LAST}¥$价款额费用资缴交付退了约共计")
_SURELY_LAST: Final = frozenset(f"{_LABEL_LAST}¥$约共计—–〔[(（【打了报叫路街道巷")
_YEAR = expression(r"(?:19|20)\d\d")
_OF_YEAR = expression(
    r"\s?(?:[〕\])）】]|年|/\d|\.\d|[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼楚]\d)"
)
_ROAD = expression(r"[路街道巷](?:[东西南北中]段)?\s?$")
_HOUSEHOLDS = expression(r"(?:户数有?|这些|已经?有|共|共有|约|近|全|总计?|达|计|超过?|不足|剩余|小区)\s?$")
_LOOKED_BACK: Final = 12
_ROOM: Final = r"\d{3,5}(?:号|室|户|房)?"
_LIST = expression(rf"(?<![\d.]){_ROOM}(?:\s?[、,/和及与;]\s?{_ROOM}){{2,}}(?![\d.])")
_RANGE = expression(r"(?<![\d\-—.])(\d{1,5})(?:号|室|户|房)?\s?(?:[-—–~]{1,3}|至|到)\s?(\d{1,5})(?![\d\-])")
_OF_TWO: Final = 2  # of two rooms one is meant
_DATE = expression(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")


def is_counted(text: str, start: int, end: int) -> bool:
    """Say whether a long number prices, measures or counts something, or is a registered one."""
    return bool(_UNIT.match(text, end) or _ends_so(_SAID, _SAID_LAST, text, start))


def is_no_room(text: str, start: int, end: int) -> bool:
    """Say whether a number that may be a room's surely prices, measures or counts something, or is a registered one."""
    if _YEAR.fullmatch(text, start, end) and _OF_YEAR.match(text, end):
        return True
    if text.startswith("号", end) and _ROAD.search(text[max(0, start - _LOOKED_BACK) : start]):
        return True
    if text.startswith("户", end):
        return _HOUSEHOLDS.search(text[max(0, start - _LOOKED_BACK) : start]) is not None
    return bool(_SURE_UNIT.match(text, end) or _ends_so(_SURELY_SAID, _SURELY_LAST, text, start))


def _ends_so(pattern: re.Pattern[str], last: frozenset[str], text: str, end: int) -> bool:
    """Say whether what stands before a place ends as a pattern does; `last` are the characters that it may end with."""
    one = text[end - 1 : end]
    if one not in last and not one.isspace() and not one.isdecimal():
        return False
    return pattern.search(text[max(0, end - _LOOKED_BACK) : end]) is not None


# What an office or a company says of its own telephone: 服务电话 0536-8881234. A mobile number is a person's even then.
_SERVICE = expression(
    r"(?:(?:服务|咨询|监督|投诉|举报|值班|办公|客服|报修|维修|抢修|救援|应急|受理|公开|前台|总机|总台|24小时|便民|信访)(?:室|台|中心|处)?"
    r"(?:电话|热线|专线|座机|号码)|热线(?:电话)?|专线|客服|总机|"
    r"(?:物业办|街道办(?:事处)?|办事处|居委会|社区|服务中心|物业(?:公司|中心|处)?|住建局|房管局|管理局|指挥部|办公室|派出所|管理处)的?"
    r"(?:[\u4e00-\u9fff]{0,3}(?:电话|热线|座机|联系方式))?"
    r"|(?:物业办|街道办(?:事处)?|办事处|居委会|服务中心|管理处|指挥部|办公室|派出所|[局科])[\s,，:：(（]{1,2}(?:联系|服务|办公|咨询)?(?:电话|座机|方式|热线)"
    r"|(?:我|本)(?:办|局|中心|街道|司|社区|处|单位|公司|科)的?(?:联系|服务|办公|咨询|值班)?(?:电话|座机|热线))[^\d\n。；;，,\u4e00-\u9fff]{0,4}[是为:：]?[^\d\n。；;，,\u4e00-\u9fff]{0,4}$"
)
_SERVING: Final = frozenset(
    "服咨监投举值办客报维抢救应受公前总时便信线街居社物住房管指派局科我本"
)  # it needs one of these
_SERVICE_BACK: Final = 24
_MOBILE = expression(r"(?:\+?0{0,2}86)?1[3-9]\d{9}$")


def is_service(text: str, start: int, end: int, spared: Spared) -> bool:
    """Say whether a telephone is told as an office's own, and is not a mobile number."""
    if _MOBILE.match(NO_DIGIT.sub("", text[start:end])):
        return False
    before = text[max(0, start - _SERVICE_BACK) : start]
    return spared.reply or (not _SERVING.isdisjoint(before) and _SERVICE.search(before) is not None)


class Lists:
    """Where in a text numbers stand in lists of three and more, or as the ends of a range."""

    def __init__(self, text: str) -> None:
        found = [one.span() for one in _LIST.finditer(text) if len(set(re.findall(r"\d+", one[0]))) > _OF_TWO]
        ranges = _RANGE.finditer(text)
        found += [one.span() for one in ranges if len(one[1]) == len(one[2]) and int(one[1]) < int(one[2])]
        self._spans = sorted(found)
        self._starts = [start for start, _ in self._spans]

    def has(self, start: int, end: int) -> bool:
        """Say whether a number stands in one of them."""
        place = bisect_right(self._starts, start) - 1
        return place >= 0 and end <= self._spans[place][1]


def is_date(digits: str) -> bool:
    """Say whether eight digits are a day: 20261121."""
    return _DATE.fullmatch(digits) is not None
