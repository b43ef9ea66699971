"""Checks where grievances come from: sources with their channels, forms and first states, and orders that attach."""

from string import Formatter

from wuye_loop.authoring.checker.extra_fields import check_extra
from wuye_loop.authoring.checker.names import check_fields, known
from wuye_loop.authoring.checker.scene import Scene
from wuye_loop.authoring.checker.system_forms import by_system, unasked
from wuye_loop.domain.language.intake import Rising, SourceSpec
from wuye_loop.domain.language.workflow import DutyUnit, TaskUnit
from wuye_loop.domain.rulefile.findings import nearest, quoted
from wuye_loop.domain.rulefile.reader import Path

_RISEN = ("estate", "category", "count", "expected", "days")
_HOTLINE = ("channel", "complainant")


def check_sources(scene: Scene) -> None:
    """Note unknown names, channels that mean two sources, forms that nobody can fill in, and orders that cannot attach."""
    channels: dict[str, str] = {}
    other: str | None = None
    for name, source in scene.workflow.sources.items():
        path = ("sources", name)
        for index, channel in enumerate(source.channels):
            if channel in channels:
                words = f"渠道{quoted(channel)}已经写在来源{quoted(channels[channel])}里：一个渠道只能是一个来源"
                scene.findings.error((*path, "channels", index), "same-channel", words)
            channels.setdefault(channel, name)
        if not source.channels and other is not None:
            words = f"来源{quoted(other)}和{quoted(name)}都没有写 channels：只能有一个来源收其他所有渠道"
            scene.findings.error(path, "same-channel", words, key=True)
        if not source.channels:
            other = other or name
        _check_source(scene, path, source)
    _check_attach(scene)
    if scene.workflow.intake.rising is not None:
        _check_rising(scene, scene.workflow.intake.rising)


def _check_rising(scene: Scene, rising: Rising) -> None:
    """Check that what rises can come in: of a known source, by a unit that there is before it is routed, its form filled in."""
    path, workflow = ("intake", "rising"), scene.workflow
    for part in _blanks(rising.title):
        if part not in _RISEN:
            words = f"title 里可填的是 {'、'.join(_RISEN)}，没有{quoted(part)}{nearest(part, _RISEN)}"
            scene.findings.error((*path, "title"), "unknown-name", words)
    known(scene, (*path, "origin"), "来源", [rising.origin], tuple(workflow.sources))
    source = workflow.sources.get(rising.origin)
    if source is None:
        return
    by = rising.by or next(iter(source.by), None)
    if by is None:
        words = f"来源{quoted(source.title)}没有写谁可以登记：请在来源里写 by，或在这里写 by"
        scene.findings.error(path, "no-reporter", words)
        return
    known(scene, (*path, "by"), "角色", [by], tuple(workflow.roles))
    role = workflow.roles.get(by)
    if role is not None and (not isinstance(role.unit, str | DutyUnit) or role.unit in ("lead", "assist")):
        words = f"{role.title}不是固定的单位，也不按职责找，不能由它登记"
        scene.findings.error((*path, "by"), "nobody-yet", words)
    for name, field in source.needs.items():
        if name not in rising.extra and not field.optional and field.when is None:
            words = f"来源{quoted(source.title)}的登记表要填{quoted(name)}：请写在 extra 里"
            scene.findings.error(path, "rising-form", words)


def _blanks(title: str) -> list[str]:
    """Return what a title leaves to be filled in; a brace that is not closed is itself such a blank."""
    try:
        return [part for _, part, _, _ in Formatter().parse(title) if part is not None]
    except ValueError:
        return ["{"]


def _check_source(scene: Scene, path: Path, source: SourceSpec) -> None:
    workflow = scene.workflow
    known(scene, (*path, "by"), "角色", source.by, tuple(workflow.roles))
    for index, name in enumerate(source.by):
        role = workflow.roles.get(name)
        if role is not None and (role.unit in ("lead", "assist") or isinstance(role.unit, TaskUnit)):
            words = f"登记诉求时还没有{role.title}：{name} 这时不代表任何单位，请写固定的单位或职责"
            scene.findings.error((*path, "by", index), "nobody-yet", words)
    if source.start is not None:
        known(scene, (*path, "start"), "状态", [source.start], tuple(workflow.states))
        state = workflow.states.get(source.start)
        if state is not None and state.final:
            words = f"状态{quoted(source.start)}是终态：从这一来源来的诉求刚开始就已结束"
            scene.findings.error((*path, "start"), "final-start", words)
    check_fields(scene, (*path, "needs"), source.needs)
    for name, field in source.needs.items():
        if field.type == "file":
            words = f"登记时还没有诉求编号，不能上传文件：请把{quoted(name)}放到受理之后的操作里"
            scene.findings.error((*path, "needs", name), "file-at-intake", words)
    if source.answered == "reporter" and not source.by:
        words = "answered: reporter 要有提出的单位：请在 by 里写哪些角色的单位可以登记"
        scene.findings.error((*path, "answered"), "no-reporter", words)


def _check_attach(scene: Scene) -> None:
    """Check the actions that orders become on an earlier grievance: the hotline takes them, and fills in no form."""
    actions = scene.workflow.actions
    for index, attach in enumerate(scene.workflow.intake.attach):
        check_extra(scene, ("intake", "attach", index, "to"), attach.to, ())
        path = ("intake", "attach", index, "act")
        known(scene, path, "主流程的操作", [attach.act], tuple(actions))
        action = actions.get(attach.act)
        if action is None:
            continue
        roles = [scene.workflow.roles[name] for name in action.by if name in scene.workflow.roles]
        if not any(role.is_ in _HOTLINE for role in roles):
            words = f"操作 {attach.act} 由送来诉求的热线做，它的 by 里要有热线或诉求人（is: channel 或 complainant）"
            scene.findings.error(path, "not-for-hotline", words)
        unasked(scene, path, attach.act, action, "热线")


# Checks what ties a definition to other matters: followers of a merged matter.


def check_family(scene: Scene) -> None:
    """Check that followers, which stand where merging put them, can answer the moves of their lead."""
    actions, moves = scene.workflow.actions, scene.workflow.family.moves
    for lead, follower in moves.items():
        path = ("family", "moves", lead)
        if lead not in actions:
            words = f"没有主流程的操作{quoted(lead)}{nearest(lead, actions)}"
            scene.findings.error(path, "unknown-name", words, key=True)
        known(scene, path, "主流程的操作", [follower], tuple(actions))
        action = actions.get(follower)
        if action is None:
            continue
        by_system(scene, path, follower, action)
        if not scene.merged_into & set(action.from_):
            words = (
                f"并案后的诉求在状态 {'、'.join(sorted(scene.merged_into))}，而 {follower} 只能从 {'、'.join(action.from_) or '（没有）'} 做"
                if scene.merged_into
                else "没有一个操作有效果 merge：不会有并案的诉求跟随"
            )
            scene.findings.error(path, "never-follows", words)
