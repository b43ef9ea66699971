import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.cli.conftest import Run
from tests.site import SEND_BACK, Driver, at, driving, town_on

from wuye_loop.queries.explain import explain
from wuye_loop.store.database import Database


@asynccontextmanager
async def town(database: Database, start: str) -> AsyncIterator[Driver]:
    """Give a driver in a town whose clock shows this Beijing time."""
    with town_on(database, start=at(start)) as made:
        async with driving(made) as driver:
            yield driver


def explained(driver: Driver, number: str, viewer: str | None = None) -> dict[str, Any]:
    with driver.town.database.read() as session:
        return explain.explain(driver.town.site.loop, session, number, viewer)


def deadline(found: dict[str, Any], clock: str) -> dict[str, Any]:
    return next(item for item in found["deadlines"] if item["clock"] == clock)


def sentences(value: Any) -> Iterator[str]:
    """Yield every sentence of an explanation."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from (inner if key == "words" else sentences(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from sentences(inner)


@pytest.mark.anyio
async def test_national_day_is_passed_over_and_its_make_up_saturday_is_counted(database: Database) -> None:
    async with town(database, "2026-09-28 09:00") as driver:
        number = await driver.push(category="电梯")
        await driver.walk(number, "accept", "sign")
        found = deadline(explained(driver, number), "handle")
    # By hand: 29 and 30 September, 8 and 9 October, and Saturday the 10th, which makes up for the holiday.
    assert found["due_at"] == found["recomputed_due_at"] == "2026-10-10T09:30:00.000000Z"
    assert found["agrees"]
    assert [item["date"] for item in found["skipped"]] == [f"2026-10-0{day}" for day in range(1, 8)]
    assert {item["name"] for item in found["skipped"]} == {"国庆节"}
    assert [(item["date"], item["weekday"]) for item in found["made_up"]] == [("2026-10-10", "周六")]
    assert "办理时限正在走，2026-10-10（周六）17:30 到期。" in found["words"]
    assert (
        "2026-09-28（周一）09:00 开始，下一工作日起算，第 1 天是 9 月 29 日（周二），第 5 天是 10 月 10 日（周六）下班。"
        in found["words"]
    )
    assert "跳过 7 天：10 月 1 日（周四）至 10 月 7 日（周三）国庆节 7 天。" in found["words"]
    assert "计入调休：10 月 10 日（周六）国庆节调休上班。" in found["words"]


@pytest.mark.anyio
async def test_qingming_is_told_by_its_name_and_a_plain_weekend_by_its_own(database: Database) -> None:
    async with town(database, "2026-04-01 09:00") as driver:
        number = await driver.push(category="电梯")
        await driver.walk(number, "accept")
        found = deadline(explained(driver, number), "handle")
        # 2, 3, 7, 8, 9 April: 4 to 6 is Qingming, a Saturday, a Sunday and a Monday.
        driver.town.clock.set(at("2026-04-15 09:00"))
        other = await driver.push("a2", category="电梯")
        await driver.walk(other, "accept")
        weekend = deadline(explained(driver, other), "handle")
    assert found["due_at"] == "2026-04-09T09:30:00.000000Z"
    assert "跳过 3 天：4 月 4 日（周六）至 4 月 6 日（周一）清明 3 天。" in found["words"]
    assert "跳过 2 天：4 月 18 日（周六）至 4 月 19 日（周日）周末 2 天。" in weekend["words"]


@pytest.mark.anyio
async def test_the_winning_line_is_told_with_its_place_and_source(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await driver.push(category="电梯", kind="咨询")
        await driver.walk(number, "accept")
        found = deadline(explained(driver, number), "handle")
        text = driver.town.scalar("SELECT text FROM workflow WHERE id = 'kuiwen@1'")
    line = 1 + text[: text.index("{when: {kind: 咨询}, is: 3 workdays}")].count("\n")
    assert (found["limit_index"], found["limit_place"]) == (2, f"kuiwen@1.yaml 第 {line} 行")
    assert (
        f"由台账第 2 行“受理”起算；适用第 3 条（kuiwen@1.yaml 第 {line} 行）：咨询，3 个工作日，下一工作日起算。"
        in found["words"]
    )


@pytest.mark.anyio
async def test_a_limit_stays_what_it_was_when_the_facts_change_and_that_is_said(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await driver.push(category="电梯")
        await driver.act("property-centre", number, "classify", {"urgency": "特急"})
        found = deadline(explained(driver, number), "accept")
    assert found["limit_index"] == 1
    said = "".join(found["words"])
    assert (
        "起算以后紧急程度由“平急”改为“特急”；按现在的事实会是第 1 条（特急 30 分钟），但时限在起算时定下，不随之改变"
        in said
    )
    assert found["agrees"]


@pytest.mark.anyio
async def test_an_approved_extension_is_told_with_who_approved_it_and_what_it_moved(database: Database) -> None:
    async with town(database, "2026-09-28 09:00") as driver:
        number = await driver.push(category="电梯")
        await driver.walk(number, "accept", "sign")
        driver.town.clock.set(at("2026-09-28 11:00"))
        task = await driver.open("market", number, "extension", {"days": 3, "reason": "等配件"})
        await driver.on_task("command-office", task["id"], "approve")
        found = deadline(explained(driver, number), "handle")
    # From Saturday the 10th: 12, 13, 14 October; Sunday the 11th does not count.
    assert found["due_at"] == "2026-10-14T09:30:00.000000Z"
    assert (
        "2026-09-28（周一）11:00 延长 3 个工作日，因“延期申请”的“同意延期”（指挥部办公室），"
        "到期由 2026-10-10（周六）17:30 变为 2026-10-14（周三）17:30。"
    ) in found["words"]
    assert (
        "跳过 8 天：10 月 1 日（周四）至 10 月 7 日（周三）国庆节 7 天；10 月 11 日（周日）周末 1 天。"
        in found["words"]
    )
    assert "照此重算，到期是 2026-10-14（周三）17:30，与存下的一致。" in found["words"]


@pytest.mark.anyio
async def test_a_pause_is_told_with_how_long_the_clock_stood_still(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await driver.push(category="电梯")
        await driver.walk(number, "accept", "sign")
        task = await driver.open("market", number, "suspension", {"until": "2026-03-20", "reason": "等材料"})
        await driver.on_task("command-office", task["id"], "approve")
        held = deadline(explained(driver, number), "handle")
        driver.town.clock.set(at("2026-03-04 10:00"))
        await driver.act("market", number, "resume")
        found = deadline(explained(driver, number), "handle")
    assert held["status"] == "paused"
    assert (
        "第 2 级，到期时发“红牌警示”、系统做“升级督办”给承办单位，抄送督办人员：时限停着，接着走时再定。"
        in held["words"]
    )
    assert "2026-03-02（周一）09:00 暂停，因“挂起”（系统）。" in found["words"]
    # Two office days of seven and a half hours, and the hour from nine to ten.
    assert (
        "2026-03-04（周三）10:00 接着走，停了 2 个工作日 1 小时，因“恢复办理”（区market部门），"
        "到期由 2026-03-09（周一）17:30 变为 2026-03-12（周四）09:30。"
    ) in found["words"]
    assert found["agrees"]


@pytest.mark.anyio
async def test_rungs_are_told_as_fired_next_and_later(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await driver.push(category="电梯")
        await driver.walk(number, "accept", "sign")
        driver.town.advance(at("2026-03-06 18:00"))
        words = deadline(explained(driver, number), "handle")["words"]
    assert "第 1 级，到期前 1 个工作日发“黄牌预警”给承办单位：已于 2026-03-06（周五）17:30 触发。" in words
    assert any(said.endswith("抄送督办人员：下一级，将于 2026-03-09（周一）17:30 触发。") for said in words)
    assert sum("下一级" in said for said in words) == 1


@pytest.mark.anyio
async def test_a_deadline_in_a_year_without_a_notice_is_provisional(database: Database) -> None:
    async with town(database, "2026-12-30 09:00") as driver:
        number = await driver.push(category="电梯")
        await driver.walk(number, "accept")
        found = deadline(explained(driver, number), "handle")
    assert found["provisional"]
    assert "这是暂定的：涉及的年份还没有公布放假通知，通知装入后重算。" in found["words"]
    assert "元旦" in {item["name"] for item in found["skipped"]}


@pytest.mark.anyio
async def test_a_stored_deadline_that_does_not_follow_is_found_out(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await driver.push(category="电梯")
        await driver.walk(number, "accept")

        def tamper(session: Any) -> None:
            session.connection().exec_driver_sql(
                "UPDATE clock SET due_at = '2026-03-31T09:30:00Z' WHERE name = 'handle'"
            )

        driver.town.run(tamper)
        found = deadline(explained(driver, number), "handle")
    assert not found["agrees"]
    said = "注意：照此重算，到期是 2026-03-09（周一）17:30，与存下的 2026-03-31（周二）17:30 不一致。"
    assert said in found["words"]


@pytest.mark.anyio
async def test_why_this_unit_follows_the_ledger_with_each_routers_word_and_who_sent_it_back(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await driver.push(category="电梯")
        await driver.walk(number, "accept")
        first = explained(driver, number)["unit"]
        await driver.act("market", number, "send_back", SEND_BACK)
        back = explained(driver, number)["unit"]
        await driver.act("property-centre", number, "route", {"unit": "housing"})
        found = explained(driver, number)["unit"]
    assert first["unit"] == "market"
    assert "　职责清单：选中，第 2 条成立：类别 为 电梯 → 区market部门；协办安居物业。" in first["words"]
    assert "2026-03-02（周一）09:00 “退单”（区market部门）：主办单位放手。" in back["words"]
    assert "现在没有主办单位。" in back["words"]
    assert "本轮退回过此件的单位，转办时不再考虑：区market部门。" in found["words"]
    assert "2026-03-02（周一）09:00 “转办”（区物业中心）：定为区housing部门。" in found["words"]
    assert found["words"][-1] == "职责分离：区物业中心本轮以“区物业发展服务中心”的身份办过，不能再作“承办单位”。"


@pytest.mark.anyio
async def test_an_action_says_who_may_take_it_and_what_blocks_each(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await driver.push(category="电梯")
        await driver.walk(number, "accept", "sign")
        found = explained(driver, number)
    said = [words for item in found["actions"] for words in item["words"]]
    assert "“办结报送”——承办单位（区market部门）不能做：需要：“协办”都已办完（现为 1）。" in said
    assert "“升级督办”——系统可以做；督办人员可以做。" in said
    assert "“协办”（安居物业）的“协办签收”——持有单位（安居物业）可以做。" in said
    assert "“申请延期”（任务“延期申请”）——承办单位（区market部门）可以做。" in said
    assert found["standing"]["words"][1] == "由区market部门持有：这个状态归“承办单位”，它是主办单位。"
    assert [item["title"] for item in found["ended"]] == ["受理时限", "转办时限", "签收时限"]


@pytest.mark.anyio
async def test_a_unit_is_told_what_blocks_it_also_in_other_states(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await driver.push(category="电梯")
        await driver.walk(number, "accept", "sign")
        market = [words for item in explained(driver, number, "market")["actions"] for words in item["words"]]
        centre = [words for item in explained(driver, number, "property-centre")["actions"] for words in item["words"]]
        supervisor = [words for item in explained(driver, number, "supervisor")["actions"] for words in item["words"]]
    assert "“先行联系”——可以做。" in market
    assert "“办结报送”——不能做：需要：“协办”都已办完（现为 1）。" in market
    assert "“签收”——不能做：要在“待签收”才能做，现在是“承办中”。" in market
    assert "“先行联系”——不能做：要由承办单位（区market部门）来做。" in centre
    assert "“升级督办”——可以做。" in supervisor
    assert "“签发督办单”（任务“督办单”）——可以做。" in supervisor


@pytest.mark.anyio
async def test_nothing_of_the_complainant_is_in_an_explanation(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await driver.push(category="电梯")
        await driver.walk(number, "accept", "sign")
        told = json.dumps(explained(driver, number), ensure_ascii=False)
    assert "电梯" in told
    assert not [secret for secret in ("张三丰", "13812345678", "老人", "停运") if secret in told]


@pytest.mark.anyio
async def test_every_sentence_ends_and_none_is_said_twice_of_one_clock(database: Database) -> None:
    async with town(database, "2026-03-02 09:00") as driver:
        number = await driver.push(category="电梯")
        states = []
        for step in ("accept", "sign"):
            await driver.walk(number, step)
            driver.town.advance(timedelta(hours=1))
            states.append(explained(driver, number))
    for found in states:
        assert all(said.endswith("。") for said in sentences(found))
        assert all(len(set(item["words"])) == len(item["words"]) for item in found["deadlines"])


# --- the command ----------------------------------------------------------------------------------------------------


def a_number(url: str) -> str:
    with psycopg.connect(Database(url).conninfo) as connection:
        row = connection.execute("SELECT number FROM grievance ORDER BY number LIMIT 1").fetchone()
    assert row is not None
    return str(row[0])


def test_the_command_explains_in_paragraphs_and_in_json(look: Run, lived_in: tuple[str, Path]) -> None:
    number = a_number(lived_in[0])
    shown = look("explain", number)
    assert shown.exit_code == 0
    for heading in ("现状", "为什么是这个单位", "为什么是这个期限", "动作：谁可以做，被什么挡住"):
        assert f"\n{heading}\n" in shown.stdout
    assert "受理时限正在走" in shown.stdout
    told = json.loads(look("explain", number, "--json", "--as", "supervisor").stdout)
    assert (told["number"], told["as"], told["standing"]["state"]) == (number, "supervisor", "received")
    assert told["deadlines"][0]["agrees"]


def test_an_unknown_number_and_an_unknown_viewer_are_said_in_words(look: Run, lived_in: tuple[str, Path]) -> None:
    unknown = look("explain", "WY260101-NOBODY00")
    assert unknown.exit_code == 1
    assert "没有编号为 WY260101-NOBODY00 的诉求" in unknown.stderr
    viewer = look("explain", a_number(lived_in[0]), "--as", "nobody")
    assert viewer.exit_code == 1
    assert "没有单位 nobody" in viewer.stderr


def test_a_number_in_lower_case_is_found_and_the_supervisor_is_called_by_title(
    look: Run, lived_in: tuple[str, Path]
) -> None:
    number = a_number(lived_in[0])
    shown = look("explain", number.lower(), "--as", "supervisor")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith(f"诉求 {number}\n")
    assert "\n动作（督办人员）\n" in shown.stdout
    assert "\n动作（区物业发展服务中心）\n" in look("explain", number, "--as", "property-centre").stdout
