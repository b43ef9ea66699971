"""Checks what ties a definition to other matters: followers of a merged matter."""

from wuye_loop.domain.checker_finding import nearest, quoted
from wuye_loop.domain.checker_names import known
from wuye_loop.domain.checker_scene import Scene
from wuye_loop.domain.checker_taken import by_system


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
