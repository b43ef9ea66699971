"""By which workflow a new grievance goes: by source, channel and area, and by the day from which a version is in force."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.site import Driver, build, order, story, text_of

from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.loop.foresee import foresee
from wuye_loop.settings import SettingsError
from wuye_loop.store.database import Database
from wuye_loop.store.workflows.files import bases, workflow_rules

pytestmark = pytest.mark.anyio


def another(name: str, version: int, effective_from: str = "") -> str:
    """Return kuiwen@1 under another name and version, in force from a day."""
    head = f"name: {name}\nversion: {version}\n" + (f"effective_from: {effective_from}\n" if effective_from else "")
    text = text_of("kuiwen@1")
    assert "name: kuiwen\nversion: 1\n" in text
    return text.replace("name: kuiwen\nversion: 1\n", head)


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026; a second workflow for inspections and one street, and a second version from Wednesday on."""
    texts = {
        "other@1": another("other", 1),
        "street@1": another("street", 1).replace("{is: 5 workdays, source", "{is: 7 workdays, source"),
        "kuiwen@2": another("kuiwen", 2, '"2026-03-04"'),
    }
    by = "channel=联合检查|日常巡查 -> other@1; source=12345, area=370702 -> street@1"
    town = build(database, data=tmp_path, texts=texts, workflow_by=by)
    async with story(town) as driver:
        yield driver


async def pinned(drive: Driver, external_id: str, **fields: object) -> str:
    made = await drive.post("hotline", "/v1/grievances", order(external_id, **fields), expect=201)
    return str(made["workflow"])


async def test_the_first_rule_that_fits_says_the_workflow_and_what_fits_none_goes_by_the_default(drive: Driver) -> None:
    assert await pinned(drive, "a1") == "kuiwen@1"
    assert await pinned(drive, "a2", channel="联合检查") == "other@1"
    assert await pinned(drive, "a3", place={"area_code": "370702001"}) == "street@1"


async def test_from_its_day_on_new_ones_go_by_the_new_version_and_the_old_go_on(drive: Driver) -> None:
    first = await drive.post("hotline", "/v1/grievances", order("a1"), expect=201)
    drive.town.advance(timedelta(days=2))
    assert await pinned(drive, "a2") == "kuiwen@2"
    assert (await drive.get("admin", f"/v1/grievances/{first['number']}"))["workflow"] == "kuiwen@1"


async def test_what_an_order_would_come_to_is_foreseen_by_the_workflow_that_it_would_go_by(drive: Driver) -> None:
    loop, hotline = drive.town.site.loop, Actor(ActorKind.HOTLINE, source="12345")
    limits = []
    for place in ({"area_code": "370701001"}, {"area_code": "370702001"}):
        form = IntakeForm.model_validate(order("a1", place=place))
        with drive.town.database.read() as session:
            limits.append(foresee(loop, session, form, hotline).limit)
    assert limits == ["5 个工作日", "7 个工作日"]


async def test_an_area_that_there_is_not_is_not_foreseen_either(drive: Driver) -> None:
    form = IntakeForm.model_validate(order("a1", place={"area_code": "999"}))
    with drive.town.database.read() as session, pytest.raises(BadInput, match="没有这个属地"):
        foresee(drive.town.site.loop, session, form, Actor(ActorKind.HOTLINE, source="12345"))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("channel=电话", "没有写用哪个流程"),
        ("colour=red -> kuiwen@1", "没有“colour”"),
        ("channel=电话 -> kuiwen", "名称@版本"),
        ("nowhere.yaml", "WUYE_WORKFLOW_BY 有误"),
    ],
)
def test_a_rule_that_cannot_be_is_told_in_words(written: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        workflow_rules(written)


def test_the_rules_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "by.yaml"
    file.write_text(
        '- {area: "370703", use: zichuan@1}\n- {channel: [联合检查, 巡查], use: kuiwen@2}\n', encoding="utf-8"
    )
    rules = workflow_rules(str(file))
    assert rules.of("12345", "电话", "3707/370703/37070301/") == "zichuan@1"
    assert rules.of("12345", "巡查", "3707/") == "kuiwen@2"
    assert rules.of("12345", "电话", "3707/") is None


def test_a_shipped_base_is_found_whatever_folders_are_set(tmp_path: Path) -> None:
    assert bases(tmp_path / "city@1.yaml", (tmp_path,))("standard@1") is not None
