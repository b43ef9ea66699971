"""Checks results (办理结果): each that a form offers has its archive term, each that has one can come about."""

from wuye_loop.authoring.checker.names import known
from wuye_loop.authoring.checker.scene import Scene
from wuye_loop.domain.language.results import RESULT, ResultSpec
from wuye_loop.domain.rulefile.findings import listed, quoted


def check_results(scene: Scene) -> None:
    """Note results that are asked for and not named, named and never reached, or counted from what never happens."""
    workflow, findings = scene.workflow, scene.findings
    asked, given = workflow.results_asked, dict[str, str]()
    for choice, actions in asked.items() if workflow.results else ():
        if choice not in workflow.results:
            words = (
                f"办理结果{quoted(choice)}没有写在 results 里（那里有{listed(workflow.results)}），不知道保管多久；"
                "请在 results 里加上它，写 keep"
            )
            findings.error(("actions", actions[0], "needs", RESULT), "unnamed-result", words, key=True)
    for name, result in workflow.results.items():
        path = ("results", name)
        known(scene, (*path, "in"), "状态", result.in_, tuple(workflow.states))
        for index, state in enumerate(result.in_):
            spec = workflow.states.get(state)
            if spec is not None and not spec.final:
                words = f"状态 {state} 不是终态：到了这里诉求还没有结果；in 里写终态"
                findings.error((*path, "in", index), "not-final", words)
            if state in given:
                words = f"状态 {state} 已经是{quoted(given[state])}的：一个终态只能有一个结果"
                findings.error((*path, "in", index), "two-results", words)
            given.setdefault(state, name)
        if name not in asked and not result.in_:
            has = f"（有{listed(asked)}）" if asked else ""
            words = (
                f"没有一件诉求会以{quoted(name)}办结：主流程没有一个动作的 {RESULT} 里有它{has}；"
                "由终态说明的，写 in: 终态"
            )
            findings.error(path, "unreached-result", words, key=True)
        _check_begins(scene, name, result)


def _check_begins(scene: Scene, name: str, result: ResultSpec) -> None:
    """Note a term that begins with what never happens in this flow: it is counted from the closing then."""
    orders = any("document" in kind.open.needs for kind in scene.workflow.tasks.values())
    missing = {
        "last_rating": None if scene.workflow.ratings else "评价（ratings）",
        "end_of_supervision": None if orders else "督办单（表单里有 document 的任务）",
    }.get(result.from_)
    if missing is not None:
        words = f"保管期限从 {result.from_} 起算，而本流程没有{missing}：总是从办结起算，写 from: closing"
        scene.findings.error(("results", name, "from"), "never-begins", words)
