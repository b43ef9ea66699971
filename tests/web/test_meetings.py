from pathlib import Path

import pytest
from tests.site import build, keys_for
from tests.stories.zichuan_town import UNITS
from tests.web.browsing import account, browsing

from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio
MINUTES = "联席会议纪要"


async def test_what_is_stuck_is_put_on_the_agenda_and_the_minutes_open_a_task(
    database: Database, tmp_path: Path
) -> None:
    """In a city whose file has meetings: the company asks, the community's party branch convenes and decides."""
    town = build(database, data=tmp_path, workflow="zichuan@1", units=UNITS, keys=keys_for(UNITS))
    for unit in ("company-1", "party-1"):
        account(town, unit, "unit", unit=unit)
    async with browsing(town) as visitors:
        number = await visitors.api.push(category="物业服务合同履行")
        await visitors.api.act("platform", number, "accept")
        await visitors.api.act("company-1", number, "sign")
        company, party = await visitors.person("company-1"), await visitors.person("party-1")
        await company.go(f"/g/{number}")
        await company.send(f"/g/{number}/open/meeting_item", matter="物业合同到期，续聘还是另选")
        page = await party.go("/meetings")
        assert "待议 1 项" in page.text
        (task,) = [one.id for one in visitors.api.tasks(number, "meeting_item")]
        await party.go(f"/g/{number}")
        await party.send(f"/t/{task}/do/admit")
        await party.go("/meetings")
        page = await party.send("/meetings", expect=403, text="谁也没有勾选")
        assert "请先勾选" in page.text
        page = await party.send("/meetings", expect=404, item="WY260302-NOTTHERE")  # taken from one's sight meanwhile
        assert "没有这一件，或它不在您的管辖范围内" in page.text
        await party.go("/meetings")
        line = {"line_unit": "housing", "demand": "组织业主大会", "deadline": "2026-04-24"}
        page = await party.send("/meetings", item=number, **line)
        assert "川联〔2026〕1号" in page.text
        assert number in page.text
        assert [one.holder_unit for one in visitors.api.tasks(number, "meeting_task")] == ["housing"]
        page = await party.go("/meetings")
        assert "没有待议的事项" in page.text
