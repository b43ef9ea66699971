"""答复参考: the texts that a definition offers with a form in which somebody answers the public."""

from typing import Any

from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.situation import Situation, World
from wuye_loop.domain.language.documents import ReplyText
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.terms import Audience

#: The field that every form with an answer to the public has, whatever its audience says.
PUBLIC_REPLY = "public_reply"


def answers_the_public(name: str, spec: FieldSpec) -> bool:
    """Say whether a field of a form is what the public reads."""
    return spec.type == "text" and (spec.audience is Audience.PUBLIC or name == PUBLIC_REPLY)


def offered(world: World, situation: Situation) -> list[ReplyText]:
    """Return the texts that fit a grievance as it stands, in the order of the file."""
    every, state = world.rules.workflow.replies, situation.grievance.state
    if not every:
        return []
    facts = facts_of(world, situation)
    return [one for one in every if (not one.in_ or state in one.in_) and one.when.holds(facts)]


def beside(world: World, situation: Situation, specs: dict[str, FieldSpec]) -> list[dict[str, Any]]:
    """Return the texts offered with a form, each with the fields that it is meant for; none where nothing is answered."""
    fields = [name for name, spec in specs.items() if answers_the_public(name, spec)]
    texts = offered(world, situation) if fields else []
    return [{"title": one.title, "text": one.text, "fields": fields} for one in texts]
