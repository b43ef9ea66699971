"""Hands for trying assessments: a town with a published scheme, and grievances that come to a known end."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.site import FINISH, GOOD, Driver, Town, text_of
from wuye_loop.authoring.assessment.check import load_scheme
from wuye_loop.domain.assessment.scheme import Scheme
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.loop.evaluate import closing
from wuye_loop.settings import shipped
from wuye_loop.store.assessment import schemes
from wuye_loop.store.workflows.files import whole_text

FOLDER = shipped("workflows") / "assessments"


@cache
def workflow_of(name: str) -> Workflow | None:
    """Return a shipped workflow."""
    file = shipped("workflows") / f"{name}.yaml"
    return parse(text_of(name), file.name) if file.is_file() else None


def scheme_text(name: str) -> str:
    """Return the whole text of a shipped scheme."""
    return whole_text(FOLDER / f"{name}.yaml", (FOLDER,))


def by_months(text: str) -> str:
    """Return 奎文's scheme without its days and weeks: a story of half a year would close two hundred of them by the way."""
    short, left_out = re.subn(r"(?m)^(?:templates:\n)?  (?:day|week):\n(?:    .*\n)+", "", text)
    assert left_out == 3
    return short


def publish_scheme(town: Town, name: str, text: str | None = None) -> Scheme:
    """Publish a shipped scheme, or one given as text, in a town."""
    whole = text or scheme_text(name)
    scheme = load_scheme(whole, f"{name}.yaml", workflows=workflow_of)
    town.run(lambda session: schemes.publish(session, scheme, whole, town.now))
    return scheme


def close_due(town: Town) -> int:
    """Close what is due, as the worker does."""
    return closing.close_due(town.site.loop, town.database, jobs=town.site.jobs)


async def voices(drive: Driver, scheme: str, period: str, scores: Mapping[str, list[int]], **more: Any) -> None:
    """Let the owners of companies speak through the hotline, a flat each."""
    for subject, each in scores.items():
        for flat, score in enumerate(each):
            said = {"input": "owners", "subject": subject, "score": score, "flat": f"{subject}-{flat}"} | more
            await drive.post("hotline", f"/v1/assessments/{scheme}/{period}/inputs", said)


async def handled(drive: Driver, number: str, lead: str, rating: Mapping[str, Any] = GOOD) -> None:
    """Take a grievance of the plain way to its rating."""
    await drive.act("property-centre", number, "accept")
    await drive.act(lead, number, "sign")
    await drive.act(lead, number, "finish", FINISH)
    await drive.act("property-centre", number, "approve")
    await drive.act("property-centre", number, "call_back", {"outcome": "接通"})
    await drive.act("hotline", number, "rate", rating)
