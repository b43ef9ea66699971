"""What every effect is given: the answers of the form, the task it is taken on, and how to open another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wuye_loop.domain.grievance.situation import TaskState
from wuye_loop.domain.step.builder import Builder

#: Opens a task on behalf of the system: (builder, kind, to, document, data). opening.py supplies it.
Opener = Callable[[Builder, str, str | None, str | None, dict[str, Any]], None]


@dataclass(slots=True)
class Context:
    """What an effect may look at: the answers of the form and the task it is taken on."""

    answers: Mapping[str, Any]
    task: TaskState | None
    open_task: Opener

    def value(self, builder: Builder, name: str) -> Any:
        """Return a form answer, or what the task or the grievance stored under that name."""
        if name in self.answers:
            return self.answers[name]
        if self.task is not None and name in self.task.data:
            return self.task.data[name]
        return builder.grievance.data.get(name)


class Unrouted(Exception):
    """No router found a unit: a person at the desk decides, or another system is asked first."""

    def __init__(self, choice: Any) -> None:
        super().__init__("unrouted")
        self.choice = choice
