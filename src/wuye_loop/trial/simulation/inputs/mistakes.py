"""What a load or staff file says wrongly, in words, each at its line."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from wuye_loop.domain.rulefile.findings import Findings
from wuye_loop.domain.rulefile.reader import YamlDoc, read
from wuye_loop.domain.rulefile.shape import note_shape

M = TypeVar("M", bound=BaseModel)


class GivenPart(BaseModel):
    """Base of every part of such a file: closed, so that a misspelt key is found."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BadSimulation(ValueError):
    """A simulation that cannot be run as asked: what is wrong in Chinese words, with file:line where there is one."""


def read_model(text: str | bytes, file: str, model: type[M]) -> tuple[M, YamlDoc]:
    """Read a file of this shape. Raises YamlDocError for what is no YAML, BadSimulation for what has another shape."""
    doc = read(text, file)
    try:
        return model.model_validate(doc.data), doc
    except ValidationError as error:
        findings = Findings(doc)
        note_shape(error, model, (), findings)
        raise BadSimulation("\n".join(map(str, findings.sorted))) from None


def wrong(doc: YamlDoc, path: Sequence[str | int], words: str) -> BadSimulation:
    """Return an error that points at the key at a path of the file."""
    mark = doc.mark(tuple(path), key=True)
    return BadSimulation(f"{doc.file}:{mark.line}:{mark.column}: {words}")
