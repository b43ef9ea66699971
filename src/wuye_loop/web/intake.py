"""An order as a page took it down, whoever filled it in: a resident, a seat of the hotline."""

from collections.abc import Mapping
from typing import Final

from wuye_loop.domain.grievance.order import Complainant, IntakeForm, Place
from wuye_loop.domain.terms import Kind
from wuye_loop.web.fields import title_of

NAMES: Final = frozenset(IntakeForm.model_fields) | frozenset(Place.model_fields) | frozenset(Complainant.model_fields)


def intake_form(values: Mapping[str, str], external_id: str, channel: str) -> IntakeForm:
    """Return an order from the fields of a page; what was left empty is left out. Raises ValidationError."""
    said = {name: values[name] for name in ("with", "outcome", "said") if values.get(name)}
    body = values.get("body", "")
    return IntakeForm.model_validate(
        {
            "external_id": external_id,
            "channel": channel,
            "kind": values.get("kind") or Kind.COMPLAINT.value,
            "category": values.get("category") or None,
            "urgency": values.get("urgency") or None,
            "title": values.get("title") or title_of(body),
            "body": body,
            "place": {"estate": values.get("estate") or None, "address": values.get("address") or None},
            "complainant": {
                "name": values.get("name") or None,
                "phone": values.get("phone") or None,
                "anonymous": values.get("anonymous") == "1",
                "confidential": values.get("confidential") == "1",
            },
            "extra": {"three_way": said} if said else {},
        }
    )
