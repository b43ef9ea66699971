"""What people say of themselves that no field of the order holds: 我叫…, 联系人：…, 我是3号楼2单元2907的业主."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from wuye_loop.domain.expressions import expression
from wuye_loop.domain.privacy.folding import Folded
from wuye_loop.domain.privacy.name_words import COMPOUND, SURNAMES
from wuye_loop.domain.privacy.spared import Lists, is_no_room

NAME: Final = "姓名"
ROOM: Final = "房号"
Found = tuple[int, int, str]

HAN: Final = "\u3400-\u9fff"
FULL_NAME: Final = rf"(?:(?:{'|'.join(COMPOUND)})[{HAN}]{{1,2}}|[{''.join(sorted(SURNAMES))}][{HAN}]{{1,2}})"
_ENDS: Final = rf"(?=[^{HAN}]|$|先生|女士|小姐|电话|手机|身份证|家住|住在|住址|住[{HAN}\d]|系[{HAN}]|现年|今年|联系)"
_INTRODUCED = expression(
    r"(?:(?:我叫|我的名字(?:叫|是)|名字叫|本人叫|本人姓名|姓\s?名|联系人)\s?[:：是为叫]{0,2}"
    r"|(?:名字|投诉人|反映人|举报人|诉求人|来电人|申请人|报修人|当事人|户主|署名|此致敬礼|签名)\s?[:：是为]{1,2})"
    rf"\s?({FULL_NAME}){_ENDS}"
)
_I_AM = expression(
    r"(?:我是|本人是?|(?:^|[:：，,。；;\s]|(?:我是|本人)[^，,。；;\n]{0,30})业主\s?[:：]?|业主\s?[:：]|(?:[\d栋幢座期室]|单元|号楼)的?业主)\s?"
    rf"({FULL_NAME})(?=[，,。；;：:（(\s]|$|先生|女士)"
)
# Of each every text has a character that the pattern finds anything in.
_INTRODUCING: Final = frozenset("叫名人主致")
_BEING: Final = frozenset("是人主")
# Three characters after 我是 that begin like a name and are none; and endings that names seldom have.
_NO_NAME = expression(
    r".*(?:[人户员主者们家会区村苑园城的了是有在不]|业主|住户|市民|居民|学生|中生|经理|主任|书记|先生|女士)$|权[益利]|利[益用害润]|公[示开告摊约共]|费用|房[款门产].?|车[胎辆位主]|支持|满意|许可|相信|空间|家[中里水].?|修[路理缮]|单[方价]|居住|向街道|有[照信证].{0,2}|都[知是].?|花名册|养的.|白领|房东|车主|农民工|高中生|文盲|方案|万分|"
    r"常住|和平|安全|关于|时候|时间|应该|公司|全体|平时|通过|经过|从事|任何|何时|严重|单身|单亲|单位|强烈|金额|申请|诉求|温馨|代表|方面|方式|后勤|成年|"
    r"广大|万科|金科|那么|于是|一直|乐意|明确|安徽|江苏|江西|广西|广东|河南|云南|海南|湖南|向您|向你|向贵|向上|.(?:反映|来电|来信|投诉|表示|要求|认为|希望|建议|咨询|求助|举报|诉求|质疑|不满|担心|拒绝|同意)|及其|及时|终于|由于|石油|古城|花农|黄牛"
)
_NOT_SAID: Final = frozenset("先生女士小姐经理主任师傅")

_SELF: Final = r"(?:我是|我住|(?<!在)我家|我们家|我在|我于|我租|我买|我购|我的?房|本人|俺|咱家|家住|住在|居住[在于]|现住|住址|(?:^|[，,。；;：:\s]|家庭|居住|我的|本人)地址|户主|我叫|自家|自己家)"
_NOT_MINE = expression(
    r"对面|隔壁|楼上|楼下|邻居|对门|楼顶|上面|下面|旁边|其他|别的|另一|某|他家|她家|本栋|同栋|该|位于|店|商铺|送|进入|举报|被|购买商铺|(?:业主|住户|居民|租户)(?:代表)?[,，、]"
)
# After somebody else's room: what they do there; after a shop's: that it is one.
_OTHERS = expression(
    r"\s?(?:室|户|房)?\s?(?:(?:的?(?:业主|住户|租户|户主))?\s?(?:在|违|私|擅|安装|搭|把|将|为了|就|长期|经常|半夜|晚上)"
    r"|住户[\u4e00-\u9fff]{2,3}[,，、]|[、,，]?\d*号?(?:门面|商铺|店|饭|麻将|棋牌|教育|培训|公司|餐|酒店|旅馆|宾馆|民宿|群租))"
)
_ROOM_SAID = expression(
    rf"{_SELF}(?P<way>[^。！？!?;；\n]{{0,40}}?(?:号楼|[栋幢座楼]|单元|#|门|[-—–/\\]|[弄号苑园城里区]|[a-z]座?))\s?"
    r"(?P<room>\d{3,5}(?![\d.])[a-d]?(?:[室户房]|号房?(?![楼院线栋]))?)"
)
_ROOM_NAMED = expression(
    r"(?:房号|房间号|室号|门牌号?码?|户室)\s?[:：是为]{0,2}\s?(\d{3,5}(?!\d)[室户房]?|(?:\d{1,3}[-—]){1,3}\d{2,5}(?!\d))"
)
_NAMING_ROOMS: Final = frozenset("房室牌")
_ROOM = expression(r"\d{3}|\d[-—]\d")


@lru_cache(maxsize=8)  # a text is read for who complains, then struck
def find_introductions(folded: Folded) -> tuple[Found, ...]:
    """Return names that people give as their own."""
    return tuple(_introductions(folded))


def _introductions(folded: Folded) -> Iterator[Found]:
    plain, has = folded.plain, folded.has
    for pattern, needed in ((_INTRODUCED, _INTRODUCING), (_I_AM, _BEING)):
        if has.isdisjoint(needed):
            continue
        for found in pattern.finditer(plain):
            name = found[1]
            if not _NO_NAME.fullmatch(name) and not set(name[1:]) <= _NOT_SAID:
                yield *found.span(1), NAME


@lru_cache(maxsize=8)
def find_own_doors(folded: Folded) -> tuple[Found, ...]:
    """Return rooms that people say they live in; the building and the staircase before it stay."""
    return tuple(_own_doors(folded))


def _own_doors(folded: Folded) -> Iterator[Found]:
    digits = folded.digits
    if _ROOM.search(digits) is None:
        return
    lists: Lists | None = None
    for found in _ROOM_SAID.finditer(digits):
        others = _NOT_MINE.search(found["way"]) or _OTHERS.match(digits, found.end("room"))
        if others or is_no_room(digits, *found.span("room")):
            continue
        lists = lists or Lists(digits)
        if not lists.has(*found.span("room")):
            yield *found.span("room"), ROOM
    for found in _ROOM_NAMED.finditer(digits) if not folded.has.isdisjoint(_NAMING_ROOMS) else ():
        yield *found.span(1), ROOM
