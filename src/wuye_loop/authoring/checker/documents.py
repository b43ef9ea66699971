"""Checks papers: documents with their series and lines, instruments that issue them, ratings and who gives them."""

from decimal import Decimal
from itertools import chain

from wuye_loop.authoring.checker.names import check_fields, known
from wuye_loop.authoring.checker.scene import HOLDER, OPENER, SYSTEM, FlowPlace, Scene, target_of
from wuye_loop.authoring.checker.system_forms import not_for_system, unasked
from wuye_loop.domain.figures.exact import HUNDRED
from wuye_loop.domain.grievance.replies import answers_the_public
from wuye_loop.domain.language.documents import DocumentKind, RatingSpec
from wuye_loop.domain.language.workflow import TaskKind, TaskUnit
from wuye_loop.domain.rulefile.findings import quoted
from wuye_loop.domain.rulefile.reader import Path
from wuye_loop.domain.wording.definition import FIGURES


def check_papers(scene: Scene) -> None:
    """Note what is wrong with documents, instruments and ratings."""
    _check_documents(scene)
    _check_replies(scene)
    for name, kind in scene.workflow.documents.items():
        _check_lines(scene, ("documents", name), kind)
    _check_instruments(scene)
    _check_ratings(scene)


def _check_replies(scene: Scene) -> None:
    """Check the texts offered for answers: the states are there, somebody answers in one of them, and they fit the form."""
    fields = [
        (action, spec)
        for action in scene.workflow.actions.values()
        for name, spec in action.needs.items()
        if answers_the_public(name, spec)
    ]
    for index, reply in enumerate(scene.workflow.replies):
        path = ("replies", index)
        known(scene, (*path, "in"), "状态", reply.in_, tuple(scene.workflow.states))
        here = [spec for action, spec in fields if not reply.in_ or set(reply.in_) & set(action.from_)]
        if not here:
            words = "这些状态里没有一个动作填写给公众的答复（public_reply，或 audience: public 的文字）：永远用不上"
            scene.findings.error(path, "no-reply-form", words)
        elif all(spec.max is not None and len(reply.text) > spec.max for spec in here):
            words = f"答复参考有 {len(reply.text)} 个字，比表单里能填的长"
            scene.findings.error((*path, "text"), "long-reply", words)


def _check_documents(scene: Scene) -> None:
    roles = tuple(scene.workflow.roles)
    series: dict[str, str] = {}
    for name, kind in scene.workflow.documents.items():
        path = ("documents", name)
        known(scene, (*path, "by"), "角色", kind.by, (*roles, SYSTEM))
        known(scene, (*path, "to"), "角色", kind.to, roles)
        known(scene, (*path, "copies"), "角色", kind.copies, roles)
        if "{year}" not in kind.series:
            words = "文号里要有 {year}：顺序号每年从 1 开始，没有年份就会重号"
            scene.findings.error((*path, "series"), "no-year", words)
        rest = kind.series.replace("{n}", "", 1).replace("{year}", "", 1)
        if "{" in rest or "}" in rest:
            words = "文号里只能有 {year} 和 {n}，各一次"
            scene.findings.error((*path, "series"), "bad-series", words)
        if kind.series in series:
            words = f"文号与{quoted(series[kind.series])}的相同：两种文书不能共用一个文号"
            scene.findings.error((*path, "series"), "same-series", words)
        series.setdefault(kind.series, name)


