import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from tests.site import Town, rules_of, text_of
from tests.web.browsing import Browser, browsing

from wuye_loop.domain.errors import RecordDamaged
from wuye_loop.loop import engine
from wuye_loop.queries import looking
from wuye_loop.store.directory.load import load_directory
from wuye_loop.store.workflows import versions
from wuye_loop.web.codes import query_code
from wuye_loop.web.resident import progress
from wuye_loop.web.resident.following import Following

pytestmark = pytest.mark.anyio

OTHER = "jinan@1"  # offers other categories
BODY = "三号楼的王老太太下不了楼，电话 13900006620。"


def blanked(browser: Browser) -> str:
    """Return the page without the one thing that differs from one visitor to the next."""
    return browser.raw.replace(browser.page.form("/r/E1").values["once"], "")


async def test_the_form_is_the_same_for_everybody_but_for_its_token_and_holds_nothing_of_who_filed_before(
    town: Town,
) -> None:
    async with browsing(town) as visitors:
        first, second = visitors.browser(), visitors.browser()
        await asyncio.gather(first.go("/r/E1"), second.go("/r/E1"))
        assert first.page.form("/r/E1").values["once"] != second.page.form("/r/E1").values["once"]
        assert blanked(first) == blanked(second)
        await first.send("/r/E1", category="电梯", body=BODY, phone="13900006620")
        await second.go("/r/E1")
        for word in ("王老太太", "13900006620"):
            assert word not in second.raw
        assert "近 30 天在办：电梯 1 件" in second.page.text
        again = await second.send("/r/E1", expect=422, category="电梯", body=BODY, phone="13900006620x" * 9)
        assert again.form("/r/E1").values["body"] == BODY  # what one filled in wrongly is shown to that one
        await first.go("/r/E1")
        assert "王老太太" not in first.raw


async def test_those_who_ask_in_the_same_moment_get_each_their_own_place_language_and_letters(town: Town) -> None:
    async with browsing(town) as visitors:
        chinese, english, elder, nowhere, codeless = (visitors.browser() for _ in range(5))
        await elder.go("/big?to=/r/E1")
        english.client.headers["Accept-Language"] = "en-GB"
        for _ in range(2):  # drawn, and drawn before
            await asyncio.gather(
                chinese.go("/r/E1"),
                english.go("/r/E1"),
                elder.go("/r/E1"),
                nowhere.go("/r/E9", expect=404),
                codeless.go("/r"),
            )
            assert "什么问题" in chinese.page.text
            assert 'lang="en"' in english.raw
            assert "什么问题" not in english.page.text
            assert 'class="big"' in elder.raw
            assert 'class="big"' not in chinese.raw
            assert "幸福苑" in chinese.page.text
            assert "幸福苑" not in codeless.page.text
            assert "estate" in codeless.page.form("/r").names
            await asyncio.gather(chinese.go("/r/E1?from=wall"), chinese.go("/r/E1"))
            assert "from=wall" not in chinese.raw


async def test_a_code_that_no_database_holds_costs_nobody_else_the_form(town: Town) -> None:
    async with browsing(town) as visitors:
        first, odd, second = (visitors.browser() for _ in range(3))
        await asyncio.gather(first.go("/r/E1"), odd.go("/r/E1%00", expect=404), second.go("/r/E1"))
        assert "幸福苑" in first.page.text
        assert "幸福苑" in second.page.text


async def test_a_form_that_was_drawn_follows_the_directory_and_the_workflow_at_once(town: Town) -> None:
    async with browsing(town) as visitors:
        resident = visitors.browser()
        await resident.go("/r/E1")
        area = town.scalar("SELECT area_code FROM estate WHERE code = 'E1'")
        renamed = {"code": "E1", "name": "新名苑", "area": area}
        town.run(lambda session: load_directory(session, {"estates": [renamed]}))
        page = await resident.go("/r/E1")
        assert "新名苑" in page.text
        assert "幸福苑" not in page.text
        assert "电梯" in page.words
        town.run(lambda session: versions.publish(session, OTHER, text_of(OTHER), town.now))
        town.site.loop = replace(town.site.loop, default_workflow=OTHER)
        page = await resident.go("/r/E1")
        assert {one.category for one in rules_of(OTHER).workflow.intake.categories} <= set(page.words)
        assert "电梯" not in page.words


