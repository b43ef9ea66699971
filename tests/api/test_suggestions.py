"""What is suggested, from the door to the figures: a published model, the desk that sees it, how routers did."""

from datetime import timedelta
from typing import Any

import pytest
from tests.site import DIRECTORY, Driver, driving, keys_for, order, town_on

from wuye_loop.cli import learn as learn_cli
from wuye_loop.domain.suggesting.model import Model, written
from wuye_loop.store.database import Database
from wuye_loop.store.workflows import models

pytestmark = pytest.mark.anyio
SHIPPED = Model.shipped()
RISING = "/v1/supervision/rising"
SUMMARY = "/v1/supervision/summary?by=router"
LIFT: dict[str, Any] = {"title": "三号楼电梯停运", "body": "电梯坏了五天没人修，维保单位一直不来，老人下不了楼。"}


def publish(driver: Driver, name: str) -> None:
    """Publish the shipped model under a name, and let it suggest."""
    from wuye_loop.domain.suggesting import model  # noqa: PLC0415 only here is its file asked for

    file = model._SHIPPED.read_bytes()

    def work(session: Any) -> None:
        models.publish(session, name, file, driver.town.now)
        models.choose(session, name, driver.town.now)

    driver.town.run(work)


async def test_without_a_model_the_words_of_the_file_suggest_and_the_desk_is_told(driver: Driver) -> None:
    number = await driver.push(**LIFT)
    said = (await driver.get("property-centre", f"/v1/grievances/{number}/actions"))["suggestion"]
    assert (said["category"], said["by"]) == ("电梯", "patterns")
    assert "电梯" in said["why"][0]
    assert "model" not in said


async def test_a_published_model_suggests_with_its_reasons_and_is_pinned_in_the_ledger(driver: Driver) -> None:
    publish(driver, "town@1")
    receipt = await driver.post("hotline", "/v1/grievances", order("b1", **LIFT), expect=201)
    said = receipt["suggestion"]
    assert (said["category"], said["by"], said["model"]) == ("电梯", "model", SHIPPED.digest)
    assert said["confidence"] >= SHIPPED.sure
    assert said["why"]
    assert said["runner_up"] not in (None, "电梯")
    assert receipt["category"] == "电梯"
    shown = (await driver.get("property-centre", f"/v1/grievances/{receipt['number']}/actions"))["suggestion"]
    assert shown == said
    first = driver.town.folder(receipt["number"]).entries[0]
    assert first.facts["suggestion"]["model"] == SHIPPED.digest


async def test_a_given_category_stays_and_an_earlier_model_can_be_put_back(driver: Driver) -> None:
    publish(driver, "town@1")
    receipt = await driver.post("hotline", "/v1/grievances", order("c1", category="公共收益", **LIFT), expect=201)
    assert (receipt["category"], receipt["suggestion"]["category"]) == ("公共收益", "电梯")
    driver.town.run(models.stop)
    receipt = await driver.post("hotline", "/v1/grievances", order("c2", **LIFT), expect=201)
    assert receipt["suggestion"]["by"] == "patterns"
    driver.town.run(lambda session: models.choose(session, "town@1", driver.town.now))
    receipt = await driver.post("hotline", "/v1/grievances", order("c3", **LIFT), expect=201)
    assert receipt["suggestion"]["by"] == "model"


async def test_the_hotline_sees_no_suggestion_at_its_actions(driver: Driver) -> None:
    number = await driver.push(**LIFT)
    assert (await driver.get("hotline", f"/v1/grievances/{number}/actions"))["suggestion"] is None


ROUTED = """extends: standard@1
name: learned
version: 1
title: 照学习所得转办
routers:
  - {kind: learned, units: {电梯: market, 违规收费: market}, sure: 0.6}
  - {kind: desk}
"""


async def test_a_learned_router_names_the_unit_and_its_accuracy_is_a_figure_with_its_base(database: Database) -> None:
    from wuye_loop.domain.rulefile.extends import bundle  # noqa: PLC0415
    from wuye_loop.store.workflows.files import bases  # noqa: PLC0415

    text = bundle(ROUTED, "learned@1.yaml", bases(None, ()))
    keys = keys_for(DIRECTORY)
    with town_on(database, workflow="learned@1", texts={"learned@1": text}, keys=keys) as town:
        async with driving(town) as driver:
            publish(driver, "town@1")
            held, sent_back, changed, _waiting = [await driver.push(f"d{n}", **LIFT) for n in range(4)]
            for number in (held, sent_back):
                await driver.act("property-centre", number, "accept")
            trace = (await driver.get("supervisor", f"/v1/grievances/{held}/routing"))["items"][-1]
            assert SHIPPED.digest[:12] in str(trace)
            assert "因为" in str(trace)
            reason = {"reason": "非本单位职责", "legal_basis": "职责清单第三条"}
            await driver.act("market", sent_back, "send_back", reason)
            town.advance(timedelta(minutes=1))
            await driver.act("property-centre", changed, "classify", {"category": "公共收益"})
            found = await driver.get("supervisor", SUMMARY)
            (row,) = found["items"]
            assert (row["key"], row["title"], row["proposed"]) == ("learned", "学习所得", 4)
            assert (row["held"], row["returned"], row["waiting"]) == (1, 1, 2)
            assert row["accuracy"] == {"numerator": 1, "denominator": 2, "excluded": 2, "rate": 0.5}
            assert found["total"]["proposed"] == 4


