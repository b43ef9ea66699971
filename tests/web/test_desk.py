import pytest
from tests.site import Town, order, town_on
from tests.web.browsing import ORIGIN, account, browsing

from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio
BODY = "三号楼电梯停运两天了，家里有老人下不了楼。"


async def test_the_desk_shows_who_called_before_what_is_alike_where_it_goes_and_until_when(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push(body=BODY)
        seat = await visitors.person("seat")
        await seat.go("/desk")
        before = town.scalar("SELECT count(*) FROM grievance")
        page = await seat.send("/desk/look", **look(seat, phone="138 1234 5678", estate="幸福苑", body=BODY))
        for words in (number, "区market部门", "3 月 9 日（周一）17:30 前答复", "很像", "这个号码 1 件"):
            assert words in page.text, words
        assert page.form("/desk").values["body"] == BODY
        assert town.scalar("SELECT count(*) FROM grievance") == before
        fragment = await seat.client.post(
            "/desk/look", data=page.form("/desk").values, headers={"X-Fragment": "1", "Origin": ORIGIN}
        )
        assert number in fragment.text
        assert "<html" not in fragment.text


def look(seat: object, **fields: str) -> dict[str, str]:
    """Press the button that looks: the form is the desk's, the address another."""
    page = seat.page  # type: ignore[attr-defined]
    page.form("/desk").action = "/desk/look"
    return fields


async def test_a_complaint_is_taken_down_once_with_its_three_way_call(town: Town) -> None:
    async with browsing(town) as visitors:
        seat = await visitors.person("seat")
        await seat.go("/desk")
        form = seat.page
        for _ in range(2):
            seat.page = form
            page = await seat.send(
                "/desk", estate="E1", body=BODY, outcome="转办", said="物业说配件没到", **{"with": "安居物业"}
            )
            assert "已收" in page.text
        (row,) = town.rows("SELECT * FROM grievance")
        assert row.extra == {"three_way": {"with": "安居物业", "outcome": "转办", "said": "物业说配件没到"}}
        assert row.title == BODY
        assert row.estate_code == "E1"


async def test_what_is_wrong_is_said_at_its_place_and_nothing_typed_is_lost(town: Town) -> None:
    async with browsing(town) as visitors:
        seat = await visitors.person("seat")
        await seat.go("/desk")
        page = await seat.send("/desk", expect=422, phone="1" * 30, body=BODY)
        assert "过长" in page.text
        assert page.form("/desk").values["body"] == BODY
        await seat.send("/desk", expect=422, phone="", body="")


async def test_callbacks_are_listed_and_rated_from_the_desk(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push()
        await visitors.api.walk(number, "accept", "sign")
        for task in visitors.api.tasks(number, "assist"):
            await visitors.api.on_task("market", task.id, "withdraw", {"reason": "不用"})
        await visitors.api.walk(number, "finish", "approve")
        seat = await visitors.person("seat")
        page = await seat.go("/callbacks")
        assert number in page.text
        await seat.go(f"/g/{number}")
        await seat.send(f"/g/{number}/do/rate", contacted="true", solved="解决", satisfied="满意")
        assert town.grievance(number).state == "closed"


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "{{7*7}}{% raw %}",
    "</textarea><script>alert(1)</script>",
    "javascript:alert(1)",
    "＜script＞ 𠮷 👨‍👩‍👧 \u202etxt",
    "&lt;b&gt; &amp; %00 %0d%0a",
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_text_on_every_page_that_shows_it(town: Town, text: str) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push(title=text, body=f"电梯 {text}", category=text[:100])
        await visitors.api.act("property-centre", number, "accept")
        chief, seat, centre = [await visitors.person(who) for who in ("chief", "seat", "property-centre")]
        for browser, paths in (
            (chief, ("/search", f"/g/{number}", f"/g/{number}/file", "/board")),
            (seat, ("/search", f"/g/{number}", "/search?q=%3Cscript%3Ealert(1)%3C/script%3E")),
            (centre, ("/inbox", f"/g/{number}")),
        ):
            for path in paths:
                page = await browser.go(path)
                assert page.inline == []
                assert "49" not in page.heads
                assert "<script>alert" not in browser.raw
                assert "<img src=x" not in browser.raw
                assert "<svg/onload" not in browser.raw


async def test_a_city_without_meetings_says_so(database: Database) -> None:
    with town_on(database) as town:
        account(town, "centre", "unit", unit="property-centre")
        async with browsing(town) as visitors:
            centre = await visitors.person("centre")
            page = await centre.go("/meetings")
            assert "现在的流程没有会议" in page.text


BEFORE = ("", '">', "'>", "</td>", "</textarea>", "</title>", "-->", "{{", "]]>", "\\")
CORES = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "<a href=javascript:alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>", "<math><mtext><style><img src=x onerror=alert(1)>",
)  # fmt: skip
AFTER = ("", "<!--", "}}", "&#x3c;", "\u2028")
PAYLOADS = [f"{before}{core}{after}" for before in BEFORE for core in CORES for after in AFTER]


async def test_three_hundred_hostile_titles_are_three_hundred_titles(town: Town) -> None:
    assert len(PAYLOADS) == 300
    async with browsing(town) as visitors:
        items = [order(f"p{n}", title=text, body=f"电梯 {text}", category=text) for n, text in enumerate(PAYLOADS)]
        made = (await visitors.api.post("hotline", "/v1/grievances:batch", {"items": items}))["items"]
        assert {one["status"] for one in made} == {201}
        shown = 0
        chief, centre = await visitors.person("chief"), await visitors.person("property-centre")
        for browser, path in ((chief, "/search"), (centre, "/inbox")):
            following: str | None = path
            while following:
                page = await browser.go(following)  # which holds that nothing runs or styles inline
                assert "alert(1)>" not in browser.raw.replace("alert(1)&gt;", "")
                assert all(one.startswith("/static/") for one in page.assets)
                assert not [one for one in page.links if not one.startswith(("/", "#"))]
                shown += sum(one.startswith("/g/") for one in page.links)
                following = next((one for one in page.links if "cursor=" in one and "lang=" not in one), None)
        assert shown == 2 * len(PAYLOADS)
