"""What is said of a deadline that went over to another version: it was not started anew, and each line was true then."""

from typing import Any

import pytest
from tests.cli.test_explain import deadline, explained, town
from tests.loop.versions import publish, renamed, version
from tests.site import Driver, at

from wuye_loop.loop import migrate
from wuye_loop.store.database import Database

THREE = ("- {is: 5 workdays, source:", "- {is: 3 workdays, source:")
HOURS = ('hours: ["08:30-12:00", "13:30-17:30"]', 'hours: ["08:30-12:00", "13:30-17:00"]')


def go(driver: Driver, text: str, *, new_limits: bool = False) -> None:
    """Take everybody over to a version."""
    made = driver.town
    name = publish(made, text)
    way = made.run(lambda session: migrate.mapping(made.site.loop, session, "kuiwen@1", name, new_limits=new_limits))
    list(migrate.migrate(made.site.loop, made.database, way))


async def handled(driver: Driver) -> str:
    number = await driver.push(category="违规收费")
    await driver.walk(number, "accept", "sign")
    return number


async def extended(driver: Driver, number: str) -> None:
    task = await driver.open("market", number, "extension", {"days": 2, "reason": "等配件"})
    await driver.on_task("command-office", task["id"], "approve")


def said(found: dict[str, Any], part: str) -> str:
    """Return the one sentence that has this in it."""
    (sentence,) = [words for words in found["words"] if part in words]
    return str(sentence)


@pytest.mark.anyio
async def test_a_limit_set_anew_does_not_start_the_clock_anew(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await handled(driver)
        driver.town.clock.set(at("2026-03-04 10:00"))
        go(driver, renamed(2, THREE), new_limits=True)
        row = driver.town.folder(number).entries[-1].seq
        found = deadline(explained(driver, number), "process")
    assert said(found, "起算；").startswith(f"由台账第 2 行“受理”起算；第 {row} 行换版时重定为 3 个工作日；适用第 4 条")
    assert "2026-03-02（周一）09:00 开始" in said(found, " 开始，")
    assert said(found, "换为") == (
        "2026-03-04（周三）10:00 由 kuiwen@1 换为 kuiwen@2：时限由 5 个工作日（下一工作日起算）改为 3 个工作日（下一工作日起算），"
        "仍从原来的起点算，到期由 2026-03-09（周一）17:30 变为 2026-03-05（周四）17:30。"
    )
    assert found["agrees"]


@pytest.mark.anyio
async def test_a_limit_that_makes_it_late_and_a_rung_passed_over_are_said_to_be_the_moves_doing(
    database: Database,
) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await handled(driver)
        driver.town.clock.set(at("2026-03-06 10:00"))
        go(driver, renamed(2, THREE), new_limits=True)
        found = deadline(explained(driver, number), "process")
    assert said(found, "换为").endswith("变为 2026-03-05（周四）17:30，当时即已逾期。")
    assert said(found, "第 1 级").endswith("：换版时已经过了，跳过。")


@pytest.mark.anyio
async def test_other_office_hours_move_a_kept_limit_and_what_was_before_is_told_as_it_was(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await handled(driver)
        driver.town.clock.set(at("2026-03-03 10:00"))
        await extended(driver, number)
        driver.town.clock.set(at("2026-03-04 10:00"))
        go(driver, version(2, HOURS))
        driver.town.clock.set(at("2026-03-05 10:00"))
        await extended(driver, number)
        found = deadline(explained(driver, number), "handle")
    moves = [words for words in found["words"] if "到期由" in words]
    assert [words[words.index("到期由") :] for words in moves] == [
        "到期由 2026-03-09（周一）17:30 变为 2026-03-11（周三）17:30。",
        "到期由 2026-03-11（周三）17:30 变为 2026-03-11（周三）17:00。",
        "到期由 2026-03-11（周三）17:00 变为 2026-03-13（周五）17:00。",
    ]
    assert moves[1].startswith(
        "2026-03-04（周三）10:00 由 kuiwen@1 换为 kuiwen@2：沿用原来的时限，按新版的办公时间重算，"
    )
    assert "换版时重定" not in "".join(found["words"])
    assert found["agrees"]


@pytest.mark.anyio
async def test_what_happened_before_is_told_in_the_titles_of_then(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await handled(driver)
        await extended(driver, number)
        go(driver, version(2, ("    title: 延期申请\n", "    title: 展期申请\n")))
        found = deadline(explained(driver, number), "handle")
    assert "因“延期申请”的“同意延期”（指挥部办公室）" in said(found, "延长 2 个工作日")
    assert said(found, "换为").endswith("沿用原来的时限，到期不变。")


@pytest.mark.anyio
async def test_a_rung_whose_moment_is_past_is_said_not_to_have_fired(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await handled(driver)
        driver.town.clock.set(at("2026-03-07 09:00"))  # nobody sweeps
        found = deadline(explained(driver, number), "handle")
    assert said(found, "第 1 级").endswith("应于 2026-03-06（周五）17:30 触发，到点未触发。")
    assert said(found, "下一级").endswith("下一级，将于 2026-03-09（周一）17:30 触发。")


@pytest.mark.anyio
async def test_a_pause_is_told_to_the_minute_so_that_the_sum_is_right(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await handled(driver)
        task = await driver.open("market", number, "suspension", {"until": "2026-03-20", "reason": "等材料"})
        await driver.on_task("command-office", task["id"], "approve")
        driver.town.clock.set(at("2026-03-04 10:10"))
        await driver.act("market", number, "resume")
        found = deadline(explained(driver, number), "handle")
    assert "停了 2 个工作日 1 小时 10 分钟" in said(found, "接着走")
    assert "变为 2026-03-12（周四）09:40。" in said(found, "接着走")


@pytest.mark.anyio
async def test_a_version_that_has_been_removed_is_said_to_be_gone(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        made = driver.town
        number = await handled(driver)
        go(driver, version(2))
        made.run(lambda session: session.connection().exec_driver_sql("DELETE FROM workflow WHERE id = 'kuiwen@1'"))
        made.run(lambda session: session.connection().exec_driver_sql("UPDATE epoch SET workflows = workflows + 1"))
        found = deadline(explained(driver, number), "handle")
    assert "由台账第 2 行“受理”起算；那时的规则 kuiwen@1 已经删除，说不出适用哪一条。" in found["words"]
