"""What a test writes into forms, made into what a site would send; and what a site answers, in the words of the form."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.trial.definition_tests.document import StepSpec
from wuye_loop.trial.sandbox.intake import ORDER

#: What a test calls its own grievance, where forms and later steps ask for one.
FIRST: Final = "一号"
_EXTRA: Final = "extra"
Needs = Mapping[str, FieldSpec]


def needs_of(workflow: Workflow, step: StepSpec) -> Needs:
    """Return the fields that a step's form may have: those of its action, of the task it opens, of its paper's tasks."""
    opens = step.open if step.issue is None else workflow.documents[step.issue].opens
    if opens is not None:
        return workflow.tasks[opens].open.needs
    return workflow.flow(step.task).actions[step.do].needs if step.do is not None else {}


def source_needs(rules: Rules, order: Mapping[str, Any]) -> Needs:
    """Return the fields that the source of an order asks for in its `extra`."""
    _, source = rules.source_of(str({**ORDER, **order}["channel"]))
    return source.needs if source is not None else {}


def filled(form: Mapping[str, Any], needs: Needs, numbers: Mapping[str, str]) -> dict[str, Any]:
    """Return a form as it would be sent: numbers for the names of grievances, ids for whatever names files."""

    def sent(name: str, value: Any) -> Any:
        kind = needs[name].type if name in needs else None
        if kind == "grievance" and isinstance(value, str):
            return numbers.get(value, value)
        return filed(value) if kind == "file" else value

    return {name: sent(name, value) for name, value in form.items()}


def sent_order(order: Mapping[str, Any], rules: Rules, numbers: Mapping[str, str]) -> dict[str, Any]:
    """Return an order as it would be sent: in its `extra`, numbers for the names of grievances that it belongs to, and ids."""
    extra = order.get(_EXTRA)
    if not isinstance(extra, Mapping):
        return dict(order)
    sent = filled(extra, source_needs(rules, order), numbers)
    for rule in rules.workflow.intake.attach:
        name = rule.to.removeprefix(f"{_EXTRA}.")
        if isinstance(sent.get(name), str):
            sent[name] = numbers.get(sent[name], sent[name])
    return {**order, _EXTRA: sent}


def filed(value: Any) -> Any:
    """Return the ids of the files that are named, one or several: any text or number stands for one, always the same."""
    return [_file(one) for one in (value if isinstance(value, list | tuple) else [value])]


def _file(named: Any) -> Any:
    if isinstance(named, bool) or not isinstance(named, str | int | float):
        return named
    try:
        return str(UUID(str(named)))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"file:{named}"))


def words_of(error: WuyeError, workflow: Workflow, needs: Needs) -> str:
    """Return a refusal in words, with the fields of a form that are wrong, each by its title and its name."""
    return _said(error, [_titled(path, workflow, needs) + problem for path, problem in _fields(error)])


def says(error: WuyeError, expected: str, workflow: Workflow, needs: Needs) -> bool:
    """Say whether a refusal has these words; a field may be called by its name alone."""
    plain = _said(error, [f"{path} {problem}" for path, problem in _fields(error)])
    return expected in plain or expected in words_of(error, workflow, needs)


def _fields(error: WuyeError) -> Iterator[tuple[str, str]]:
    fields = error.extra.get("fields")
    for field in fields if isinstance(fields, list) else ():
        yield field["path"], field["problem"]


def _said(error: WuyeError, fields: list[str]) -> str:
    return f"{error.detail}（{'；'.join(fields)}）" if fields else error.detail


def _titled(path: str, workflow: Workflow, needs: Needs) -> str:
    name = path.removeprefix(f"{_EXTRA}.")
    spec = needs.get(name)
    title = (spec.title if spec is not None else None) or workflow.labels.get(name)
    if title is not None and title != path:
        return f"{title}（{path}）"
    return f"{path} " if path else ""
