"""Expressions that are compiled late are expressions all the same."""

import re
from importlib import import_module
from pkgutil import walk_packages

import pytest

from wuye_loop import domain
from wuye_loop.domain.expressions import _Late, expression


def test_every_expression_that_is_compiled_late_compiles() -> None:
    modules = [import_module(module.name) for module in walk_packages(domain.__path__, "wuye_loop.domain.")]
    found = [one for module in modules for value in vars(module).values() for one in _in(value)]
    assert len(found) > 100
    assert all(one.pattern for one in found)


def _in(value: object) -> list[_Late]:
    if isinstance(value, _Late):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, tuple | list) else ()
    return [one for item in items for one in _in(item)]


def test_a_late_expression_does_what_a_compiled_one_does() -> None:
    late, compiled = expression("(a+)b", re.IGNORECASE), re.compile("(a+)b", re.IGNORECASE)
    assert late.findall("AAB ab") == compiled.findall("AAB ab") == ["AA", "a"]
    assert late.sub("x", "aab") == "x"
    assert (late.pattern, late.flags) == (compiled.pattern, compiled.flags)


def test_one_that_is_none_says_so_when_it_is_used() -> None:
    with pytest.raises(re.error):
        expression("(").search("a")
