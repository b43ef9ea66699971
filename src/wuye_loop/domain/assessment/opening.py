"""Opens a scheme: the value that a text says, or the findings that say why it cannot be read."""

from functools import lru_cache

from pydantic import ValidationError

from wuye_loop.domain.assessment.scheme import Scheme
from wuye_loop.domain.errors import DefinitionError
from wuye_loop.domain.rulefile.extends import Bases, ExtendingError, read_whole
from wuye_loop.domain.rulefile.findings import Finding, Findings
from wuye_loop.domain.rulefile.reader import YamlDocError
from wuye_loop.domain.rulefile.shape import note_shape

KIND = "assessment"


def is_scheme(data: object) -> bool:
    """Say whether a document calls itself a scheme."""
    return isinstance(data, dict) and data.get("kind") == KIND


def opened_scheme(text: str | bytes, file: str, bases: Bases | None = None) -> tuple[Scheme, Findings] | list[Finding]:
    """Return the scheme of a text as it is written, not proved, and where more findings are noted; else why not."""
    try:
        doc = read_whole(text, file, bases)
    except ExtendingError as error:
        return [_unread(one, "extends") for one in (error, *error.rest)]
    except YamlDocError as error:
        return [_unread(error, "yaml")]
    findings = Findings(doc)
    try:
        return Scheme.model_validate(doc.data), findings
    except ValidationError as error:
        note_shape(error, Scheme, (), findings)
        return findings.sorted


@lru_cache(maxsize=64)  # the sweep asks every few seconds, and a published text never changes
def parse_scheme(text: str | bytes, file: str) -> Scheme:
    """Return the scheme of a published text. Raises DefinitionError when it cannot be read at all."""
    found = opened_scheme(text, file)
    if isinstance(found, list):
        raise DefinitionError(findings=found)
    return found[0]


def _unread(error: YamlDocError, code: str) -> Finding:
    line, column = error.mark or (1, 1)
    return Finding(error.file, line, column, code, error.message)
