"""Opens a scheme: the value that a text says, or the findings that say why it cannot be read."""

from functools import lru_cache

from wuye_loop.domain.assessment.scheme import Scheme
from wuye_loop.domain.rulefile.definition import opened_as, parsed
from wuye_loop.domain.rulefile.extends import Bases
from wuye_loop.domain.rulefile.findings import Finding, Findings

KIND = "assessment"


def is_scheme(data: object) -> bool:
    """Say whether a document calls itself a scheme."""
    return isinstance(data, dict) and data.get("kind") == KIND


def opened_scheme(text: str | bytes, file: str, bases: Bases | None = None) -> tuple[Scheme, Findings] | list[Finding]:
    """Return the scheme of a text as it is written, not proved, and where more findings are noted; else why not."""
    return opened_as(Scheme, text, file, bases)


@lru_cache(maxsize=64)  # the sweep asks every few seconds, and a published text never changes
def parse_scheme(text: str | bytes, file: str) -> Scheme:
    """Return the scheme of a published text. Raises DefinitionError when it cannot be read at all."""
    return parsed(opened_scheme(text, file))