def _check_lines(scene: Scene, path: Path, kind: DocumentKind) -> None:
    """Check a document with lines: who issues it, what its lines open, what is on its agenda, how that is settled."""
    tasks = tuple(scene.workflow.tasks)
    for key, name in (("opens", kind.opens), ("gathers", kind.gathers)):
        if name is not None:
            known(scene, (*path, key), "任务", [name], tasks)
    if kind.opens is not None and not set(kind.by) - {SYSTEM}:
        words = "这种文书逐条发起任务，要在 by 里写由哪些角色签发"
        scene.findings.error((*path, "opens"), "no-issuer", words, key=True)
    if kind.gathers is not None and kind.opens is None:
        words = "gathers 要和 opens 一起写：议题要由文书的一条条决定来落实，写明每条发起哪种任务"
        scene.findings.error((*path, "gathers"), "idle-key", words, key=True)
    if kind.settles is not None and kind.gathers is None:
        words = "settles 要和 gathers 一起写：没有议题，就没有可以了结的任务"
        scene.findings.error((*path, "settles"), "idle-key", words, key=True)
    gathered = scene.workflow.tasks.get(kind.gathers or "")
    if gathered is None:
        return
    _check_agenda(scene, path, kind, gathered)
    if kind.settles is not None:
        known(scene, (*path, "settles"), f"任务 {kind.gathers} 的操作", [kind.settles], tuple(gathered.actions))
        _check_settled(scene, (*path, "settles"), kind.settles, gathered)
        _check_issuers(scene, (*path, "by"), kind)


def _check_agenda(scene: Scene, path: Path, kind: DocumentKind, gathered: TaskKind) -> None:
    """Find an agenda that is always empty: it is what the issuer holds, and the tasks are held by somebody else."""
    roles = scene.workflow.roles
    held, units = roles.get(gathered.holder), [roles[name].unit for name in kind.by if name in roles]
    if held is not None and units and gathered.holder not in kind.by and held.unit not in units:
        words = f"议题永远是空的：任务 {kind.gathers} 由 {gathered.holder} 持有，而签发的是 {'、'.join(kind.by)}"
        scene.findings.error((*path, "gathers"), "empty-agenda", words)


def _check_issuers(scene: Scene, path: Path, kind: DocumentKind) -> None:
    """Find issuers that hold no task: what is settled is what the issuing unit holds, and it must act as a unit."""
    for index, name in enumerate(kind.by):
        role = scene.workflow.roles.get(name)
        if role is not None and role.is_ is not None:
            words = (
                f"{name}（is: {role.is_}）签发时不是以单位的身份，不能了结任务 {kind.gathers}：议题要由持有它的单位自己了结。"
                "请写一个只有 unit 的角色"
            )
            scene.findings.error((*path, index), "not-the-holder", words)


def _check_settled(scene: Scene, path: Path, name: str, gathered: TaskKind) -> None:
    action = gathered.actions.get(name)
    if action is None:
        return
    holders = {HOLDER, gathered.holder, *(state.holder for state in gathered.states.values())}
    if not holders & set(action.by):
        words = f"操作 {name} 由议题的持有单位（签发文书的单位）来做，它的 by 里要有 holder"
        scene.findings.error(path, "not-for-holder", words)
    unasked(scene, path, name, action, "签发文书的单位")
    missing = [state for state, spec in gathered.states.items() if not spec.final and state not in action.from_]
    if missing:
        words = f"任务在状态 {'、'.join(missing)} 时不能做 {name}，文书就签发不了：请把它们加进 {name} 的 from"
        scene.findings.error(path, "settles-unlawful", words)
    if any(target_of(action, way) is None for way in action.ways):
        words = f"操作 {name} 不改变任务的状态：议题不会了结，下次还在议程上"
        scene.findings.error(path, "settles-nothing", words)


def _check_instruments(scene: Scene) -> None:
    documents = scene.workflow.documents
    for name, instrument in scene.workflow.instruments.items():
        if instrument.document is None:
            continue
        path = ("instruments", name, "document")
        known(scene, path, "文书", [instrument.document], tuple(documents))
        spec = documents.get(instrument.document)
        if spec is not None and spec.by:
            not_for_system(scene, path, f"文书{quoted(instrument.document)}随这个督办手段由系统签发", spec.by)
        if spec is not None and spec.opens is not None:
            words = f"文书{quoted(instrument.document)}要由人逐条写明（opens），不能随督办手段签发"
            scene.findings.error(path, "wrong-document", words)


