"""Which regulation or article the main rules of a workflow follow: every source that is named, with what cites it."""

from collections.abc import Iterator

from wuye_loop.domain.wording import Wording, listed, offset, quoted
from wuye_loop.domain.workflow import Flow, Workflow

Cited = Iterator[tuple[str | None, str]]  # source, what cites it


def basis_rows(workflow: Workflow) -> Iterator[tuple[str, ...]]:
    """Yield every source in the order of the file with the rules that cite it; the whole file's own first."""
    found: dict[str, list[str]] = {}
    for source, rule in _cited(workflow):
        if source:
            found.setdefault(source, []).append(rule)
    for source, rules in found.items():
        yield source, listed(rules)


def _cited(workflow: Workflow) -> Cited:
    wording = Wording(workflow)
    yield workflow.source, "整个流程"
    yield workflow.calendar.source, "办公时间和免打扰时段"
    yield workflow.intake.source, "收件"
    for line in workflow.intake.red_lines:
        yield line.source, f"红线（{wording.condition(line.when)}）"
    for attach in workflow.intake.attach:
        yield attach.source, f"{wording.condition(attach.when)}的并入原件"
    yield from _flow(wording, workflow, "")
    for kind in workflow.tasks.values():
        title = quoted(kind.title)
        yield kind.source, f"{title}任务"
        yield kind.open.source, quoted(kind.open.title)
        yield from _flow(wording, kind, f"{title}任务的")
    for join in workflow.joins:
        yield join.source, f"系统{wording.action(join.act)}"


def _flow(wording: Wording, flow: Flow, of: str) -> Cited:
    for clock in flow.clocks.values():
        title = f"{of}{clock.title}"
        yield clock.source, title
        for limit in clock.limit:
            yield limit.source, f"{title}（{wording.limit(limit, clock.starts).strip()}）"
        for rung in clock.ladder:
            yield rung.source, f"{title}{offset(rung.at)}"
    for action in flow.actions.values():
        yield action.source, f"{of}{quoted(action.title)}"
        for way in action.outcomes:
            when = wording.condition(way.when)
            yield way.source, f"{of}{quoted(action.title)}{f'（{when}）' if when else '（其余情形）'}"
