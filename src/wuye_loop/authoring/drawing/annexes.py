"""The tables under all pictures of a sheet: roles, sources, routers, papers, ratings, bodies apart, and where rules come from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wuye_loop.authoring.drawing.moves import SYSTEM
from wuye_loop.authoring.drawing.svg import Column
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.documents import RatingSpec
from wuye_loop.domain.language.intake import SourceSpec
from wuye_loop.domain.language.workflow import Flow, Role, RouterCall, TaskKind, TaskUnit, Workflow
from wuye_loop.domain.routing.kinds import TITLES
from wuye_loop.domain.terms import Level
from wuye_loop.domain.wording.definition import ANSWERED, FIGURES, LEVELS, SPECIAL, Wording, listed, offset, quoted

# Which regulation or article the main rules of a workflow follow: every source that is named, with what cites it.

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
    if workflow.intake.rising is not None:
        yield workflow.intake.rising.source, "上升的问题立案"
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


# Who does what on a drawing: every role with what it holds and may do, the tasks that it opens or holds included.

_TARGET: Final = "target"
#: Those who hold tasks without being a role of the file, and who they are.
_NAMELESS: Final = {"one_level_up": "发起单位在目录里的上级", _TARGET: "发起时指定的单位"}


def role_rows(workflow: Workflow) -> Iterator[tuple[str, ...]]:
    """Yield a row for each role, then for those who hold tasks without a role: title, who, what it holds, what it may do."""
    wording = Wording(workflow)
    parties = {kind: (_holders(workflow, kind), _openers(workflow, kind)) for kind in workflow.tasks}
    for name, role in workflow.roles.items():
        yield (
            role.title,
            wording.unit(role),
            _held(workflow, name, parties),
            _can(workflow, name, parties),
            role.source or "",
        )
    for name, who in _NAMELESS.items():
        if any(name in holders for holders, _ in parties.values()):
            yield SPECIAL[name], who, _held(workflow, name, parties), _can(workflow, name, parties), ""


Parties = dict[str, tuple[list[str], list[str]]]  # kind of task -> who holds it, who opens it


def _held(workflow: Workflow, name: str, parties: Parties) -> str:
    held = [state.title for state in workflow.states.values() if state.holder == name]
    for kind, task in workflow.tasks.items():
        if name in parties[kind][0] or any(state.holder == name for state in task.states.values()):
            held.append(f"{quoted(task.title)}任务")
    return listed(held)


def _can(workflow: Workflow, name: str, parties: Parties) -> str:
    steps = [*workflow.actions.values(), *(kind.open for kind in workflow.tasks.values())]
    main = [step.title for step in steps if name in step.by]
    main += [f"登记{quoted(source.title)}" for source in workflow.sources.values() if name in source.by]
    main += [f"签发{quoted(kind)}" for kind, paper in workflow.documents.items() if paper.opens and name in paper.by]
    said = [listed(main)]
    for kind, task in workflow.tasks.items():
        holders, openers = parties[kind]
        called = {name, *(["holder"] if name in holders else ()), *(["opener"] if name in openers else ())}
        titles = listed(action.title for action in task.actions.values() if called & set(action.by))
        if titles:
            said.append(f"{quoted(task.title)}任务：{titles}")
    return "；".join(filter(None, said))


def _openers(workflow: Workflow, kind: str) -> list[str]:
    return [name for name in workflow.tasks[kind].open.by if name != SYSTEM]


def _holders(workflow: Workflow, kind: str) -> list[str]:
    """Return the roles that may hold a task of a kind, or the special name of a holder that no role stands for."""
    task = workflow.tasks[kind]
    if task.holder == "opener":
        found = _openers(workflow, kind)
    elif task.holder == _TARGET:
        found = _targets(workflow, kind, task) or [_TARGET]
    else:
        found = [task.holder]
    return list(dict.fromkeys([*found, *([task.fallback] if task.fallback else [])]))


def _targets(workflow: Workflow, kind: str, task: TaskKind) -> list[str]:
    """Return the roles that a task is given to: those who hold it by name, whom rungs and effects open it for, the lead."""
    found = [name for name, role in workflow.roles.items() if _stands_for(role, kind)]
    for flow in (workflow, *workflow.tasks.values()):
        found += _opened_for(flow, kind)
    if not any(field.type == "unit" for field in task.open.needs.values()) and _openers(workflow, kind):
        found += [name for name, role in workflow.roles.items() if role.unit == "lead"]
    return [name for name in found if name in workflow.roles]


def _stands_for(role: Role, kind: str) -> bool:
    unit = role.unit
    return unit.task == kind if isinstance(unit, TaskUnit) else unit == kind == "assist"


def _opened_for(flow: Flow, kind: str) -> list[str]:
    found = [name for clock in flow.clocks.values() for rung in clock.ladder if rung.open == kind for name in rung.to]
    for action in flow.actions.values():
        effects = (*action.effect, *(effect for way in action.ways for effect in way.effect))
        opened = (one.params for one in effects if one.name == "open" and one.params.get("task") == kind)
        found += [str(params.get("to")) for params in opened]
    return found


_ALWAYS: Final = 2  # of the columns of a table are shown even when no row fills them
_BASIS: Final = Column("依据", 420)


@dataclass(frozen=True, slots=True)
class Annex:
    """One table under the pictures: its heading, its columns that any row fills, and those cells of its rows."""

    heading: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, heading: str, columns: Sequence[Column], rows: Iterator[tuple[str, ...]]) -> "Annex":
        """Leave out the columns that no row fills."""
        every = list(rows)
        used = [n for n in range(len(columns)) if n < _ALWAYS or any(row[n] for row in every)]
        return cls(heading, tuple(columns[n] for n in used), tuple(tuple(row[n] for n in used) for row in every))


def annexes(workflow: Workflow) -> list[Annex]:
    """Return the tables that have any rows, in the order of the sheet."""
    wording = Wording(workflow)
    roles = (
        Column("角色", 220),
        Column("是谁", 330),
        Column("持有的状态和任务", 330),
        Column("能办的动作", 660),
        _BASIS,
    )
    sources = (
        Column("来源", 220), Column("渠道", 220), Column("谁可以登记", 220), Column("从哪里开始", 180), Column("答复谁", 140),
        Column("登记时填", 320), _BASIS,
    )  # fmt: skip
    routers = (Column("转办方式，依次", 260), Column("怎样找单位", 560), Column("只用于", 320), _BASIS)
    papers = (
        Column("文书", 220), Column("文号", 260), Column("谁签发", 220), Column("发给", 160), Column("抄送", 180),
        Column("一条条的内容", 260), _BASIS,
    )  # fmt: skip
    instruments = (Column("督办手段", 220), Column("何时发出", 320), Column("随之签发", 220), _BASIS)
    ratings = (
        Column("评价", 220), Column("谁评", 180), Column("评谁", 180), Column("在哪些状态", 240), Column("问什么", 420),
        Column("各选项的权重", 220), Column("另算的比率", 220), _BASIS,
    )  # fmt: skip
    apart = (Column("在哪里", 320), Column("必须是不同的单位", 1200))
    basis = (Column("依据", 640), Column("规则", 900))
    found = [
        Annex.of("角色", roles, role_rows(workflow)),
        Annex.of("来源", sources, (_source(workflow, wording, one) for one in workflow.sources.values())),
        Annex.of("转办方式", routers, (_router(wording, n, call) for n, call in enumerate(workflow.routers, start=1))),
        Annex.of("文书", papers, _papers(workflow, wording)),
        Annex.of("督办手段", instruments, _instruments(workflow)),
        Annex.of("评价", ratings, (_rating(wording, one) for one in workflow.ratings.values())),
        Annex.of("职责分离", apart, _apart(workflow, wording)),
        Annex.of("规则的依据", basis, basis_rows(workflow)),
    ]
    return [one for one in found if one.rows]


def _source(workflow: Workflow, wording: Wording, source: SourceSpec) -> tuple[str, ...]:
    return (
        source.title,
        listed(source.channels) or "其余渠道",
        listed(["热线", *map(wording.role, source.by)]),
        workflow.states[source.start or workflow.start].title,
        ANSWERED[source.answered],
        "；".join(f"{wording.field(name, field)}{wording.shape(field)}" for name, field in source.needs.items()),
        source.source or "",
    )


def _router(wording: Wording, place: int, call: RouterCall) -> tuple[str, ...]:
    when = call.params.get("when")
    only = wording.condition(Condition.parse(when)) if isinstance(when, dict) else ""
    return (
        f"{place}. {call.title or TITLES.get(call.kind, call.kind)}",
        _search(call.kind, call.params),
        only,
        call.source or "",
    )


def _search(kind: str, params: dict[str, Any]) -> str:
    """Say how a router finds a unit; of a long list only how long it is."""
    among = params.get("among")
    level = params.get("level", "current")
    where = LEVELS[Level(level)] if level in list(Level) else "当前层级"
    by_duty = f"职责为 {among.get('duty')} 的单位" if isinstance(among, dict) and "duty" in among else "列出的单位"
    return {
        "table": f"职责清单，{len(params.get('rules', ()))} 条",
        "keyword": f"标题和正文里的词，{len(params.get('rules', ()))} 条",
        "territory": f"属地{where}一级职责为 {params.get('duty', 'property-office')} 的单位",
        "least_loaded": f"{by_duty}里未结的主办件最少的",
        "precedent": "照从前的裁定转办" if params.get("follow") else "列出从前的裁定供参考，接着试下一种",
        "learned": f"模型建议的类别对应的单位，{len(params.get('units', ()))} 类",
        "http": f"问外部系统 {params.get('url')}",
        "desk": "由持有单位的人指定",
    }.get(kind, kind)


def _papers(workflow: Workflow, wording: Wording) -> Iterator[tuple[str, ...]]:
    for name, paper in workflow.documents.items():
        lines = [f"每条开一件{wording.task(paper.opens)}"] if paper.opens else []
        lines += [f"议程是{wording.task(paper.gathers)}"] if paper.gathers else []
        by = listed(map(wording.role, paper.by))
        to = listed(map(wording.role, paper.to))
        yield name, paper.series, by, to, listed(map(wording.role, paper.copies)), "；".join(lines), paper.source or ""


def _instruments(workflow: Workflow) -> Iterator[tuple[str, ...]]:
    for one in workflow.instruments.values():
        when = "随时" if one.urgent else "可以打扰的时间" if workflow.calendar.quiet else "办公时间"
        yield one.title, when, one.document or "", one.source or ""


def _rating(wording: Wording, rating: RatingSpec) -> tuple[str, ...]:
    return (
        rating.title,
        listed(map(wording.role, rating.by)) or "诉求人",
        wording.role(rating.of),
        listed(wording.state(name).strip("“”") for name in rating.in_),
        "；".join(f"{wording.field(name, field)}{wording.shape(field)}" for name, field in rating.asks.items()),
        "，".join(f"{answer} {weight:g}" for answer, weight in rating.weights.items()),
        "；".join(f"{FIGURES[figure]}：{wording.answers(rating, figure)}" for figure in rating.figures),
        rating.source or "",
    )


def _apart(workflow: Workflow, wording: Wording) -> Iterator[tuple[str, ...]]:
    for group in workflow.separate:
        yield "同一件诉求的同一轮", listed(map(wording.role, group))
    for kind in workflow.tasks.values():
        for group in kind.separate:
            yield f"同一件{quoted(kind.title)}任务", listed(map(wording.role, group))
