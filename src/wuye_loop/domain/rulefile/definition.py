"""Opens a definition: the workflow that a text says, or the findings that say why it cannot be read."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from wuye_loop.domain.errors import DefinitionError
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rulefile.extends import Bases, ExtendingError, read_whole
from wuye_loop.domain.rulefile.findings import Finding, Findings
from wuye_loop.domain.rulefile.reader import YamlDocError
from wuye_loop.domain.rulefile.shape import note_shape

Model = TypeVar("Model", bound=BaseModel)


def opened(text: str | bytes, file: str, bases: Bases | None = None) -> tuple[Workflow, Findings] | list[Finding]:
    """Return the workflow of a text as it is written, not proved, and where more findings are noted; else why not."""
    return opened_as(Workflow, text, file, bases)


def opened_as(
    model: type[Model], text: str | bytes, file: str, bases: Bases | None = None
) -> tuple[Model, Findings] | list[Finding]:
    """Return the same of any model that rule files are written as."""
    try:
        doc = read_whole(text, file, bases)
    except ExtendingError as error:
        return [_unread(one, "extends") for one in (error, *error.rest)]
    except YamlDocError as error:
        return [_unread(error, "yaml")]
    findings = Findings(doc)
    try:
        return model.model_validate(doc.data), findings
    except ValidationError as error:
        note_shape(error, model, (), findings)
        return findings.sorted


def _unread(error: YamlDocError, code: str) -> Finding:
    line, column = error.mark or (1, 1)
    return Finding(error.file, line, column, code, error.message)


def parse(text: str | bytes, file: str) -> Workflow:
    """Return the workflow of a published text: it was proved then, and a stricter checker of today must not lose it.

    Raises DefinitionError when it cannot be read at all.
    """
    return parsed(opened(text, file))


def parsed(found: tuple[Model, Findings] | list[Finding]) -> Model:
    """Return what was opened. Raises DefinitionError with the findings when it cannot be read at all."""
    if isinstance(found, list):
        raise DefinitionError(findings=found)
    return found[0]