BY_UNIT = ROUTED.replace("units: {电梯: market, 违规收费: market}, sure: 0.6", "sure: 0.5")


async def test_units_are_learned_from_where_grievances_came_to_rest_after_all_returns(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wuye_loop.domain.rulefile.extends import bundle  # noqa: PLC0415
    from wuye_loop.store.workflows.files import bases  # noqa: PLC0415

    text = bundle(BY_UNIT, "learned@1.yaml", bases(None, ()))
    noise = {"title": "半夜施工噪音扰民", "body": "工地通宵施工，楼里的人睡不着", "category": "噪音扰民"}
    lift = {**LIFT, "category": "电梯"}
    with town_on(database, workflow="learned@1", texts={"learned@1": text}, keys=keys_for(DIRECTORY)) as town:
        async with driving(town) as driver:
            for n in range(12):
                told = lift if n % 2 else noise
                number = await driver.push(
                    f"d{n}", **{**told, "body": f"{told['body']}，{'甲乙丙丁戊己庚辛壬癸子丑'[n]}栋"}
                )
                await driver.act("property-centre", number, "accept")
                first, last = ("fire", "company-1") if n % 2 else ("company-1", "fire")
                await driver.act("property-centre", number, "route", {"unit": first})
                reason = {"reason": "非本单位职责", "legal_basis": "职责清单第三条"}
                await driver.act(first, number, "send_back", reason)
                await driver.act("property-centre", number, "route", {"unit": last})
            with town.database.read() as session:
                examples = learn_cli.examples_of(models.decided(session, town.now - timedelta(days=1)))
            assert {(one.category, one.unit) for one in examples} == {("电梯", "company"), ("噪音扰民", "fire")}
            rules = town.site.loop.reference._rules["learned@1"]
            monkeypatch.setattr(learn_cli, "MADE_UP", 300)  # they teach categories, which nothing here asks for
            numbers, figures = learn_cli.learned([*examples, *examples], rules.scoring, "town")
            assert figures["单位，五折"].accuracy == 1.0
            file = written(numbers)
            town.run(lambda session: models.publish(session, "town@2", file, town.now))
            town.run(lambda session: models.choose(session, "town@2", town.now))
            number = await driver.push("e1", **lift)
            said = (await driver.get("property-centre", f"/v1/grievances/{number}/actions"))["suggestion"]
            assert said["unit"] == "company"
            await driver.act("property-centre", number, "accept")
            assert town.grievance(number).lead_unit == "company-1"
            trace = (await driver.get("supervisor", f"/v1/grievances/{number}/routing"))["items"][-1]
            assert "以往这样的多归小区的物业企业" in str(trace)


async def test_one_matter_told_by_several_is_found_for_the_desk_with_its_likeness(driver: Driver) -> None:
    told: dict[str, Any] = {
        "title": "小区旁搅拌站噪音扰民",
        "body": "北面的搅拌站日夜开工，灰尘和噪音让我们没法睡觉。",
        "category": "噪音扰民",
    }
    first = await driver.push("e1", **told)
    other: dict[str, Any] = {
        "title": "搅拌站灰尘太大",
        "body": "小区北面的搅拌站日夜开工，噪音和灰尘让我们没法睡觉。",
        "category": "环境卫生",
    }
    second = await driver.push("e2", **other)
    await driver.push("e3", **LIFT)
    found = await driver.get("property-centre", f"/v1/grievances/{first}/similar")
    assert [item["number"] for item in found["items"]] == [second]  # whatever its category
    assert found["family"] == 2
    assert found["threshold"] <= found["items"][0]["likeness"] < 1
    await driver.get("hotline", f"/v1/grievances/{first}/similar", expect=403)
    await driver.get("property-centre", "/v1/grievances/WY260302-00000000/similar", expect=404)


async def test_a_rising_matter_is_told_to_supervisors_and_not_before_there_is_a_past(driver: Driver) -> None:
    for n in range(6):
        await driver.push(f"f{n}", **LIFT)
    assert (await driver.get("supervisor", RISING))["items"] == []
    driver.town.advance(timedelta(days=60))
    for n in range(6):
        await driver.push(f"g{n}", title="半夜施工噪音扰民", body="工地通宵施工", category="噪音扰民")
    (item,) = (await driver.get("supervisor", RISING))["items"]
    assert (item["estate"], item["category"], item["count"]) == ("E1", "噪音扰民", 6)
    assert item["expected"] < 1
    await driver.get("hotline", RISING, expect=403)
