"""Every effect is known everywhere that must know it: its parameters, what it does, how it is said, how it is checked."""

import pytest
from tests.site import rules_of

from wuye_loop.authoring.checker import effects as checked
from wuye_loop.domain.language.effects import BUILT_IN, Nothing, Urged
from wuye_loop.domain.language.workflow import EffectCall
from wuye_loop.domain.step.effects import apply
from wuye_loop.domain.wording.definition import Wording

#: What is written beside their name, if anything, is right or wrong by itself, and they may stand anywhere.
UNCHECKED = {"release", "reclassify", "new_cycle", "unmerge", "urged"}


@pytest.fixture(scope="module")
def wording() -> Wording:
    return Wording(rules_of("kuiwen@1").workflow)


def test_what_a_definition_may_name_is_what_a_step_can_do() -> None:
    assert set(BUILT_IN) == set(apply._BUILT_IN)


def test_what_has_parameters_is_checked() -> None:
    assert set(BUILT_IN) == set(checked._CHECKS) | UNCHECKED
    assert {BUILT_IN[name] for name in UNCHECKED} == {Nothing, Urged}


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_an_effect_does_can_be_said(name: str, wording: Wording) -> None:
    params = dict.fromkeys(BUILT_IN[name].model_fields, "x")
    assert wording.effect(EffectCall(name=name, params=params)) != f"效果 {name}"
