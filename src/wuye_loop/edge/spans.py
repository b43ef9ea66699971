"""Spans of time in questions and forms: `2 workdays`, `3 days`."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from wuye_loop.domain.errors import BadValue
from wuye_loop.domain.time.spans import Span

_MOST = 1000


def span(text: str) -> Span:
    """Read a span of 1 to 1,000 of a unit; BadValue, in words and without the input, for anything else."""
    try:
        found = Span.parse(text)
    except ValueError:
        raise BadValue("要写一个数和一个单位，如 2 workdays、3 days、4 hours") from None
    if not 1 <= found.n <= _MOST:
        raise BadValue(f"要在 1 与 {_MOST} 之间")
    return found


def _checked(text: str) -> str:
    return str(span(text))


#: A span as text, checked; `span` reads it.
SpanText = Annotated[
    str, StringConstraints(strict=True, max_length=40), AfterValidator(_checked), Field(examples=["2 workdays"])
]
