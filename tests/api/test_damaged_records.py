"""One damaged record never blinds a list, an inbox, a sweep or a tool: it is shown as damaged, and the rest goes on."""

from datetime import timedelta

import pytest
from tests.site import Driver

from wuye_loop import metrics
from wuye_loop.domain.errors import RecordDamaged
from wuye_loop.queries.explain.explain import explain
from wuye_loop.queries.verification.verify import verify

pytestmark = pytest.mark.anyio

#: What somebody did by SQL to the grievance %(id)s.
DAMAGES = {
    "a version that nobody published": "UPDATE grievance SET workflow = 'gone@1' WHERE id = %(id)s",
    "a state that the rules do not have": "UPDATE grievance SET state = 'nowhere' WHERE id = %(id)s",
    "a stage that nobody knows": "UPDATE grievance SET stage = 'eighth' WHERE id = %(id)s",
    "data that are a list": "UPDATE grievance SET data = '[]' WHERE id = %(id)s",
    "counts that are a number": "UPDATE grievance SET counts = '3' WHERE id = %(id)s",
    "an endless time of receipt": "UPDATE grievance SET received_at = 'infinity' WHERE id = %(id)s",
    "a time of receipt before Christ": "UPDATE grievance SET received_at = '0044-03-15 BC' WHERE id = %(id)s",
    "an endless limit": "UPDATE grievance SET due_at = '-infinity' WHERE id = %(id)s",
    "clocks that are empty": "UPDATE clock SET image = '{}', packed = NULL WHERE grievance_id = %(id)s",
    "clocks that are a list": "UPDATE clock SET image = '[1]' WHERE grievance_id = %(id)s",
    "a clock that is endless": "UPDATE clock SET due_at = '-infinity' WHERE grievance_id = %(id)s",
    "clocks of another name": "UPDATE clock SET name = 'x' || name WHERE grievance_id = %(id)s",
    "rungs that are endless": "UPDATE rung SET at = '-infinity' WHERE grievance_id = %(id)s",
    "tasks of a kind that nobody knows": "UPDATE task SET kind = 'paint' WHERE grievance_id = %(id)s",
    "tasks in a state that nobody knows": "UPDATE task SET state = 'paint' WHERE grievance_id = %(id)s",
    "tasks whose data are a word": "UPDATE task SET data = '\"x\"' WHERE grievance_id = %(id)s",
    "ledger rows that changed nothing": "UPDATE ledger SET changes = '{}', packed = NULL WHERE grievance_id = %(id)s",
    "ledger rows that changed a word": "UPDATE ledger SET changes = '\"x\"', packed = NULL WHERE grievance_id = %(id)s",
    "ledger rows whose tasks have no id": "UPDATE ledger SET changes = '{\"tasks\": [{}]}', packed = NULL WHERE grievance_id = %(id)s",
    "a grievance whose bytes are none": "UPDATE grievance SET packed = '' WHERE id = %(id)s",
    "ledger rows whose bytes are none": "UPDATE ledger SET packed = '' WHERE grievance_id = %(id)s",
    "clocks whose bytes are none": "UPDATE clock SET packed = substr(packed, 1, 9) WHERE grievance_id = %(id)s",
    "ledger rows whose facts are a list": "UPDATE ledger SET facts = '[]' WHERE grievance_id = %(id)s",
    "ledger rows of nobody": "UPDATE ledger SET actor = '7' WHERE grievance_id = %(id)s",
    "ledger rows at no time": "UPDATE ledger SET at = 'infinity' WHERE grievance_id = %(id)s",
}
#: What reads many grievances: who asks, what, and by which key an item names its grievance.
LISTS = (
    ("supervisor", "/v1/grievances?limit=100", "number"),
    ("hotline", "/v1/grievances", "number"),
    ("market", "/v1/inbox?tab=all", "number"),
    ("market", "/v1/inbox?tab=overdue", "number"),
    ("property-centre", "/v1/inbox?tab=all", "number"),
    ("supervisor", "/v1/supervision/overdue", "number"),
    ("supervisor", "/v1/supervision/orders", "grievance"),
    ("supervisor", "/v1/documents", "grievance"),
)
OF_ONE = ("", "/ledger", "/clocks", "/tasks", "/routing")


async def lived(driver: Driver) -> tuple[str, str]:
    """Bring two matters to where they have tasks, documents and overdue clocks; return their numbers."""
    numbers = [await driver.push(f"a{n}", complainant={"name": f"王{n}", "phone": f"1380000000{n}"}) for n in (1, 2)]
    for number in numbers:
        await driver.walk(number, "accept", "sign")
        await driver.post(
            "supervisor",
            "/v1/supervision/orders",
            {"grievance": number, "document": "督办单", "demand": "快办"},
            expect=201,
        )
    driver.town.advance(timedelta(days=20))
    return numbers[0], numbers[1]


