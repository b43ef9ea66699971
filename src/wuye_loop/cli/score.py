"""`wuye-loop score`, `publish`, `explain-score`: a period's scores, their publication, and why a score is what it is."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from wuye_loop.cli.database import AsJson, DataDir, settings_for
from wuye_loop.cli.output import err, print_json, print_table
from wuye_loop.cli.serving import open_site
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR
from wuye_loop.loop.evaluate import closing, publication, schedule
from wuye_loop.queries.assessment import tables
from wuye_loop.store.assessment import periods, voices

Which = Annotated[str, typer.Argument(metavar="SCHEME", help="考核办法：名称（取最新版）或 名称@版本")]
PeriodCode = Annotated[
    str, typer.Option("--period", metavar="P", help="考核期：2026-11、2026-W48、2026-11-29、2026-Q4、2026-H2、2026")
]


def score(
    which: Which,
    *,
    period: PeriodCode,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只算不封账，考核期没有结束也可以算")] = False,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Score a period: freeze it when its time has come, or show how it stands."""
    with open_site(settings_for(data)) as site:
        if dry_run:
            with site.database.read() as session:
                shown = tables.draft(site.loop, session, which, period)
        else:
            with site.database.begin() as session:
                place = schedule.place_of(session, which, period)
                found = periods.find(session, place.scheme.name, period)
                if found is None or found.state == "due":
                    closing.close(site.loop, session, which, period, SYSTEM_ACTOR)
                shown = tables.table(site.loop, session, SYSTEM_ACTOR, which, period)
    if as_json:
        print_json(shown)
    else:
        _print(shown)


def publish(which: Which, *, period: PeriodCode, data: DataDir = None, as_json: AsJson = False) -> None:
    """Publish a closed period: its bulletin is numbered, and what the lists bring comes about, each once."""
    with open_site(settings_for(data)) as site, site.database.begin() as session:
        jobs = publication.publish(site.loop, session, which, period, SYSTEM_ACTOR)
        site.jobs.defer(session, jobs)
        shown = tables.table(site.loop, session, SYSTEM_ACTOR, which, period)
        brought = [
            {name: getattr(row, name) for name in ("subject", "peer", "consequence", "grievance", "document")}
            for row in voices.consequences(session, str(shown["scheme"]).partition("@")[0], period)
        ]
    if as_json:
        print_json({**shown, "brought": brought})
        return
    _print(shown)
    for row in brought:
        typer.echo(f"{row['subject']} {row['peer']}：{_came(row)}")


def explain_score(
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="考核对象：单位、小区或属地的编码")],
    *,
    period: PeriodCode,
    scheme: Annotated[str | None, typer.Option("--scheme", metavar="SCHEME", help="考核办法，只有一个时不用写")] = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say why a subject has its score: every item with its counts, its formula and how many cases are behind it."""
    with open_site(settings_for(data)) as site, site.database.read() as session:
        which = scheme or _only(session, period, subject)
        shown = tables.explained(site.loop, session, SYSTEM_ACTOR, which, period, subject)
    if as_json:
        print_json(shown)
        return
    typer.echo(f"{shown['subject_name']} {shown['period_title']} {shown['part_title']}（第 {shown['revision']} 版）")
    for group in shown["groups"]:
        head = f"{group['peer_name'] or '全部'}：得分 {group['total'] or group['apart']}，名次 {group['rank'] or '—'}"
        typer.echo(f"\n{head}")
        for item in group["items"]:
            typer.echo(f"  {item['title']}：{_blank(item['points'])} 分 = {item['formula']}{_counts(item['figure'])}")
        for one in group["brought"]:
            typer.echo(f"  {one['list_title']}带来的处置 {one['title']}：{_came(one)}")


def _came(row: Mapping[str, Any]) -> str:
    """Say what a list brought to somebody."""
    if row["document"]:
        return f"签发 {row['document']}"
    return f"立案 {row['grievance']}" if row["grievance"] else "记信用分"


def _only(session: Any, period: str, subject: str) -> str:
    """Return the one scheme that has a result of the subject in this period."""
    closed = [one for one in periods.every(session, published=False) if one.period == period]
    names = {one.name for one in closed if periods.results(session, one.id, subject)}
    if len(names) != 1:
        raise typer.BadParameter("这个对象这一期有几个（或没有）考核，请写 --scheme")
    return names.pop()


def _counts(figure: Mapping[str, Any] | None) -> str:
    if figure is None or figure["denominator"] is None:
        return ""
    left = f"，剔除 {figure['excluded']}" if figure["excluded"] else ""
    return f"（{figure['title']} {figure['numerator']}/{figure['denominator']}{left}）"


def _print(shown: Mapping[str, Any]) -> None:
    rows: Sequence[Mapping[str, Any]] = shown["items"]
    states = {"draft": "试算", "closed": "已封账", "published": "已公布"}
    title = f"{shown['title']} {shown['period_title']}（{states[str(shown['state'])]}）"
    cells = [
        (row["peer_name"], row["rank"], row["subject_name"], row["total"] or row["apart"], row["orders"])
        for row in rows
    ]
    print_table(title, ("分组", "名次", "考核对象", "得分", "工单"), cells)
    for one in shown["lists"]:
        names = "、".join(f"{row['subject_name']} {row['total']}" for row in one["members"]) or "没有"
        typer.echo(f"{one['title']}：{names}")
    if shown["state"] == "closed":
        err.print("已封账，还没有公布：wuye-loop publish", style="yellow")


def _blank(value: object) -> str:
    return "—" if value is None else str(value)
