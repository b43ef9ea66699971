"""Proves a scheme before it is published: names, weights, lists that nothing reaches, periods that never close."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from string import Formatter
from typing import Final

from wuye_loop.authoring.assessment.reaching import lacking
from wuye_loop.domain.assessment.credit import graded
from wuye_loop.domain.assessment.fact_names import FACTS, OF_CLOCKS, OF_RATINGS
from wuye_loop.domain.assessment.opening import opened_scheme
from wuye_loop.domain.assessment.scheme import (
    BREAKDOWNS,
    OF_CREDIT,
    PEOPLE,
    SUBJECT,
    TEMPLATES,
    Appeals,
    CreditSpec,
    ExitSpec,
    Fallen,
    IssueSpec,
    Item,
    ListSpec,
    Measure,
    NoticeSpec,
    Scheme,
    Template,
)
from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.errors import DefinitionError
from wuye_loop.domain.figures.exact import HUNDRED
from wuye_loop.domain.grievance.roles import issuing_role
from wuye_loop.domain.language.workflow import DutyUnit, Role, Workflow
from wuye_loop.domain.rulefile.extends import Bases
from wuye_loop.domain.rulefile.findings import Finding, Findings
from wuye_loop.domain.rules.roles import CompiledRole
from wuye_loop.domain.wording.definition import composite_words

#: Finds the workflow that a scheme names: its rules, or None where there is none.
Workflows = Callable[[str], Workflow | None]
WORDS: Final = ("period", "code", "rank", "from_last", "total", "subject", "peer")
_AS_SAID: Final = {"satisfied": "satisfaction"}
#: What is known of a unit that is to leave: it has no rank, but a grade.
WORDS_OF_EXIT: Final = ("period", "code", "total", "grade", "subject")
_OPERATORS: Final = ("min", "max", "not", "any")


def check_scheme(
    text: str | bytes,
    file: str,
    bases: Bases | None = None,
    workflows: Workflows | None = None,
    directory: Directory | None = None,
) -> tuple[Scheme | None, list[Finding]]:
    """Return the scheme and what is wrong with it, in the order of the file; None with an error in it.

    With `workflows`, what the scheme takes from its workflow is proved too: roles, sources, clocks, ratings, tasks. With a
    `directory` too, whether it has the units that are to open, issue, score and decide.
    """
    found = opened_scheme(text, file, bases)
    if isinstance(found, list):
        return None, found
    scheme, findings = found
    checking = _Checking(scheme, findings, workflows)
    checking.all()
    checking.units(directory)
    proved = findings.sorted
    return (None if any(one.severity == "error" for one in proved) else scheme), proved


def load_scheme(text: str | bytes, file: str, bases: Bases | None = None, workflows: Workflows | None = None) -> Scheme:
    """Return a proved scheme. Raises DefinitionError with the findings."""
    scheme, findings = check_scheme(text, file, bases, workflows)
    if scheme is None:
        raise DefinitionError(findings=[one for one in findings if one.severity == "error"])
    return scheme


def _is_found(role: Role) -> bool:
    """Say whether a role stands for a unit before there is a grievance: one that is named, or found by its duty."""
    made = CompiledRole.of(role)
    return made.code is not None or isinstance(made.placed, DutyUnit)


class _Checking:
    """One proof: the scheme, the workflow it names, and where findings are noted."""

    def __init__(self, scheme: Scheme, findings: Findings, workflows: Workflows | None) -> None:
        self._it, self._findings = scheme, findings
        self._workflow = workflows(scheme.workflow) if workflows is not None else None
        if workflows is not None and self._workflow is None:
            findings.error(("workflow",), "no-workflow", f"没有流程 {scheme.workflow}：角色、来源、时限和评价都从它来")

    def all(self) -> None:
        for name, measure in self._it.measures.items():
            self._measure(name, measure)
        self._inputs()
        self._periods()
        self._consequences()
        self._credit()
        if self._it.appeals is not None:
            self._appeals(self._it.appeals)
        self._templates()
        self._unused()

    def units(self, directory: Directory | None) -> None:
        """Prove that a directory has who is needed: nowhere is an error, somewhere a remark."""
        if directory is None or self._workflow is None:
            return
        for one in lacking(self._it, self._workflow, directory):
            if one.grave:
                self._findings.error(one.at, "no-unit", one.words)
            else:
                self._findings.warn(one.at, "no-unit", one.words)

    # --- measures ---------------------------------------------------------------------------------------------------

    def _measure(self, name: str, measure: Measure) -> None:
        at = ("measures", name)
        for key, own in (("when", ()), ("over", self._own(measure)), ("good", self._own(measure))):
            self._matches((*at, key), getattr(measure, key), own)
        if measure.growth is not None:
            of = self._it.measures.get(measure.growth)
            if of is None:
                self._findings.unknown((*at, "growth"), "指标", measure.growth, self._it.measures)
            elif of.count is None:
                self._findings.error((*at, "growth"), "growth-of-rate", f"“{of.title}”不是件数：增幅只对件数算")
        self._composite((*at, "composite"), measure)
        if measure.rate == "grievances" and not measure.good:
            self._findings.error(at, "no-good", "要写 good：什么样的算好，如 {final: true}", key=True)
        if measure.count == "actions" and not measure.action:
            self._findings.error(at, "no-action", "要写 action：数哪个动作", key=True)
        if measure.per is not None and measure.count is None:
            self._findings.error((*at, "per"), "per-of-rate", "per 只用于件数")
        if self._workflow is not None:
            self._of_workflow(at, measure, self._workflow)

    def _composite(self, at: tuple[str, str, str], measure: Measure) -> None:
        """Prove a figure that is composed: of rates, by weights that make 100, and by those that the workflow names."""
        for part in measure.composite:
            of = self._it.measures.get(part)
            if of is None:
                self._findings.unknown((*at, part), "指标", part, self._it.measures)
            elif of.rate is None:
                self._findings.error(
                    (*at, part), "composite-of-count", f"“{of.title}”不是率：只有率能按权重合成", key=True
                )
        total = sum(measure.composite.values())
        if measure.composite and (total != HUNDRED or min(measure.composite.values()) <= 0):
            self._findings.error(at, "weights", f"各率的权重都要大于 0，相加是 {total:f}，应为 100", key=True)
        self._as_in_workflow(at, measure)

    def _as_in_workflow(self, at: tuple[str, str, str], measure: Measure) -> None:
        """Compare with the workflow's own definition, where all the parts are figures of one rating that has one."""
        parts = [self._it.measures[name] for name in measure.composite if name in self._it.measures]
        if self._workflow is None or not parts or any(one.rate != "ratings" for one in parts):
            return
        first = next(iter(self._workflow.ratings), "")
        asked = {one.rating or first for one in parts}
        rating = self._workflow.ratings.get(asked.pop()) if len(asked) == 1 else None
        if rating is None or rating.composite is None:
            return
        said = {name: Decimal(str(weight)) for name, weight in rating.composite.of.items()}
        own = {
            _AS_SAID.get(one.figure, one.figure): measure.composite[name]
            for name, one in self._it.measures.items()
            if name in measure.composite
        }
        if own != said:
            words = (
                f"与流程 {self._it.workflow} 的不一样（{composite_words(rating.composite)}）：同一个指标只能有一种算法"
            )
            self._findings.error(at, "composite-differs", words, key=True)

    @staticmethod
    def _own(measure: Measure) -> frozenset[str]:
        return {"clocks": OF_CLOCKS, "ratings": OF_RATINGS}.get(measure.rate or "", frozenset())

    def _of_workflow(self, at: tuple[str, str], measure: Measure, workflow: Workflow) -> None:
        tasks = workflow.tasks
        known: dict[str, tuple[tuple[str, ...], str, Iterable[str]]] = {
            "named": (measure.named, "时限", workflow.clocks),
            "action": (
                measure.action,
                "动作",
                {**workflow.actions, **{a: 0 for t in tasks.values() for a in t.actions}},
            ),
            "rating": (tuple(filter(None, (measure.rating,))), "评价", workflow.ratings),
            "kind": (measure.kind, "任务或文书", {**tasks, **workflow.documents}),
        }
        for key, (names, what, allowed) in known.items():
            every = list(allowed)
            for one in names:
                if one not in every:
                    self._findings.unknown((*at, key), what, one, every)

    def _matches(self, at: tuple[str, ...], matches: dict[str, object], own: Iterable[str]) -> None:
        for fact, wanted in matches.items():
            if fact not in FACTS and fact not in own:
                self._findings.unknown((*at, fact), "事实", fact, (*FACTS, *own))
            elif isinstance(wanted, dict):
                for operator in wanted:
                    if operator not in _OPERATORS:
                        self._findings.unknown((*at, fact), "运算", str(operator), _OPERATORS)

    # --- inputs and periods -----------------------------------------------------------------------------------------

    def _inputs(self) -> None:
        for name, one in self._it.inputs.items():
            at = ("inputs", name)
            if not one.by:
                self._findings.error(at, "no-voice", f"“{one.title}”没有人可以评：要写 by", key=True)
            if one.scale.min >= one.scale.max:
                self._findings.error((*at, "scale"), "empty-scale", "scale 的 min 要小于 max")
            if self._workflow is not None:
                for role in one.by:
                    if role not in self._workflow.roles and role not in PEOPLE:
                        self._findings.unknown((*at, "by"), "角色", role, (*PEOPLE, *self._workflow.roles))

    def _periods(self) -> None:
        seen: dict[str, str] = {}
        for name, spec in self._it.periods.items():
            at = ("periods", name)
            if spec.every in seen:
                words = f"“{seen[spec.every]}”也是这种考核期：每种只写一个，人们用 2026-11 这样的写法找它"
                self._findings.error(at, "same-period", words, key=True)
            seen.setdefault(spec.every, name)
            if spec.closes is not None and spec.closes.n < 0:
                self._findings.error(
                    (*at, "closes"), "never-closes", "封账要在考核期结束以后：写 +3 workdays 这样的正数"
                )
            if spec.from_ is not None and spec.from_ not in self._it.periods:
                self._findings.unknown((*at, "from"), "考核期", spec.from_, self._it.periods)
            if spec.from_ is not None and spec.items:
                self._findings.error((*at, "items"), "two-scores", "from 和 items 只写一个：得分从一处来")
            for figure in spec.figures:
                if figure not in self._it.measures:
                    self._findings.unknown((*at, "figures"), "指标", figure, self._it.measures)
            if spec.rank.ties not in ("equal", *self._it.measures):
                self._findings.unknown((*at, "rank", "ties"), "指标", spec.rank.ties, ("equal", *self._it.measures))
            self._weights(at, spec.items)
            for place, item in enumerate(spec.items):
                self._item((*at, "items", place), item)
            self._lists(at, spec.lists, scored=bool(spec.items) or spec.from_ is not None)

    def _weights(self, at: tuple[str, str], items: Iterable[Item]) -> None:
        weighed = [item.weight if item.weight is not None else item.max for item in items if item.each is None]
        known = [one for one in weighed if one is not None]
        if known and len(known) == len(weighed) and sum(known) != self._it.periods[at[1]].total.of:
            words = f"各项的分值相加是 {sum(known):f}，应为满分 {self._it.periods[at[1]].total.of:f}"
            self._findings.error((*at, "items"), "weights", words)

    def _item(self, at: tuple[str | int, ...], item: Item) -> None:
        if (item.from_ is None) == (item.each is None):
            self._findings.error(at, "item-of-what", "一个计分项只写 from（按指标或评分）、each（每件加减）之一")
            return
        if item.each is not None:
            self._by_event(at, item)
            return
        self._by_figure(at, item)
        self._bands(at, item)

    def _by_event(self, at: tuple[str | int, ...], item: Item) -> None:
        if item.each not in self._it.measures:
            self._findings.unknown((*at, "each"), "指标", item.each or "", self._it.measures)
        if item.points is None and item.veto is None:
            self._findings.error(at, "no-points", "要写 points：每件几分")
        if item.points is not None and item.most is not None and item.points * item.most < 0:
            self._findings.error((*at, "most"), "most-sign", "most 与 points 同号：至多扣 5 分写 -5")

    def _by_figure(self, at: tuple[str | int, ...], item: Item) -> None:
        allowed = (*self._it.measures, *self._it.inputs)
        if item.from_ not in allowed:
            self._findings.unknown((*at, "from"), "指标或评分", item.from_ or "", allowed)
        if item.weight is None and item.max is None:
            self._findings.error(at, "no-points", "要写 weight 或 max：这一项几分")
        if item.max is not None and item.floor > item.max:
            self._findings.error((*at, "floor"), "floor", "floor 不能大于 max")
        if item.per_point is not None and item.below is None and item.above is None:
            self._findings.error((*at, "per_point"), "per-point", "per_point 要与 below 或 above 同写：从哪里起扣")
        measure = self._it.measures.get(item.from_ or "")
        if measure is None or measure.rate is not None or measure.composite:
            return
        if not (item.bands or item.below or item.above):
            self._findings.error(at, "count-as-points", f"“{measure.title}”不是率：写 bands、above 或 below 换算成分")

    def _bands(self, at: tuple[str | int, ...], item: Item) -> None:
        starts = [band.from_ for band in item.bands]
        for place, start in enumerate(starts):
            if start is None and place < len(starts) - 1:
                self._findings.error(
                    (*at, "bands", place), "band-shadowed", "没有 from 的一档放在最后，后面的永远用不到"
                )
            earlier = [one for one in starts[:place] if one is not None]
            if start is not None and earlier and start >= min(earlier):
                self._findings.error((*at, "bands", place), "band-shadowed", "各档从高到低写，这一档永远用不到")

    def _lists(self, at: tuple[str, str], lists: dict[str, ListSpec], *, scored: bool) -> None:
        of = self._it.periods[at[1]].total.of
        for name, one in lists.items():
            here = (*at, "lists", name)
            if not scored:
                self._findings.error(here, "unscored-list", "这个考核期不计分，没有人会上榜", key=True)
            written = (one.last, one.top, one.from_, one.below)
            if all(part is None for part in written) and not one.when and not one.or_:
                self._findings.error(
                    here, "endless-list", "没有写谁上榜：last、top、from、below、when 写一项", key=True
                )
            empty = one.from_ is not None and one.below is not None and one.from_ >= one.below
            over = one.from_ is not None and one.from_ > of and not self._it.periods[at[1]].total.over
            if empty or over or (one.below is not None and one.below <= 0):
                self._findings.error(here, "unreached-list", "没有人能上这个榜：分数的范围是空的", key=True)
            self._counters(here, name, lists)
            for consequence in one.brings:
                if consequence not in self._it.consequences:
                    self._findings.unknown((*here, "brings"), "处置", consequence, self._it.consequences)

    def _counters(self, here: tuple[str, ...], name: str, lists: dict[str, ListSpec]) -> None:
        for key, asked in (("when", lists[name].when), ("or", lists[name].or_)):
            for other, standing in asked.items():
                if other not in lists or other == name:
                    self._findings.unknown((*here, key, other), "榜", other, [each for each in lists if each != name])
                elif name in {*lists[other].when, *lists[other].or_}:
                    self._findings.error((*here, key, other), "list-circle", "两个榜互相以对方为条件")
                if standing.running is None and standing.in_year is None:
                    self._findings.error(
                        (*here, key, other), "no-count", "要写 running（连续几期）或 in_year（一年几次）"
                    )

    # --- consequences and credit ------------------------------------------------------------------------------------

    def _consequences(self) -> None:
        for name, one in self._it.consequences.items():
            at = ("consequences", name)
            if one.credit is not None and one.credit not in (self._it.credit.items if self._it.credit else ()):
                known = self._it.credit.items if self._it.credit else ()
                self._findings.unknown((*at, "credit"), "信用项", one.credit, known)
            if one.credit is not None and self._it.subjects.are not in ("company", "unit"):
                self._findings.error((*at, "credit"), "credit-of-area", "信用记在单位名下：考核对象要是企业或单位")
            fill = WORDS_OF_EXIT if name in self._brought_by_exit() else WORDS
            if one.issue is not None:
                self._filled((*at, "issue", "title"), one.issue.title, fill)
                self._filled((*at, "issue", "text"), one.issue.text, fill)
                if self._workflow is not None:
                    self._issue((*at, "issue"), one.issue, self._workflow)
            if one.open is None:
                continue
            self._filled((*at, "open", "title"), one.open.title, fill)
            for key, value in one.open.extra.items():
                if value not in fill and value in (*WORDS, *WORDS_OF_EXIT):
                    self._findings.unknown((*at, "open", "extra", key), "可填的词", str(value), fill)
            if self._workflow is not None:
                self._opens(at, self._workflow)

    def _filled(self, at: tuple[str, ...], text: str | None, words: tuple[str, ...]) -> None:
        """Prove that a text can be filled: each word in braces is one that is known, and braces are closed."""
        try:
            parts = [(part, spec, how) for _, part, spec, how in Formatter().parse(text or "") if part is not None]
        except ValueError:
            self._findings.error(at, "braces", "{ } 没有成对：要填的词写在一对大括号里，如 {subject}")
            return
        for part, spec, how in parts:
            if part not in words:
                self._findings.unknown(at, "可填的词", part, words)
            elif spec or how:
                self._findings.error(at, "braces", f"“{part}”后面不能再写格式：只写 {{{part}}}")

    def _issue(self, at: tuple[str, ...], issue: IssueSpec, workflow: Workflow) -> None:
        """Prove that a document can be issued without a grievance, by whom, and to whom."""
        document = workflow.documents.get(issue.document)
        if document is None:
            self._findings.unknown((*at, "document"), "文书", issue.document, workflow.documents)
            return
        if document.opens is not None or document.gathers is not None:
            words = f"“{issue.document}”在一件诉求上发起任务（opens），不能单独签发：改用 open 立案，由 notice 随它签发"
            self._findings.error((*at, "document"), "task-alone", words)
        for key, names in (("to", issue.to), ("copies", issue.copies), ("by", (issue.by,) if issue.by else ())):
            for name in names:
                self._receives((*at, key), name, workflow, alone=key == "by")
        if issue.by is not None and issue.by in workflow.roles and issue.by not in document.by:
            words = f"“{workflow.roles[issue.by].title}”不能签发“{issue.document}”：流程的 by 里没有它"
            self._findings.error((*at, "by"), "no-issuer", words)
        elif issue.by is None and (first := issuing_role(document.by, None)) is not None:
            self._receives((*at, "document"), first, workflow, alone=True)

    def _receives(self, at: tuple[str, ...], name: str, workflow: Workflow, *, alone: bool) -> None:
        """Prove that a role stands for a unit where there is no grievance: a fixed one, or one found by its duty."""
        if name == SUBJECT and not alone:
            return
        role = workflow.roles.get(name)
        if role is None:
            known = workflow.roles if alone else (SUBJECT, *workflow.roles)
            self._findings.unknown(at, "角色", name, known)
        elif not _is_found(role):
            does = "由它签发" if alone else "送给它"
            words = f"“{role.title}”不是一个固定的单位，也不按职责找得到：没有诉求，不能{does}"
            self._findings.error(at, "no-unit", words)
        elif isinstance(role.unit, DutyUnit) and self._below(role.unit, workflow):
            words = f"“{role.title}”只在比分组更小的属地里有，考核对象只知道在哪个分组：永远找不到它"
            self._findings.error(at, "no-unit", words)

    def _below(self, unit: DutyUnit, workflow: Workflow) -> bool:
        """Say whether a duty is looked for at a lower level than the groups that companies and units are known to lie in."""
        group = self._it.subjects.peers
        if group is None or self._it.subjects.are not in ("company", "unit"):
            return False
        order = list(workflow.levels)
        if unit.level == "current" or unit.level not in order or group.area not in order:
            return False  # at the level of the place itself it may well be
        return order.index(unit.level) < order.index(group.area)

    def _opens(self, at: tuple[str, str], workflow: Workflow) -> None:
        opening = self._it.consequences[at[1]].open
        assert opening is not None  # noqa: S101 asked by who calls
        source = workflow.sources.get(opening.source or "")
        if source is None:
            self._findings.unknown((*at, "open", "source"), "来源", opening.source or "", workflow.sources)
            return
        if not source.by and opening.by is None:
            self._findings.error((*at, "open"), "no-opener", "这个来源没有写谁可以登记：流程里要有 by，或在这里写 by")
            return
        name = opening.by or source.by[0]
        role = workflow.roles.get(name)
        if role is None:
            self._findings.unknown((*at, "open", "by"), "角色", name, workflow.roles)
        elif not _is_found(role):
            self._findings.error(
                (*at, "open"), "no-opener", f"“{role.title}”不是一个固定的单位，也不按职责找得到，不能由它立案"
            )
        if opening.notice is not None and role is not None:
            self._notice((*at, "open", "notice"), name, opening.notice, workflow)
        for field in source.needs:
            if field not in opening.extra and not source.needs[field].optional and source.needs[field].when is None:
                self._findings.error((*at, "open", "extra"), "form", f"来源“{source.title}”要填“{field}”")

    def _notice(self, at: tuple[str, ...], by: str, notice: NoticeSpec, workflow: Workflow) -> None:
        document = workflow.documents.get(notice.document)
        task = workflow.tasks.get(document.opens or "") if document is not None else None
        if document is None:
            self._findings.unknown((*at, "document"), "文书", notice.document, workflow.documents)
            return
        if by not in document.by:
            words = f"“{workflow.roles[by].title}”不能签发“{notice.document}”：立案的和签发的是同一个单位"
            self._findings.error((*at, "document"), "no-issuer", words)
        if task is None:
            words = f"“{notice.document}”不发起任务（流程里没有写 opens），不能随所立的诉求逐件签发"
            self._findings.error((*at, "document"), "no-task", words)
            return
        if task.open.signed_by is not None:
            words = (
                f"“{notice.document}”所发起的任务要“{task.open.signed_by}”本人签批（signed_by），考核办法不能替他签发："
                "去掉 notice，由他看过再发，或去掉流程里的 signed_by"
            )
            self._findings.error((*at, "document"), "signed-notice", words)
        needs = task.open.needs
        for field in notice.form:
            if field not in needs:
                self._findings.unknown((*at, "form", field), "字段", field, needs)
        for field, need in needs.items():
            if field not in notice.form and not need.optional and need.when is None:
                self._findings.error((*at, "form"), "form", f"“{notice.document}”要填“{field}”")

    def _credit(self) -> None:
        credit = self._it.credit
        if credit is None:
            return
        for place, veto in enumerate(credit.veto):
            if veto.item not in credit.items:
                self._findings.unknown(("credit", "veto", place, "item"), "信用项", veto.item, credit.items)
            if veto.grade not in credit.grades:
                self._findings.unknown(("credit", "veto", place, "grade"), "等级", veto.grade, credit.grades)
        for name, item in credit.items.items():
            rungs = set(self._workflow.instruments) if self._workflow is not None else None
            if item.when is not None and rungs is not None and item.when.rung not in rungs:
                self._findings.unknown(
                    ("credit", "items", name, "when", "rung"), "督办手段", item.when.rung, sorted(rungs)
                )
        if credit.exit is not None:
            self._exit(credit, credit.exit)

    def _appeals(self, spec: Appeals) -> None:
        if not spec.decided_by:
            self._findings.warn(("appeals",), "nobody-decides", "没有写谁来裁定申诉（decided_by）：只有主管部门可以")
        if spec.silence != "kept" and spec.decides is None:
            words = "没有写多久要裁定（decides）：永远不会逾期，silence 用不到"
            self._findings.error(("appeals", "silence"), "silence-never", words)
        if spec.silence == "above" and spec.above is None:
            self._findings.error(("appeals", "silence"), "nobody-above", "要写 above：逾期未裁定的交给谁")
        if spec.above is not None and spec.silence != "above":
            words = "silence 不是 above，永远交不到上面"
            self._findings.error(("appeals", "above"), "above-unreached", words)
        if spec.above is not None and set(spec.above.decided_by) & set(spec.decided_by):
            words = "上面裁定的和先裁定的是同一个角色"
            self._findings.error(("appeals", "above", "decided_by"), "above-same", words)
        self._who_decides(spec)

    def _who_decides(self, spec: Appeals) -> None:
        above = spec.above.decides if spec.above is not None else None
        for path, span in ((("within",), spec.within), (("decides",), spec.decides), (("above", "decides"), above)):
            if span is not None and span.n <= 0:
                self._findings.error(("appeals", *path), "no-time", "期限要大于零，如 5 workdays")
        if self._workflow is None:
            return
        higher = spec.above.decided_by if spec.above is not None else ()
        for at, names in (((), spec.decided_by), (("above",), higher)):
            for name in names:
                if name not in self._workflow.roles:
                    self._findings.unknown(("appeals", *at, "decided_by"), "角色", name, self._workflow.roles)

    def _templates(self) -> None:
        known = {**TEMPLATES, **self._it.templates}
        used = set()
        for name, spec in self._it.periods.items():
            template = spec.bulletin.template if spec.bulletin is not None else None
            if template is not None and template not in known:
                self._findings.unknown(("periods", name, "bulletin", "template"), "通报模板", template, known)
            used |= {template} if template is not None else set()
            own = self._it.templates.get(template or "")
            scored = bool(spec.items) or spec.from_ is not None
            if own is not None and not scored and {"scores", "lists", "brought"} & set(own.sections):
                words = f"模板“{template}”有得分或榜单，这个考核期不计分：那几张表永远是空的"
                self._findings.error(("periods", name, "bulletin", "template"), "empty-section", words)
        for name, one in self._it.templates.items():
            at = ("templates", name)
            if name not in used and name not in TEMPLATES:
                self._findings.warn(at, "unused", f"没有一个考核期用通报模板“{name}”", key=True)
            if len(set(one.sections)) < len(one.sections):
                self._findings.error((*at, "sections"), "twice", "同一张表写了两次")
            if set(OF_CREDIT) & set(one.sections) and self._it.credit is None:
                self._findings.error((*at, "sections"), "empty-section", "这个办法没有信用分，那张表永远是空的")
            for section in one.titles:
                if section not in one.sections:
                    self._findings.error((*at, "titles", section), "empty-section", "这张表不在 sections 里")
            self._unused_lengths(at, one)

    def _unused_lengths(self, at: tuple[str | int, ...], one: Template) -> None:
        """Note how long a table is to be where the template has no such table."""
        for key, tables, words in (
            ("trend", {"trend"}, "近几期（trend）的长短：sections 里没有 trend 这张表"),
            ("most", set(BREAKDOWNS), f"分类的表至多几行：sections 里没有 {'、'.join(BREAKDOWNS)} 中的一张"),
        ):
            if key in one.model_fields_set and not tables & set(one.sections):
                self._findings.warn((*at, key), "unused", words, key=True)

    def _brought_by_exit(self) -> tuple[str, ...]:
        return self._it.exit.brings if self._it.exit is not None else ()

    def _exit(self, credit: CreditSpec, spec: ExitSpec) -> None:
        """Prove how a unit comes to leave: names, a way that everybody or nobody meets, what it brings."""
        at = ("credit", "exit")
        if self._it.subjects.are not in ("company", "unit"):
            self._findings.error(at, "credit-of-area", "信用记在单位名下：考核对象要是企业或单位", key=True)
        for place, way in enumerate(spec.when):
            self._falls((*at, "when", place), credit, way)
        for name in spec.brings:
            if name not in self._it.consequences:
                self._findings.unknown((*at, "brings"), "处置", name, self._it.consequences)
            elif any(name in one.brings for period in self._it.periods.values() for one in period.lists.values()):
                words = f"处置“{name}”也由榜单带来：清退没有名次，请另写一项"
                self._findings.error((*at, "brings"), "exit-as-list", words)
        if not spec.brings:
            self._findings.error(at, "exit-of-nothing", "清退什么也没有带来：要写 brings", key=True)

    def _falls(self, here: tuple[str | int, ...], credit: CreditSpec, way: Fallen) -> None:
        if way.grade is not None and way.grade not in credit.grades:
            self._findings.unknown((*here, "grade"), "等级", way.grade, credit.grades)
        if way.of is not None and way.of not in self._it.periods:
            self._findings.unknown((*here, "of"), "考核期", way.of, self._it.periods)
        if way.running > 1 and way.of is None:
            self._findings.error((*here, "running"), "running-of-what", "running 要与 of 同写：连续几个什么考核期")
        if way.veto is True and not credit.veto:
            self._findings.error((*here, "veto"), "unreached-exit", "没有一票否决的信用项（credit.veto），永远用不到")
        if way.below is not None and way.below <= credit.floor:
            words = f"信用分至少 {credit.floor:f} 分，不会低于 {way.below:f}：没有人会符合这一种"
            self._findings.error((*here, "below"), "unreached-exit", words)
        fresh = graded(credit, credit.base, 0)
        if way.veto is not True and way.grade in (None, fresh) and (way.below is None or credit.base < way.below):
            words = "没有任何记录的单位就符合：人人都会被清退"
            self._findings.error(here, "everybody-leaves", words)

    def _unused(self) -> None:
        used = {one.growth for one in self._it.measures.values()}
        used |= {part for one in self._it.measures.values() for part in one.composite}
        brought: set[str] = set(self._brought_by_exit())
        for spec in self._it.periods.values():
            used |= {*spec.figures, spec.rank.ties}
            for item in spec.items:
                used |= {item.from_, item.each}
            for one in spec.lists.values():
                brought |= set(one.brings)
        for name, measure in self._it.measures.items():
            if name not in used:
                self._findings.warn(("measures", name), "unused", f"指标“{measure.title}”没有用到", key=True)
        for name in self._it.inputs:
            if name not in used:
                self._findings.error(("inputs", name), "unused-input", "没有一项按它计分：评了也不算数", key=True)
        for name in self._it.consequences:
            if name not in brought:
                self._findings.warn(("consequences", name), "unused", "没有一个榜、也没有清退带来这项处置", key=True)
