"""A definition in plain Chinese: conditions, limits, ladders, roles, forms and effects, with titles in place of names."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.documents import AskedFigure, Composite, RatingSpec
from wuye_loop.domain.language.fact_names import EARLIER
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.language.workflow import (
    ActionSpec,
    Branch,
    DutyUnit,
    EffectCall,
    EstateUnit,
    Flow,
    Limit,
    Role,
    RungSpec,
    StepSpec,
    TaskUnit,
    Times,
    Workflow,
)
from wuye_loop.domain.phrases import Phrase, folded, joined, phrase, respelt
from wuye_loop.domain.terms import Audience, Level, Stage
from wuye_loop.domain.time.calendar import Starts
from wuye_loop.domain.time.spans import CHINESE, Span
from wuye_loop.domain.wording.counts import counted

STARTS: Final = {
    Starts.AT_ONCE: "立即起算",
    Starts.SAME_DAY: "当日起算",
    Starts.NEXT_DAY: "次日起算",
    Starts.NEXT_WORKDAY: "下一工作日起算",
}
PER: Final = {
    "entry": "每次进入一个",
    "cycle": "每轮一个",
    "level": "每级一个",
    "assignment": "每次派单一个",
    "once": "整件一个",
}
LEVELS: Final = {Level.COMMUNITY: "社区", Level.STREET: "街道", Level.DISTRICT: "区县", Level.CITY: "市"}
AUDIENCES: Final = {Audience.INTERNAL: "派单和督办", Audience.UNITS: "办理单位", Audience.PUBLIC: "诉求人"}
ANSWERED: Final = {"complainant": "诉求人", "reporter": "提出的单位", "nobody": "不用答复"}
SPECIAL: Final = {
    "system": "系统",
    "holder": "持有单位",
    "opener": "发起单位",
    "target": "被指定的单位",
    "one_level_up": "上一级单位",
    "company": "小区的物业企业",
}
_KINDS: Final = {"channel": "热线", "complainant": "诉求人", "supervisor": "督办密钥", "admin": "管理员密钥"}
_TYPES: Final = {
    "text": "文字", "bool": "是否", "int": "整数", "date": "日期", "time": "时刻", "unit": "单位", "grievance": "诉求编号",
    "choice": "单选", "scale": "量表", "file": "文件",
}  # fmt: skip
_BARE: Final = frozenset({"kind", "urgency"})  # facts whose values say by themselves what they are
FIGURES: Final = {"satisfaction": "满意率", "on_time": "按时率", "response": "响应率", "solved": "解决率"}
_TRUTHS: Final = {  # what is said of a fact that is or is not so
    "overdue": ("{what}已逾期", "{what}未逾期"),
    "managed": ("小区有物业企业", "小区没有物业企业"),
    "anonymous": ("匿名", "不匿名"),
    "workday": ("工作日", "休息日"),
    "lead_final": ("主件已办结", "主件未办结"),
}
_FILLED: Final = {
    "form": ("没有填{what}", "填了{what}"),
    "extra": ("没有写{what}", "写了{what}"),
    "data": ("没有存下{what}", "存下了{what}"),
}
OR: Final = "{one}或{other}"
_INNER: Final = str.maketrans("“”", "‘’")
_GAP: Final = re.compile(r"(?<=[\u4e00-\u9fff”]) (?=[\u4e00-\u9fff“])")


def listed(words: Iterable[str]) -> str:
    """Return words joined as a Chinese list, each once."""
    return joined(dict.fromkeys(words))


def quoted(title: str) -> str:
    """Return a text in Chinese quotation marks, those within it turned to single ones."""
    said = f"“{title.translate(_INNER)}”"
    whole = isinstance(title, Phrase) or "“" in title
    return Phrase(said, "“{title}”", {"title": title}) if whole else said


def composite_words(composite: Composite | None) -> str:
    """Return what a composed figure is made of: 响应率 30、解决率 30、满意率 40."""
    if composite is None:
        return "没有"
    of = joined(
        phrase("{figure} {weight}", figure=FIGURES[name], weight=f"{weight:g}") for name, weight in composite.of.items()
    )
    return phrase("{title}：{of}", title=composite.title, of=of)


_TIMES: Final = {
    "all": "最多 {n} 次",
    "cycle": "每轮最多 {n} 次",
    "level": "每级最多 {n} 次",
    "assignment": "每派一次最多 {n} 次",
}


def _urged(params: Mapping[str, Any]) -> str:
    if "per_day" not in params:
        return "催办次数加一"
    return phrase("催办次数加一，同一诉求人一天至多 {n} 次", n=params["per_day"])


def _stored(step: StepSpec) -> Iterator[tuple[str, str]]:
    """Yield under which name a step keeps what a field was filled with, and the field."""
    ways = step.ways if isinstance(step, ActionSpec) else ()
    for call in (*step.effect, *(call for way in ways for call in way.effect)):
        kept = call.params if call.name == "set" else call.params.get("data") if call.name == "open" else None
        for key, field in (kept or {}).items():
            yield str(key), str(field)


class Wording:
    """Says the parts of one definition."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        asked = [spec for flow in (workflow, *workflow.tasks.values()) for spec in flow.actions.values()]
        steps = [*asked, *(kind.open for kind in workflow.tasks.values())]
        self._fields = {name: spec.title for step in steps for name, spec in step.needs.items() if spec.title}
        self._fields |= workflow.labels
        arrivals = [*workflow.sources.values()], [*workflow.ratings.values()]
        for needs in (*(one.needs for one in arrivals[0]), *(one.asks for one in arrivals[1])):
            for name, spec in needs.items():
                if spec.title:
                    self._fields.setdefault(name, spec.title)
        for step in steps:
            for key, field in _stored(step):
                own = step.needs.get(field)
                title = (own.title if own is not None else None) or self._fields.get(field)
                if title is not None:
                    self._fields.setdefault(key, title)

    # --- names ---

    def role(self, name: str) -> str:
        """Return a role's title; the special names as people say them."""
        found = self._workflow.roles.get(name)
        return found.title if found else SPECIAL.get(name, name)

    def apart(self, groups: Iterable[Iterable[str]]) -> str:
        """Return in words which bodies of a task must differ; the empty text where none must."""
        said = (phrase("{roles}必须是不同的单位", roles=joined(map(self.role, group))) for group in groups)
        return joined(said, "；")

    def roles(self, names: Iterable[str]) -> str:
        """Return the titles of roles as a list, or 无人."""
        return listed(map(self.role, names)) or "无人"

    def _flow(self, kind: str | None) -> Flow | None:
        return self._workflow if kind is None else self._workflow.tasks.get(kind)

    def state(self, name: str, kind: str | None = None) -> str:
        """Return a state's title in quotes; `back` is the state before it was parked."""
        if name == "back":
            return "原来的状态"
        flow = self._flow(kind)
        found = flow.states.get(name) if flow else None
        return quoted(found.title if found else name)

    def states(self, names: Iterable[str], kind: str | None = None) -> str:
        """Return the titles of states as a list."""
        return listed(self.state(name, kind) for name in names)

    def action(self, name: str, kind: str | None = None) -> str:
        """Return an action's title in quotes."""
        flow = self._flow(kind)
        found = flow.actions.get(name) if flow else None
        return quoted(found.title if found else name)

    def task(self, kind: str) -> str:
        """Return a task kind's title in quotes."""
        found = self._workflow.tasks.get(kind)
        return quoted(found.title if found else kind)

    def clock(self, name: str, kind: str | None = None) -> str:
        """Return a clock's title in quotes."""
        flow = self._flow(kind)
        found = flow.clocks.get(name) if flow else None
        return quoted(found.title if found else name)

    def instrument(self, name: str) -> str:
        """Return an instrument's title in quotes."""
        found = self._workflow.instruments.get(name)
        return quoted(found.title if found else name)

    def field(self, name: str, spec: FieldSpec | None = None) -> str:
        """Return what people read for a form field, in quotes."""
        return quoted((spec.title if spec else None) or self._fields.get(name, name))

    def rating(self, name: str) -> str:
        """Return a rating's title in quotes."""
        found = self._workflow.ratings.get(name)
        return quoted(found.title if found else name)

    def answers(self, rating: RatingSpec, figure: AskedFigure) -> str:
        """Return which answers to which question a rate counts: `“是否解决”为解决`."""
        truths = {True: "是", False: "否"}
        return listed(
            phrase(
                "{field}为{answers}",
                field=self.field(name, rating.asks.get(name)),
                answers=folded((truths[one] if isinstance(one, bool) else str(one) for one in answers), OR),
            )
            for name, answers in rating.figures[figure].items()
        )

    def unit(self, role: Role) -> str:
        """Return in words which unit or key a role stands for."""
        where, found = role.unit, ""
        if where is None:
            return _KINDS.get(role.is_ or "", str(role.is_))
        if isinstance(where, DutyUnit):
            found = phrase("属地当前层级职责为 {duty} 的单位", duty=where.duty)
            if where.level != "current":
                level = LEVELS[Level(where.level)]
                found = phrase("属地{level}一级职责为 {duty} 的单位", level=level, duty=where.duty)
        elif isinstance(where, TaskUnit):
            found = phrase("未办结{task}任务的持有单位", task=self.task(where.task))
        elif isinstance(where, EstateUnit):
            found = SPECIAL[where.estate]
        else:
            found = {"lead": "主办单位", "assist": "协办单位"}.get(where) or phrase("单位 {code}", code=where)
        if role.is_ in ("supervisor", "admin"):
            return phrase("{unit}（办理用{key}）", unit=found, key=_KINDS[role.is_])
        return found

    # --- conditions ---

    def condition(self, condition: Condition) -> str:
        """Return in words what must hold; the empty text when nothing must."""
        return folded(self.clauses(condition).values(), "{one}且{other}")

    def clauses(self, condition: Condition) -> dict[str, str]:
        """Return in words what each fact of a condition must be, by the fact's name."""
        return {fact: self.clause(fact, matcher) for fact, matcher in condition.raw.items()}

    def clause(self, fact: str, matcher: object) -> str:
        """Return in words what one fact must be: `投诉或举报`, `类别为电梯`, `“协办”都已办完`."""
        scalars = matcher if isinstance(matcher, list) else [matcher]
        if fact in _BARE and all(isinstance(value, str) for value in scalars):
            return folded(map(str, scalars), OR)
        if isinstance(matcher, bool) and (family := fact.partition(".")[0]) in _TRUTHS:
            said = _TRUTHS[family][0 if matcher else 1]
            return phrase(said, what=self._member(family, fact.partition(".")[2]))
        family, _, member = fact.partition(".")
        plain = self._plainly(family, member, matcher)
        if plain is not None:
            return plain
        asked, must = Condition.parse({fact: self._named(fact, matcher)}).said[0]
        said = phrase("{fact} {must}", fact=asked, must=must)
        if member:
            said = phrase("{fact}{member} {must}", fact=asked, member=self._member(family, member), must=must)
        return respelt(said, lambda text: _GAP.sub("", text))

    def _plainly(self, family: str, member: str, matcher: object) -> str | None:
        """Return how people say what a form of words cannot: counts, a lead unit or a field that is or is not there."""
        empty, filled = matcher is None, matcher == {"not": None}
        if family == "lead" and (empty or filled):
            return "还没有主办单位" if empty else "已有主办单位"
        if family in _FILLED and (empty or filled):
            return phrase(_FILLED[family][filled], what=self._member(family, member))
        turns = matcher if isinstance(matcher, list) else [matcher]
        if family == "cycle" and all(isinstance(turn, int) for turn in turns):
            return phrase("第 {turns} 轮", turns=folded(map(str, turns), "{one} 或 {other}"))
        return counted(family, matcher, self._member(family, member)) if member else None

    def _member(self, family: str, member: str) -> str:
        if family in ("open", "tasks"):
            return self.task(member)
        if family in ("done", "cycle_done"):
            return self.action(member)
        if family == "earlier":
            return quoted(EARLIER.get(member, member))
        return self.clock(member) if family == "overdue" else self.field(member)

    def _named(self, fact: str, matcher: Any) -> Any:
        """Return a matcher with titles in place of the names that a fact's values are."""
        if isinstance(matcher, list):
            return [self._named(fact, item) for item in matcher]
        if isinstance(matcher, Mapping):
            return {key: self._named(fact, item) if key in ("not", "any") else item for key, item in matcher.items()}
        if not isinstance(matcher, str):
            return matcher
        workflow = self._workflow
        titles: Mapping[str, Mapping[Any, str]] = {
            "state": {name: state.title for name, state in workflow.states.items()},
            "stage": {stage.value: stage.chinese for stage in Stage},
            "level": {level.value: title for level, title in LEVELS.items()},
            "origin": {name: source.title for name, source in workflow.sources.items()},
            "answered": ANSWERED,
        }
        return titles.get(fact, {}).get(matcher, matcher)

    # --- time ---

    def long(self, limit: Limit) -> str:
        """Return how long a limit is: `5 个工作日`, or the stored date it runs to."""
        if limit.of is not None and limit.is_ is not None:
            field, unit = self.field(limit.of.partition(".")[2]), CHINESE[limit.is_.unit]
            said = phrase("诉求上{field}写的{unit}数", field=field, unit=unit)
            if limit.max is not None:
                said = phrase("{said}，{min} 至 {max} {unit}", said=said, min=limit.min or 1, max=limit.max, unit=unit)
            return phrase("{said}，没有写的 {limit}", said=said, limit=limit.is_.chinese)
        if limit.until is not None and limit.is_ is not None:
            field = self.field(limit.until.partition(".")[2])
            return phrase("到诉求上{field}写的时候，没有写的 {limit}", field=field, limit=limit.is_.chinese)
        if limit.is_ is not None:
            return limit.is_.chinese
        return phrase("到{field}那一天", field=self.field((limit.until or "").partition(".")[2]))

    def limit(self, limit: Limit, starts: Starts) -> str:
        """Return a limit's line: for whom, how long, and its own start rule where it has one."""
        when = self.condition(limit.when)
        said = self.long(limit)
        if when:
            said = phrase("{when} {long}", when=when, long=said)
        own = limit.starts if limit.starts != starts else None
        return phrase("{said}，{starts}", said=said, starts=STARTS[own]) if own is not None else said

    def times(self, times: Times | None) -> str:
        """Return how often something may be done."""
        if times is None:
            return "不限次数"
        return phrase(_TIMES[times.per], n=times.times)

    def rung(self, rung: RungSpec, kind: str | None) -> str:
        """Return in words what a rung does: its notices, its task with its document, its action, and for whom."""
        said: list[str] = [phrase("发{notice}", notice=self.instrument(name)) for name in rung.do]
        if rung.open is not None:
            task = phrase("开{task}", task=self.task(rung.open))
            said.append(phrase("{said}（{paper}）", said=task, paper=rung.document) if rung.document else task)
        if rung.act is not None:
            said.append(phrase("系统做{act}", act=self.action(rung.act, kind)))
        whole = joined(said)
        if rung.to and (rung.do or rung.open):
            whole = phrase("{said}给{whom}", said=whole, whom=self.roles(rung.to))
        if rung.copy_to:
            whole = phrase("{said}，抄送{whom}", said=whole, whom=self.roles(rung.copy_to))
        when = self.condition(rung.when)
        return phrase("{said}（{when}时）", said=whole, when=when) if when else whole

    # --- steps ---

    def shape(self, spec: FieldSpec) -> str:
        """Return what a field wants: `必填，单选：解决、未解决`."""
        said: list[str] = ["选填" if spec.optional else "必填"]
        if spec.when is not None:
            said.append(phrase("{when}时", when=self.condition(spec.when)))
        kind = _TYPES.get(spec.type, spec.type)
        said.append(phrase("{kind}：{choices}", kind=kind, choices=listed(spec.choices)) if spec.choices else kind)
        return joined(said, "，")

    def way(
        self, way: Branch, to: str | None, kind: str | None, in_words: Callable[[EffectCall], str] | None = None
    ) -> str:
        """Return where an outcome leads and what comes with it; `in_words` says effects otherwise than in short."""
        target = way.to if way.to is not None else to
        said = [phrase("到{state}", state=self.state(target, kind)) if target is not None else "状态不变"]
        said += map(in_words or self.effect, way.effect)
        said += [phrase("随后{act}", act=self.action(name)) for name in way.then]
        return joined(said, "，")

    def effect(self, call: EffectCall) -> str:
        """Return in words what an effect does."""
        params = call.params
        return {
            "route": "转办",
            "release": "退单并不再转给它",
            "reclassify": "更正类别和紧急程度",
            "correct": "更正来件",
            "new_cycle": "开始新的一轮",
            "rate": "记一次评价",
            "unmerge": "撤销并案",
            "merge": "并案",
            "urged": _urged(params),
            "climb": "层级升一级",
            "assign": "指定承办单位",
            "lift": phrase("紧急程度改为{urgency}", urgency=params.get("urgency")),
            "set": phrase("存下{fields}", fields=listed(map(self.field, params))),
            "act": phrase("系统随后做{act}", act=self.action(str(params.get("value", params.get("action"))))),
            "open": phrase("开{task}", task=self.task(str(params.get("task")))),
            "document": phrase("签发{paper}", paper=quoted(str(params.get("kind")))),
            "notify": phrase(
                "{said}给{whom}",
                said=phrase("发{notice}", notice=self.instrument(str(params.get("instrument")))),
                whom=self._to(params),
            ),
            "extend_clock": phrase("延长{clock}", clock=self.clock(str(params.get("clock")))),
            "precedent": "记作先例",
            "exclude": phrase("不计入{figure}", figure=FIGURES.get(str(params.get("figure")), "考核")),
            "act_tasks": phrase(
                "对未结的{task}都做{act}", task=self.task(str(params.get("task"))), act=self._act_on(params)
            ),
        }.get(call.name) or phrase("效果 {name}", name=call.name)

    def _act_on(self, params: Mapping[str, Any]) -> str:
        return self.action(str(params.get("action")), str(params.get("task")))

    def _to(self, params: Mapping[str, Any]) -> str:
        to = params.get("to", ())
        return self.roles([to] if isinstance(to, str) else to)


def offset(at: Span | str) -> str:
    """Return when a rung fires: `到期时`, `到期前 1 个工作日`, `到期后 2 个工作日`."""
    if not isinstance(at, Span) or at.n == 0:
        return "到期时"
    return phrase("到期前 {span}" if at.n < 0 else "到期后 {span}", span=Span(abs(at.n), at.unit).chinese)
