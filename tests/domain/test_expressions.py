"""Expressions that are compiled late are expressions all the same."""

import gc
import re
from importlib import import_module
from pkgutil import walk_packages

import pytest

from wuye_loop import domain
from wuye_loop.domain.expressions import _Late, expression


def test_every_expression_that_is_compiled_late_compiles() -> None:
    for module in walk_packages(domain.__path__, "wuye_loop.domain."):
        import_module(module.name)
    found = [one for one in gc.get_objects() if isinstance(one, _Late)]
    assert len(found) > 100
    assert all(one.pattern for one in found)


def test_a_late_expression_does_what_a_compiled_one_does() -> None:
    late, compiled = expression("(a+)b", re.IGNORECASE), re.compile("(a+)b", re.IGNORECASE)
    assert late.findall("AAB ab") == compiled.findall("AAB ab") == ["AA", "a"]
    assert late.sub("x", "aab") == "x"
    assert (late.pattern, late.flags) == (compiled.pattern, compiled.flags)


def test_one_that_is_none_says_so_when_it_is_used() -> None:
    with pytest.raises(re.error):
        expression("(").search("a")
