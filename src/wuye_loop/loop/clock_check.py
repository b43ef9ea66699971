"""Is this machine's clock to be trusted? The database's is the one that all processes share."""

from datetime import datetime, timedelta

from wuye_loop import metrics
from wuye_loop.domain.errors import ClockOff
from wuye_loop.domain.time.skew import skew
from wuye_loop.loop.engine import Loop

_ASK_AGAIN = 30  # seconds; a clock is put right by a person or a service, not by the next try


def require(loop: Loop, before: datetime, there: datetime) -> None:
    """Refuse to go by a clock that is off: ours showed `before` when the database was asked, which said `there`.

    Raises ClockOff beyond `loop.clock_bound`; a clock that is moved on purpose has none.
    """
    if loop.clock_bound is None:
        return
    off = skew(before, there, loop.clock.now())
    metrics.clock_skew_seconds.set(off.total_seconds())
    if abs(off) > loop.clock_bound:
        raise ClockOff(_words(off, loop.clock_bound), retry_after=_ASK_AGAIN)


def _words(off: timedelta, bound: timedelta) -> str:
    ahead = "快" if off > timedelta() else "慢"
    return (
        f"本机的时钟比数据库的{ahead} {abs(off).total_seconds():.0f} 秒，上限是 {bound.total_seconds():g} 秒："
        "时限会算错，收件和督办先停下；请对时，对好就接着办"
    )
