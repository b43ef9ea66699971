"""Says in words what stands at the end of several runs, and what was never done."""

from collections import Counter
from collections.abc import Sequence

from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.trial.simulation.results.outcome import SimulatedYear
from wuye_loop.trial.simulation.results.stuck import LATE, Stuck


def standing(workflow: Workflow, outcomes: Sequence[SimulatedYear]) -> list[str]:
    """Say what stands and what was never possible, on average of several runs; nothing where nothing is in the way."""
    total = Counter[Stuck]()
    for outcome in outcomes:
        total.update(outcome.stuck)
    lines = []
    for one, number in total.most_common():
        each = number / len(outcomes)
        title = workflow.actions[one.action].title if one.action else ""
        where = f"卡在“{title}”" if title else "停着"
        lines.append(f"{workflow.states[one.state].title}的 {each:,.{0 if each >= 1 else 1}f} 件{where}：{one.reason}")
    never = {name: words for outcome in outcomes for name, words in outcome.never.items()}
    done = {name for outcome in outcomes for name in outcome.actions}
    lines += [
        f"“{workflow.actions[name].title}”一次也没有办成，诉求走了别的路：{f'需要{words}' if words else LATE}"
        for name, words in never.items()
        if name not in done
    ]
    return lines
