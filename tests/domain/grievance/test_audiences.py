import pytest
from tests.site import rules_of

from wuye_loop.domain.grievance.audiences import EVERY, audiences, readable, step_named
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.terms import ActorKind

RULES = rules_of("kuiwen@1")


@pytest.mark.parametrize(
    ("actor", "allowed"),
    [
        (Actor(ActorKind.HOTLINE, source="12345"), {"public"}),
        (Actor(ActorKind.UNIT, "market"), {"public", "units"}),
        (Actor(ActorKind.UNIT, "property-centre"), EVERY),  # a role of its own in the definition
        (Actor(ActorKind.SUPERVISOR), EVERY),
        (Actor(ActorKind.AUDITOR), EVERY),
    ],
)
def test_an_actor_belongs_to_audiences(actor: Actor, allowed: set[str]) -> None:
    assert audiences(actor, RULES) == allowed


def test_a_field_is_read_by_its_own_audience_and_else_by_its_rows() -> None:
    needs = {
        "note": FieldSpec.model_validate({"text": {"audience": "internal"}}),
        "reply": FieldSpec.model_validate({"text": {"audience": "public"}}),
        "plain": FieldSpec.model_validate("text"),
    }
    facts = {"note": 1, "reply": 2, "plain": 3, "remark": 4}
    assert readable(facts, needs, "units", {"public"}) == {"reply": 2}
    assert readable(facts, needs, "units", {"public", "units"}) == {"reply": 2, "plain": 3, "remark": 4}
    assert readable(facts, needs, "units", EVERY) == facts


def test_a_ledger_row_finds_its_step_in_the_flow_it_belongs_to() -> None:
    workflow = RULES.workflow
    assert step_named(RULES, "sign", None) is workflow.actions["sign"]
    assert step_named(RULES, "sign", "assist") is workflow.tasks["assist"].actions["sign"]
    assert step_named(RULES, "open:extension", "extension") is workflow.tasks["extension"].open
    for action, kind in (("receive", None), ("rung:handle", None), ("open:nothing", None), ("sign", "nothing")):
        assert step_named(RULES, action, kind) is None
