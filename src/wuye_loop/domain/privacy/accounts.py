"""Mail addresses, WeChat and other accounts, number plates: what looks like one."""

from collections.abc import Iterator
from typing import Final

from wuye_loop.domain.expressions import expression
from wuye_loop.domain.privacy.folding import Folded

MAIL: Final = "邮箱"
CHAT: Final = "微信、QQ"
PLATE: Final = "车牌"
Found = tuple[int, int, str]

_MAIL = expression(r"[a-z0-9._%+\-]{1,64}\s?@\s?[a-z0-9\-]{1,63}(?:\s?\.\s?[a-z0-9\-]{1,63}){1,4}")
_MAIL_SPOKEN = expression(
    r"[a-z0-9._%+\-]{2,64}\s?(?:@|#|\(at\)|\[at\]|艾特|圈a|\sat\s)\s?"
    r"(?:qq|163|126|139|189|sina|sohu|gmail|hotmail|outlook|foxmail|yahoo|aliyun|icloud|live|msn)\s?(?:\.|点|。|dot|\sdot\s)?\s?"
    r"(?:com|cn|net)(?![a-z])"
)
_JOIN: Final = r"(?:账号|帐号|号码?|id|是|为|加|[:：=（(\"“\s]){0,6}"
_ID: Final = r"[a-z0-9][a-z0-9_\-]{4,24}(?![a-z0-9_\-])"
_CHAT = expression(
    rf"(?:微[\W_]{{0,2}}信|威信|薇信|维信|v\s?信|加\s?v|(?<![a-z0-9])v(?=\s?[:：]\s?[a-z])|(?<![a-z])(?:wei\s?xin|we\s?chat|vx|wx|vxin)(?![a-z]{{1,3}}(?![a-z0-9_\-:：])))(?P<by>{_JOIN})(?P<id>{_ID})"
)
_WXID = expression(r"(?<![a-z0-9_])wxid_[a-z0-9]{6,24}")
_QQ = expression(
    rf"(?:(?<![a-z])q\s?q|扣扣|企鹅)(?:群|群号)?{_JOIN}(?P<id>\d{{5,12}}(?!\d|\s?(?:元|人|个|名|万|条|户|年))|[a-z](?=[a-z0-9_\-]*\d){_ID})"
)
_OTHER = expression(
    rf"(?:抖音|快手|小红书|微博|支付宝|钉钉|陌陌|飞信|旺旺|telegram|whatsapp|facebook)(?:账号|帐号|号|id)[:：是为\s]{{0,3}}@?(?P<id>{_ID})"
)
_PROVINCES: Final = frozenset("京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼")
_PLATE = expression(
    rf"[{''.join(sorted(_PROVINCES))}]\s?[\-_.·•]?\s?[a-z]\s?[·•.\-_\s]?\s?"
    r"(?=[a-z\d]{0,5}\d)[a-z\d]{4,5}[a-z\d挂学警港澳领](?![a-z\d])"
)
_PLATE_NAMED = expression(r"车牌(?:号码?|照)?(?:\s?(?:是|为|:|：))?\s?([a-z]?(?=[a-z]{0,3}\d)[a-z\d]{5,6}(?![a-z\d]))")
_PLATE_LENGTH: Final = 7
_LETTERS = expression(r"[a-z]+")


def find_accounts(folded: Folded) -> Iterator[Found]:
    """Yield mail addresses, accounts and number plates; a pattern is tried only where a character that it needs occurs."""
    plain, digits, has = folded.plain, folded.digits, folded.has
    if "@" in has:
        yield from ((*found.span(), MAIL) for found in _MAIL.finditer(plain))
    if "com" in plain or "cn" in plain or "net" in plain:
        yield from ((*found.span(), MAIL) for found in _MAIL_SPOKEN.finditer(plain))
    if "信" in has or "v" in has or "w" in has:
        yield from _chats(digits)
        yield from ((*found.span(), CHAT) for found in _WXID.finditer(plain))
    if "q" in has or "扣" in has or "鹅" in has:
        yield from ((*found.span("id"), CHAT) for found in _QQ.finditer(digits))
    if "号" in has or "d" in has:
        yield from ((*found.span("id"), CHAT) for found in _OTHER.finditer(digits))
    if not has.isdisjoint(_PROVINCES):
        yield from _plates(plain, digits)
    if "牌" in has:
        yield from ((*found.span(1), PLATE) for text in {digits, plain} for found in _PLATE_NAMED.finditer(text))


def _chats(digits: str) -> Iterator[Found]:
    for found in _CHAT.finditer(digits):
        # 微信app, wechat pay: a word alone is an account only where it is said to be one.
        if found["by"].strip() or not _LETTERS.fullmatch(found["id"]) or found[0][0] not in "vw":
            yield *found.span("id"), CHAT


def _plates(plain: str, digits: str) -> Iterator[Found]:
    for found in _PLATE.finditer(digits):
        start, end = found.span()
        # 赣A50397一汽: a numeral after figures belongs to the next word.
        after = end - start > _PLATE_LENGTH and plain[end - 1] != digits[end - 1] and plain[end - 2] == digits[end - 2]
        yield start, end - after, PLATE
    if plain != digits:  # 鲁GD12345一直占道: its figures are all there already
        yield from ((*found.span(), PLATE) for found in _PLATE.finditer(plain))