def _check_ratings(scene: Scene) -> None:
    workflow = scene.workflow
    roles, first = tuple(workflow.roles), next(iter(workflow.ratings), None)
    given = _given_in(scene)
    for name, rating in workflow.ratings.items():
        path = ("ratings", name)
        places = given.get(name, [])
        on_tasks = [place for place in places if place.kind is not None]
        check_fields(scene, (*path, "asks"), rating.asks)
        known(scene, (*path, "by"), "角色", rating.by, (*roles, HOLDER, OPENER) if on_tasks else roles)
        known(scene, (*path, "of"), "角色", [rating.of], (*roles, HOLDER, OPENER) if on_tasks else roles)
        if len(on_tasks) == len(places):
            states = tuple(chain(*(place.flow.states for place in on_tasks))) or tuple(workflow.states)
        else:
            states = tuple(workflow.states)
        known(scene, (*path, "in"), "状态", rating.in_, tuple(dict.fromkeys(states)))
        _check_weights(scene, path, name)
        _check_figures(scene, path, rating)
        _check_composite(scene, path, rating)
        role = workflow.roles.get(rating.of)
        if role is not None and (role.unit == "assist" or isinstance(role.unit, TaskUnit)):
            words = f"{rating.of} 可能有好几个单位，评不到是哪一个：请在那种任务里评价，of 写 holder 或 opener"
            scene.findings.error((*path, "of"), "many-rated", words)
        if rating.of in rating.by:
            words = f"{rating.of} 既是评价的人又是被评的人：自己评自己"
            scene.findings.error((*path, "of"), "self-rating", words)
        if not places and name != first:
            words = f"评价{quoted(name)}没有人会做：没有操作写着效果 rate: {{rating: {name}}}"
            scene.findings.error(path, "never-rated", words, key=True)


def _check_weights(scene: Scene, path: Path, name: str) -> None:
    rating = scene.workflow.ratings[name]
    choices = tuple(chain.from_iterable(field.choices for field in rating.asks.values()))
    for choice in rating.weights:
        if choice not in choices:
            scene.findings.unknown((*path, "weights", choice), "选项", choice, choices)


def _check_figures(scene: Scene, path: Path, rating: RatingSpec) -> None:
    for figure, asked in rating.figures.items():
        for question, answers in asked.items():
            here = (*path, "figures", figure, question)
            field = rating.asks.get(question)
            if field is None:
                scene.findings.unknown(here, "问题", question, tuple(rating.asks))
                continue
            for answer in answers:
                if field.type == "bool" and not isinstance(answer, bool):
                    scene.findings.error(here, "no-such-answer", f"“{question}”的答案只有 true 和 false")
                elif field.choices and answer not in field.choices:
                    scene.findings.unknown(here, "选项", str(answer), field.choices)


def _check_composite(scene: Scene, path: Path, rating: RatingSpec) -> None:
    if rating.composite is None:
        return
    here = (*path, "composite", "of")
    counted = {*rating.figures, *(["satisfaction"] if rating.weights else [])}
    for figure in rating.composite.of:
        if figure not in counted:
            where = "weights" if figure == "satisfaction" else f"figures: {{{figure}: …}}"
            words = f"{FIGURES[figure]}没有在这种评价里计算：先写 {where}"
            scene.findings.error((*here, figure), "uncounted-figure", words, key=True)
    total = sum((Decimal(str(one)) for one in rating.composite.of.values()), Decimal(0))
    if total != HUNDRED:
        scene.findings.error(here, "weights", f"各率的权重相加是 {total.normalize():f}，应为 100", key=True)


def _given_in(scene: Scene) -> dict[str, list[FlowPlace]]:
    """Return, by name of a rating, the flows in which an effect `rate` answers it."""
    first = next(iter(scene.workflow.ratings), "")
    found: dict[str, list[FlowPlace]] = {}
    for call in scene.calls:
        if call.call.name == "rate":
            found.setdefault(str(call.call.params.get("rating") or first), []).append(call.step.place)
    return found
