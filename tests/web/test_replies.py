"""Texts offered for an answer stand above its field, fill it without a script, and what is sent is what was sent."""

from pathlib import Path

import pytest
from tests.site import FINISH, build
from tests.web.browsing import account, browsing

from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio


async def test_a_text_is_chosen_put_into_the_field_changed_and_sent(database: Database, tmp_path: Path) -> None:
    town = build(database, data=tmp_path, workflow="standard@1")
    for unit in ("property-centre", "office-1"):
        account(town, unit, "unit", unit=unit)
    async with browsing(town) as visitors:
        number = await visitors.api.push(category="电梯")
        desk = await visitors.person("property-centre")
        page = await desk.go(f"/g/{number}")
        refusing = page.form(f"/g/{number}#do-refuse")
        assert [title for _, title in refusing.choices["reply"]] == ["不属于受理范围"]
        for asked in ("reply=9", "reply=x", "reply=", "reply=99999999", "field=reason&reply=0", ""):  # no such text
            page = await desk.go(f"/g/{number}?form=do-refuse&field=public_reply&{asked}")
            assert page.form(f"/g/{number}/do/refuse").values.get("public_reply", "") == ""
        await visitors.api.act("property-centre", number, "accept", {})
        await visitors.api.act("office-1", number, "sign")
        office = await visitors.person("office-1")
        page = await office.go(f"/g/{number}")
        path = f"/g/{number}/do/finish"
        texts = page.form(f"/g/{number}#do-finish")
        assert (texts.method, texts.choices["reply"]) == ("get", [("0", "已修复"), ("1", "需要时间")])
        assert page.form(path).values.get("public_reply", "") == ""
        assert "reply" not in page.form(path).names  # what is chosen is not part of what is sent
        page = await office.send(f"/g/{number}#do-finish", reply="1")
        filled = page.form(path).values["public_reply"]
        assert filled.startswith("您反映的问题情况属实，正在处理")
        assert "没有办成" not in page.text
        form = {**FINISH, "contacted": "true", "public_reply": filled.replace("预计", "预计下周")}
        page = await office.send(path, **form)
        assert "已办：办结报送" in page.text
        rows = (await visitors.api.get("property-centre", f"/v1/grievances/{number}/ledger"))["items"]
        sent = next(row for row in rows if row["action"] == "finish")["facts"]["public_reply"]
        assert sent == form["public_reply"]
