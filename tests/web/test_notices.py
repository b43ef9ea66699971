"""装入日历 over HTTP: which deadlines a notice moves is seen before it is taken in, by whoever may."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from tests.site import Town
from tests.web.browsing import ORIGIN, browsing

pytestmark = pytest.mark.anyio


def notice(town: Town, days: int = 5) -> dict[str, Any]:
    """Return a notice that gives the days after today off."""
    first = (town.now + timedelta(hours=8)).date()
    rows = [f"{first + timedelta(days=n)},0,临时放假" for n in range(1, days + 1)]
    return {"file": ("通知.csv", ("date,works,name\n" + "\n".join(rows)).encode())}


def dues(town: Town) -> list[Any]:
    return town.rows("SELECT due_at FROM clock WHERE status = 'running' ORDER BY id")


async def test_what_moves_is_seen_first_then_done_once_and_the_register_names_who(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push("one")
        before = dues(town)
        root = await visitors.person("root")
        await root.go("/admin/calendar")
        await root.go("/admin/calendar/import")
        page = await root.send("/admin/calendar/import", files=notice(town))
        assert "放假 5 天" in page.text
        assert f"/g/{number}" in page.links
        assert "受理时限" in page.text
        assert "没有写元旦和国庆节" in page.text
        assert dues(town) == before
        form = root.page.form("/admin/calendar/import/load")
        page = await root.send("/admin/calendar/import/load")
        assert "已经装入 5 天；调整了 1 件诉求的时限" in page.text
        assert "临时放假" in page.text
        assert dues(town)[0].due_at > before[0].due_at
        again = await root.client.post(form.action, data=form.values, headers={"Origin": ORIGIN})
        assert again.status_code == 412
        page = await root.go("/admin/audit")
        assert "装入日历 root" in page.text


async def test_a_notice_that_is_none_is_refused_in_words_and_only_the_administrator_loads_one(town: Town) -> None:
    async with browsing(town) as visitors:
        root = await visitors.person("root")
        await root.go("/admin/calendar/import")
        page = await root.send(
            "/admin/calendar/import", files={"file": ("x.csv", b"date,works\n2027-02-30,0\n")}, expect=422
        )
        assert "第 2 行：日期应写成" in page.text
        await root.send("/admin/calendar/import", files=notice(town))
        form = root.page.form("/admin/calendar/import/load")
        for packed in ("", "AAAA"):
            data = form.values | {"packed": packed}
            answer = await root.client.post(form.action, data=data, headers={"Origin": ORIGIN})
            assert answer.status_code == 422
        for login in ("auditor", "chief", "market", "seat"):
            other = await visitors.person(login)
            token = next(one.values["csrf"] for one in other.page.forms if "csrf" in one.values)
            await other.go("/admin/calendar/import", expect=403)
            answer = await other.client.post(
                form.action, data=form.values | {"csrf": token}, headers={"Origin": ORIGIN}
            )
            assert answer.status_code == 403


async def test_whose_record_is_damaged_is_told_and_the_others_are_moved(town: Town) -> None:
    async with browsing(town) as visitors:
        bad = await visitors.api.push("one")
        await visitors.api.push("two")
        with town.database.begin() as session:
            session.execute(text("UPDATE grievance SET extra = '[]' WHERE number = :bad"), {"bad": bad})
        root = await visitors.person("root")
        await root.go("/admin/calendar/import")
        await root.send("/admin/calendar/import", files=notice(town))
        page = await root.send("/admin/calendar/import/load")
        assert "已经装入 5 天；调整了 1 件诉求的时限" in page.text
        assert "1 件的记录损坏，时限没有调整：请运行 doctor" in page.text


async def test_a_damaged_workflow_is_named_and_the_deadlines_of_the_others_are_moved(town: Town) -> None:
    async with browsing(town) as visitors:
        await visitors.api.push("one")
        with town.database.begin() as session:
            lost = '{"id": "lost@1", "text": "{"}'
            session.execute(
                text(
                    "INSERT INTO workflow SELECT (jsonb_populate_record(w, CAST(:lost AS jsonb))).* FROM workflow w LIMIT 1"
                ),
                {"lost": lost},
            )
        root = await visitors.person("root")
        await root.go("/admin/calendar/import")
        page = await root.send("/admin/calendar/import", files=notice(town))
        assert "流程 lost@1 损坏，按它办理的诉求时限不动" in page.text
        page = await root.send("/admin/calendar/import/load")
        assert "已经装入 5 天；调整了 1 件诉求的时限" in page.text


async def test_the_columns_are_named_as_the_form_names_them(town: Town) -> None:
    first = (town.now + timedelta(hours=32)).date()
    async with browsing(town) as visitors:
        root = await visitors.person("root")
        for written, expect in (
            (f"日期,上班或放假,名称\n{first},放假,停电\n", 200),
            (f"日期,名称\n{first},停电\n", 422),
        ):
            await root.go("/admin/calendar/import")
            page = await root.send("/admin/calendar/import", files={"file": ("x.csv", written.encode())}, expect=expect)
            assert ("放假 1 天" if expect == 200 else "要有“日期”和“上班或放假”两列") in page.text
