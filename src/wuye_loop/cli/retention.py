"""`retention`: what is due to be destroyed, proposed by one person and approved by another; what the law holds back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from wuye_loop.app import make_site
from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import AsJson, DataDir, opened, settings_for
from wuye_loop.cli.output import group, out, print_json, print_table
from wuye_loop.domain.privacy import retention as rules
from wuye_loop.loop.custody import destruction
from wuye_loop.store import retention

commands = group()
RuleFile = Annotated[
    Path | None,
    typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="保管期限文件；不写照各流程的 results。 / rules"),
]
Person = Annotated[str, typer.Option("--by", metavar="PERSON", help="谁，如“王敏 0731”。 / who")]
Reason = Annotated[str, typer.Option(help="理由。 / why")]
Number = Annotated[str, typer.Argument(help="诉求编号。 / number")]


def _rules(file: Path | None) -> Sequence[rules.RetentionRule]:
    return rules.read(file.read_text("utf-8")) if file is not None else rules.BY_RESULT


@commands.command("due")
def due(file: RuleFile = None, data: DataDir = None, *, as_json: AsJson = False) -> None:
    """Show what is due to be destroyed; nothing is changed."""
    with opened(data) as database:
        site = make_site(settings_for(data), database, clock=clock())
        with database.read() as session:
            found = destruction.overdue(site.loop, session, _rules(file))
    if as_json:
        print_json({"due": [{"number": number, "until": until} for number, until in found]})
        return
    for number, until in found:
        out.print(f"{number} 保管到 {until[:10]}")
    out.print(f"到期 {len(found)} 件；什么也没有改。提出销毁：retention propose")


@commands.command("propose")
def propose(
    by: Person, reason: Reason, file: RuleFile = None, data: DataDir = None, *, as_json: AsJson = False
) -> None:
    """Propose what is due for destruction; a second person approves."""
    with opened(data) as database:
        site = make_site(settings_for(data), database, clock=clock())
        with database.begin() as session:
            due = destruction.overdue(site.loop, session, _rules(file))
            made = destruction.propose(site.loop, session, [number for number, _ in due], reason, by)
    if as_json:
        print_json({"list": made.id, "numbers": made.numbers})
    else:
        out.print(f"销毁清单 {made.id}：{len(made.numbers)} 件，等另一个人批准：retention approve {made.id}")


@commands.command("approve")
def approve(
    list_id: Annotated[UUID, typer.Argument(metavar="LIST", help="销毁清单。 / the list")],
    by: Person,
    data: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Approve a list that somebody else proposed: all of it is destroyed for good."""
    with opened(data) as database:
        site = make_site(settings_for(data), database, clock=clock())
        done, left = destruction.approve(site.loop, database, list_id, by)
    if as_json:
        print_json({"erased": done, "left": left})
    else:
        out.print(f"已销毁 {len(done)} 件")
        for words in left:
            out.print(words, markup=False)


@commands.command("lists")
def lists(data: DataDir = None, *, as_json: AsJson = False) -> None:
    """Show every destruction list: who proposed it, who approved it."""
    with opened(data) as database, database.read() as session:
        found = retention.lists(session)
    if as_json:
        print_json(
            {"lists": [{"list": one.id, "numbers": one.numbers, "reason": one.reason, "proposed_by": one.proposed_by,
                        "approved_by": one.approved_by} for one in found]}
        )  # fmt: skip
        return
    rows = (
        (str(one.id), str(len(one.numbers)), one.reason, one.proposed_by, one.approved_by or "待批") for one in found
    )
    print_table("销毁清单", ("清单", "件数", "理由", "提出", "批准"), rows)


@commands.command("hold")
def hold(number: Number, by: Person, reason: Reason, data: DataDir = None) -> None:
    """Keep a grievance from being destroyed (依法保留)."""
    with opened(data) as database:
        site = make_site(settings_for(data), database, clock=clock())
        with database.begin() as session:
            destruction.hold(site.loop, session, number.strip().upper(), reason, by)
    out.print(f"{number} 依法保留：不会被销毁")


@commands.command("release")
def release(number: Number, by: Person, reason: Reason, data: DataDir = None) -> None:
    """Let a held grievance be destroyed again."""
    with opened(data) as database, database.begin() as session:
        destruction.release(session, number.strip().upper(), reason, by)
    out.print(f"{number} 已解除保留")
