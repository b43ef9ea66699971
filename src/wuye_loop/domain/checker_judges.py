"""Checks that work is judged by somebody else also where the file does not say whom to keep apart."""

from wuye_loop.domain.checker_scene import HOLDER, Scene, has_effect, target_of
from wuye_loop.domain.terms import Stage
from wuye_loop.domain.workflow import Role, TaskKind


def check_judges(scene: Scene) -> None:
    """Note holders of tasks who may accept what they handed over, and judges whom nothing keeps apart from the doers."""
    for kind, task in scene.workflow.tasks.items():
        _check_task(scene, kind, task)
    _check_kept_apart(scene)


def _check_task(scene: Scene, kind: str, task: TaskKind) -> None:
    """Find a state held by another to be judged, that the holder of the task leads into and can also end."""
    doers = {HOLDER, task.holder}
    for name, action in task.actions.items():
        ends = any(
            (target := target_of(action, way)) in task.states and task.states[str(target)].final for way in action.ways
        )
        doer = next((role for role in action.by if role in doers), None)
        rates = any(has_effect(action, way, "rate") for way in action.ways)  # each side rates the other in its turn
        if not ends or doer is None or rates:
            continue
        for state in action.from_:
            judge = task.states[state].holder if state in task.states else None
            handed = doers & scene.entered_by[kind].get(state, set())
            if judge is not None and judge not in doers and handed:
                who = f"{doer} 和 {judge} 都能做 {name}" if judge in action.by else f"{name} 由 {doer} 做"
                words = f"{who}：承办的把任务交到 {state} 由 {judge} 认可，自己却能了结它。请改由 {judge} 做"
                path = ("tasks", kind, "actions", name, "by")
                if not scene.findings.has(path, "self-verify"):  # by way of `separate`
                    scene.findings.error(path, "self-verify", words)
                break


def _check_kept_apart(scene: Scene) -> None:
    """Find judges of finished work whom `separate` does not keep apart from the unit that did it."""
    workflow = scene.workflow
    leads = {name for name, role in workflow.roles.items() if role.unit == "lead"}
    for name, state in workflow.states.items():
        judge = workflow.roles.get(state.holder or "")
        handed = leads & scene.entered_by[None].get(name, set())
        if state.final or state.stage is not Stage.FEEDBACK or judge is None or not _a_unit(judge) or not handed:
            continue
        doer = min(handed)
        if not any(state.holder in group and leads & {*group} for group in workflow.separate):
            words = (
                f"{doer} 把工作交到 {name} 由 {state.holder} 认可，而 separate 没有写这两个要互不相同："
                f"同一个单位会认可自己的工作。请在 separate 里写 [{doer}, {state.holder}]"
            )
            scene.findings.warn(("states", name, "holder"), "not-apart", words)


def _a_unit(role: Role) -> bool:
    return role.unit is not None and role.unit not in ("lead", "assist")
