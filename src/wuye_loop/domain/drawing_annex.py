"""The tables under all pictures of a sheet: roles, sources, routers, papers, ratings, bodies apart, and where rules come from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wuye_loop.domain.conditions import Condition
from wuye_loop.domain.drawing_basis import basis_rows
from wuye_loop.domain.drawing_roles import role_rows
from wuye_loop.domain.drawing_table import Column
from wuye_loop.domain.routing_kinds import TITLES
from wuye_loop.domain.terms import Level
from wuye_loop.domain.wording import ANSWERED, FIGURES, LEVELS, Wording, listed, quoted
from wuye_loop.domain.workflow import RatingSpec, RouterCall, SourceSpec, Workflow

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