def damage(driver: Driver, number: str, statement: str) -> None:
    """Do by SQL what the program never does."""
    with driver.town.database.begin() as session:
        connection = session.connection()
        connection.exec_driver_sql("ALTER TABLE ledger DISABLE TRIGGER USER")
        connection.exec_driver_sql(statement, {"id": driver.town.grievance(number).id})
        connection.exec_driver_sql("ALTER TABLE ledger ENABLE TRIGGER USER")


@pytest.mark.parametrize("statement", DAMAGES.values(), ids=DAMAGES.keys())
async def test_a_damaged_record_is_shown_as_damaged_and_the_rest_goes_on(driver: Driver, statement: str) -> None:
    bad, good = await lived(driver)
    before = [(await driver.get(who, path))["items"] for who, path, _ in LISTS]
    damage(driver, bad, statement)

    for (who, path, name), was in zip(LISTS, before, strict=True):
        found = (await driver.get(who, path))["items"]
        assert [item for item in found if item[name] == good] == [item for item in was if item[name] == good], path
        for item in found:
            if item.get("damaged"):
                assert item[name] in (bad, None), path
                assert item.keys() | {"external_id"} == {*was[0], "damaged", "external_id"}, (
                    path
                )  # whose it is, is not known
    await driver.get("supervisor", "/v1/supervision/summary?by=area")
    for part in OF_ONE:
        await driver.get("supervisor", f"/v1/grievances/{good}{part}")
        answer = await driver.client.get(f"/v1/grievances/{bad}{part}", headers=driver.headers("supervisor"))
        assert answer.status_code == 200 or answer.json()["type"] == "/problems/record-damaged", (part, answer.text)

    with driver.town.database.read() as session:
        driver.town.site.loop.reference.refresh(session)
        try:
            assert explain(driver.town.site.loop, session, bad)["number"] == bad
        except RecordDamaged as error:
            said = error.detail
        else:
            said = ""
    assert not said or "损坏" in said or "不在" in said
    report = verify(driver.town.site.loop, driver.town.database)
    assert not report.ok
    assert report.grievances == 2
    assert all(bad in words for words in report.problems), report.problems

    driver.town.clock.advance(timedelta(days=90))
    swept = driver.town.sweep()
    assert swept.fired > 0, "the other's rungs fire"
    assert swept.failed <= 1
    await driver.act("hotline", good, "urge")


async def test_what_is_damaged_is_counted(driver: Driver) -> None:
    bad, _ = await lived(driver)
    counter = metrics.damaged_records_total.labels("grievances")
    before = counter._value.get()
    damage(driver, bad, DAMAGES["a state that the rules do not have"])
    items = (await driver.get("supervisor", "/v1/grievances"))["items"]
    (item,) = [item for item in items if item.get("damaged")]
    assert (item["number"], item["state"], item["state_title"], item["estate"]) == (bad, "nowhere", None, "E1")
    assert counter._value.get() == before + 1
    shown = await driver.get("supervisor", f"/v1/grievances/{bad}")
    assert (shown["damaged"], shown["number"]) == (True, bad)
    await driver.act("market", bad, "finish", {}, expect=500)


async def test_a_damaged_clock_leaves_its_grievance_to_be_read_and_not_to_be_acted_on(driver: Driver) -> None:
    bad, _ = await lived(driver)
    damage(driver, bad, DAMAGES["clocks that are empty"])
    shown = await driver.get("supervisor", f"/v1/grievances/{bad}")
    assert (shown["damaged"], shown["state"]) == (True, "supervised")
    assert shown["damaged_parts"]
    clocks = (await driver.get("supervisor", f"/v1/grievances/{bad}/clocks"))["items"]
    assert all(clock["damaged"] for clock in clocks)
    refused = await driver.act("market", bad, "finish", {}, expect=500)
    assert refused["type"] == "/problems/record-damaged"
    assert "doctor" in refused["detail"]


async def test_a_damaged_seal_of_one_of_a_family_hides_its_words_and_no_list(driver: Driver) -> None:
    bad, good = await lived(driver)
    other = await driver.push("a3", complainant={"name": "王三", "phone": "13800000003"})
    await driver.act("property-centre", other, "merge", {"into": bad, "reason": "同一件"})
    before = [(await driver.get(who, path))["items"] for who, path, _ in LISTS]
    damage(driver, other, "UPDATE complainant SET ciphertext = 'x' WHERE grievance_id = %(id)s")
    for (who, path, name), was in zip(LISTS, before, strict=True):
        found = (await driver.get(who, path))["items"]
        assert [item for item in found if item[name] == good] == [item for item in was if item[name] == good], path
        hidden = [item for item in found if item[name] in (bad, other)]
        assert {(item["title"], item["damaged"]) for item in hidden} <= {("***", True)}, path