async def test_what_many_file_in_the_same_moment_is_each_kept_once_and_opens_for_its_own_alone(town: Town) -> None:
    async with browsing(town) as visitors:
        residents = [visitors.browser() for _ in range(6)]
        await asyncio.gather(*(one.go("/r/E1") for one in residents))
        forms = [one.page for one in residents]
        twice = visitors.browser()
        twice.page = forms[0]  # sent a second time while the first is under way
        said = [f"第 {n} 位居民说的话，电梯坏了。" for n in range(6)]
        await asyncio.gather(
            twice.send("/r/E1", body=said[0]), *(one.send("/r/E1", body=said[n]) for n, one in enumerate(residents))
        )
        assert twice.path.partition("?")[0] == residents[0].path.partition("?")[0]
        assert len({one.path for one in residents}) == 6
        assert town.scalar("SELECT count(*) FROM grievance") == 6
        for n, one in enumerate(residents):
            assert said[n] in one.page.text
            assert not any(other in one.page.text for other in said if other != said[n])
        one, other = (browser.path.partition("?")[0].split("/")[-2:] for browser in residents[:2])
        await residents[0].go(f"/p/{other[0]}/{one[1]}", expect=404)


async def test_pages_that_are_read_together_are_each_in_its_own_language_and_one_that_fails_costs_no_other(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browsing(town) as visitors:
        residents = [visitors.browser() for _ in range(3)]
        for n, one in enumerate(residents):
            await one.go("/r/E1")
            await one.send("/r/E1", body=f"第 {n} 位居民说的话。")
        first, english, broken = residents
        english.client.headers["Accept-Language"] = "en-GB"
        number = broken.path.split("/")[-2]
        shows = progress._shows

        def failing(site: Any, session: Any, shown: str, *rest: Any) -> dict[str, Any]:
            if shown == number:
                raise RecordDamaged
            return shows(site, session, shown, *rest)

        monkeypatch.setattr(progress, "_shows", failing)
        pages = [one.path.partition("?")[0] for one in residents]
        phoned = await visitors.api.push()
        code = query_code(town.site.loop.keyring, phoned)
        await asyncio.gather(
            first.go(pages[0]),
            english.go(pages[1]),
            broken.go(pages[2], expect=RecordDamaged.status),
            visitors.browser().go(
                f"/p/{phoned}/{code}"
            ),  # what the hotline took down is not seen behind the same fence
        )
        assert "已经收到" in first.page.text
        assert 'lang="en"' in english.raw
        assert "已经收到" not in english.page.text


async def filed(visitors: Any, many: int) -> list[str]:
    """Return the numbers of grievances that residents have filed."""
    numbers = []
    for n in range(many):
        resident = visitors.browser()
        await resident.go("/r/E1")
        await resident.send("/r/E1", body=f"第 {n} 位居民说的话。")
        numbers.append(resident.path.split("/")[-2])
    return numbers


async def shown(following: Following, numbers: list[str]) -> list[Any]:
    return list(await asyncio.gather(*(following.shown(number) for number in numbers), return_exceptions=True))


async def test_where_the_database_is_away_those_who_ask_together_do_not_wait_for_it_one_after_another(
    town: Town,
) -> None:
    tried: list[str] = []

    def away(_: Any, number: str, __: Any) -> dict[str, Any]:
        tried.append(number)
        raise OperationalError("SELECT", {}, Exception("gone"))

    async with browsing(town) as visitors:
        found = await shown(Following(town.site, away), await filed(visitors, 3))
    assert [type(one) for one in found] == [OperationalError] * 3
    assert len(tried) == 1


async def test_a_record_that_the_first_look_stumbles_over_costs_no_other_its_page(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browsing(town) as visitors:
        numbers = await filed(visitors, 3)

        def stumbling(loop: Any, session: Any, number: str, actor: Any) -> Any:
            if number == numbers[1]:
                raise KeyError(number)
            return engine.seen(loop, session, number, actor)

        monkeypatch.setattr(looking, "seen", stumbling)
        found = await shown(Following(town.site, lambda _, number, __: {"number": number}), numbers)
    assert [type(one) for one in found] == [dict, KeyError, dict]
