"""Help at the terminal, without what it could do and we never ask of it: Markdown, tracebacks in colour."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Final

# Modules that typer's help imports for one name each, of which it makes nothing unless a text is in Markdown, or a
# traceback is to be drawn. Loading them was a third of `--help`.
_UNUSED: Final = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}


@contextmanager
def plain() -> Iterator[None]:
    """Let typer's help be imported in the block without them; where they were loaded already, nothing is changed."""
    stood_in = [module for module in _UNUSED if module not in sys.modules and "typer.rich_utils" not in sys.modules]
    for module in stood_in:
        made = ModuleType(module)
        setattr(made, _UNUSED[module], type(_UNUSED[module], (), {}))
        sys.modules[module] = made
    try:
        import typer.rich_utils  # noqa: F401, PLC0415 when it is asked for
    finally:
        for module in stood_in:
            del sys.modules[module]
    yield
