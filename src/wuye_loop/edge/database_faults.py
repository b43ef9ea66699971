"""What a database error means for the one who asked."""

from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from wuye_loop.domain.errors import BadInput, Conflict, Unavailable, WuyeError

# PostgreSQL's codes (appendix A): lock wait, statement timeout, deadlock, serialization. A new try soon meets other luck.
_TRY_AT_ONCE = {"55P03", "57014", "40P01", "40001"}
# Server going down or coming up, read-only standby.
_TRY_LATER = {"57P01", "57P02", "57P03", "25006"}
_NO_RESOURCES = "53"  # disk full, out of memory, too many connections
_CONNECTION = "08"
_DATA = "22"
_UNIQUE = "23505"


def fault(error: BaseException) -> WuyeError | None:
    """Return what to answer: Unavailable with Retry-After, BadInput, Conflict; None when the fault is our own."""
    if isinstance(error, PoolTimeout):
        return Unavailable("数据库繁忙，请稍后重试", retry_after=2)
    if not isinstance(error, DBAPIError):
        return None
    code: str = getattr(error.orig, "sqlstate", None) or ""
    known: WuyeError | None = None
    if code in _TRY_AT_ONCE:
        known = Unavailable("数据正被他人处理或查询超时，请重试", retry_after=1)
    elif error.connection_invalidated or code in _TRY_LATER or code[:2] in (_NO_RESOURCES, _CONNECTION):
        known = Unavailable("数据库暂时不可用，请稍后重试", retry_after=2)
    elif isinstance(error, DataError) or code.startswith(_DATA):
        known = BadInput("内容含有数据库无法保存的字符或数值")
    elif code == _UNIQUE:
        known = Conflict("相同的记录已经存在")
    elif isinstance(error, OperationalError | InterfaceError):
        known = Unavailable("数据库暂时不可用，请稍后重试", retry_after=2)
    return known
