"""What a what-if changes, in words: which limits, whose people; and which limits of the same clock stay as they are."""

from collections.abc import Mapping
from itertools import zip_longest

from wuye_loop.domain.language.workflow import Limit, Workflow
from wuye_loop.trial.simulation.inputs.places import Places


def limits_changed(before: Workflow, after: Workflow) -> list[str]:
    """Say which limits are others than before: `办理时限由 5 个工作日改为 3 个工作日`."""
    found = []
    for name, clock in after.clocks.items():
        old = before.clocks[name].limit if name in before.clocks else ()
        for was, now in zip_longest(old, clock.limit):
            if was is not None and now is not None and was != now:
                only = "" if len(clock.limit) == 1 else f"（{_when(now)}）"
                found.append(f"{clock.title}{only}由 {_long(was)}改为 {_long(now)}")
    return found


def limits_kept(before: Workflow, after: Workflow) -> list[str]:
    """Say which limits stay of clocks of which another was changed, and how each is written for `--limit`."""
    found = []
    for name, clock in after.clocks.items():
        old = before.clocks[name].limit if name in before.clocks else ()
        kept = [n for n, (was, now) in enumerate(zip(old, clock.limit, strict=False), 1) if was == now]
        if kept and old != clock.limit:
            each = "；".join(
                f"{name}:{n}=（{_when(clock.limit[n - 1])}，现为 {_long(clock.limit[n - 1])}）" for n in kept
            )
            found.append(f"“{clock.title}”另有 {len(kept)} 条没有改，要改就在 --limit 里写：{each}")
    return found


def people_changed(before: Mapping[str, int], changes: Mapping[str, int], places: Places) -> list[str]:
    """Say which units have more people or fewer, by the names that were asked for."""
    found = []
    for name, change in changes.items():
        codes = places.named(name)
        if len(codes) == 1 and change:
            had = before.get(codes[0], 0)
            found.append(f"{places.titles.get(codes[0], codes[0])}由 {had} 人改为 {had + change} 人")
        elif change:
            found.append(f"{name} 的 {len(codes)} 个单位各{'增' if change > 0 else '减'} {abs(change)} 人")
    return found


def _when(limit: Limit) -> str:
    return "其余" if limit.when.always else limit.when.describe()


def _long(limit: Limit) -> str:
    return limit.is_.chinese if limit.is_ is not None else f"到 {limit.until}"
