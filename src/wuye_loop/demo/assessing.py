"""评价考核 in the play: the owners' voices, the month that is over scored and published, the one that runs tried."""

import asyncio
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from wuye_loop.demo.district import district
from wuye_loop.demo.doors import together
from wuye_loop.demo.scene import HOTLINE, SUPERVISOR, Scene
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR
from wuye_loop.edge.site import Site
from wuye_loop.loop.evaluate import closing
from wuye_loop.queries.assessment import bulletin, tables
from wuye_loop.queries.assessment.sheets import drawn

_VOICES: Final = 3  # flats of each company that speak: as many as make it count
_STEPS, _KIND = 40, 0.7
_LOWEST: Final = 60
_SHOWN: Final = 12
_SENTENCES: Final = 6


async def speak(scene: Scene, scheme: str, period: str) -> None:
    """Let the owners say what they think of their company, each flat once."""
    await together(
        scene.doors.say(HOTLINE, f"/v1/assessments/{scheme}/{period}/inputs", form)
        for company, street in _companies()
        for form in _said(scene, company, street, period)
    )


def _companies() -> list[tuple[str, str]]:
    """Return every company with each street in which it runs an estate."""
    document = district()
    areas = {area["code"]: area for area in document["areas"]}

    def street(code: str) -> str:
        area = areas[code]
        return code if area["level"] == "street" else street(area["parent"])

    return sorted({(one["company"], street(one["area"])) for one in document["estates"] if one["company"]})


def _said(scene: Scene, company: str, street: str, period: str) -> list[dict[str, Any]]:
    return [
        {
            "input": "owners", "subject": company, "peer": street, "flat": f"{company}-{street}-{flat}",
            "score": _LOWEST + sum(scene.chance.happens(_KIND, "owner", company, street, period, flat, step) for step in range(_STEPS)),
        }
        for flat in range(_VOICES)
    ]  # fmt: skip


async def show(console: Console, site: Site, scene: Scene, scheme: str, over: str, running: str, folder: Path) -> None:
    """Publish the month that is over and try the one that runs; print the scores, the lists, a credit ledger, a bulletin."""
    await asyncio.to_thread(closing.close_due, site.loop, site.database, jobs=site.jobs)
    listed = (await scene.doors.one(SUPERVISOR, "/v1/assessments"))["items"]
    if any(one["period"] == over for one in listed):
        await _publish(console, site, scene, scheme, over, folder)
    _scores(console, f"{running} 试算（没有结束，不封账）", await asyncio.to_thread(_tried, site, scheme, running))


async def _publish(console: Console, site: Site, scene: Scene, scheme: str, over: str, folder: Path) -> None:
    published = await scene.doors.say(SUPERVISOR, f"/v1/assessments/{scheme}/{over}/publish", {})
    _scores(
        console,
        f"八、评价考核：{published['period_title']}（已公布，{published['bulletin']['number']}）",
        published["items"],
    )
    for one in published["lists"]:
        console.print(f"{one['title']}：{'' if one['members'] else '没有'}", markup=False)
        for peer, members in groupby(one["members"], key=lambda row: row["peer_name"]):
            names = "、".join(f"{row['subject_name']} {row['total']}" for row in members)
            console.print(f"  {peer}：{names}" if peer else f"  {names}", markup=False)
    worst = next((row["subject"] for one in published["lists"] for row in one["members"]), None)
    if worst is not None:
        ledger = (await scene.doors.one(SUPERVISOR, f"/v1/credit/{worst}"))["ledgers"][0]
        rows = "；".join(f"{row['since']} {row['title']} {row['points']}（{row['cause']}）" for row in ledger["rows"])
        name = scene.units[worst]["name"]
        console.print(f"信用分：{name} {ledger['points']} 分，{ledger['grade']} 级。{rows}", markup=False)
    made = await asyncio.to_thread(_made, site, scheme, over)
    console.print(f"[bold]{made.title}[/]　{made.number or ''}")
    for words in made.opening[:_SENTENCES]:
        console.print(f"  {words}", markup=False)
    file = folder / f"{made.title}.docx"
    await asyncio.to_thread(file.write_bytes, drawn(made, "docx"))
    console.print(f"通报：{file}\n", markup=False, soft_wrap=True)


def _scores(console: Console, title: str, rows: list[Mapping[str, Any]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in ("分组", "名次", "物业企业", "得分", "工单"):
        table.add_column(name, justify="right" if name in ("名次", "得分", "工单") else "left")
    scored = [row for row in rows if row["total"] is not None]
    for row in scored[:_SHOWN]:
        cells = (row["peer_name"], row["rank"], row["subject_name"], row["total"], row["orders"])
        table.add_row(*("—" if cell is None else str(cell) for cell in cells))
    console.print(table)
    console.print(f"[dim]计分 {len(scored)} 家，另列 {len(rows) - len(scored)} 家[/]")


def _tried(site: Site, scheme: str, period: str) -> list[Mapping[str, Any]]:
    with site.database.read() as session:
        return list(tables.draft(site.loop, session, scheme, period)["items"])


def _made(site: Site, scheme: str, period: str) -> bulletin.Bulletin:
    with site.database.read() as session:
        return bulletin.of_period(site.loop, session, SYSTEM_ACTOR, scheme, period)
