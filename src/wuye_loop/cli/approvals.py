"""`wuye-loop approval`: what takes a second person. Who asks and who decides is known by their keys, here too."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from wuye_loop.cli.audit import every
from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import AsJson, DataDir, opened, settings_for
from wuye_loop.cli.keys import keeper
from wuye_loop.cli.output import group, print_json, print_table
from wuye_loop.domain.privacy.access.reveals import RevealBounds
from wuye_loop.loop.access import approvals
from wuye_loop.ports import SystemIds
from wuye_loop.queries import keys as key_queries
from wuye_loop.store.keys.approvals import ApprovalState

commands = group()
KeyFile = Annotated[
    Path,
    typer.Option("--key-file", metavar="FILE", help="写着自己密钥的文件，- 是标准输入：不写在命令行里，免得别人看到"),
]
_STATES = {"open": "待批", "approved": "已批准", "refused": "未批准", "used": "已领取"}


@commands.command("ask")
def ask(
    extra: Annotated[int, typer.Option("--extra", metavar="N", help="今天要多看几件")],
    reason: Annotated[str, typer.Option("--reason", help="理由")],
    key_file: KeyFile,
    *,
    data: DataDir = None,
) -> None:
    """查看身份的次数用完了，申请再加；由另一个人批准，批准的当天有效。 / ask for more reveals today."""
    settings = settings_for(data)
    with opened(data) as database, database.begin() as session:
        bounds = RevealBounds(reasons=settings.reveal_reasons)
        actor = keeper(session, key_file)
        asked = approvals.ask_for_reveals(session, actor, extra, reason, bounds, clock().now(), SystemIds())
    typer.echo(str(asked.id))


@commands.command("approve")
def approve(
    which: Annotated[UUID, typer.Argument(metavar="ID", help="approval list 里的编号")],
    key_file: KeyFile,
    note: Annotated[str | None, typer.Option("--note", help="批注")] = None,
    *,
    data: DataDir = None,
) -> None:
    """批准另一个人的申请；用安全管理员的密钥。 / approve what another asked for."""
    _decide(data, which, key_file, note, approved=True)


@commands.command("refuse")
def refuse(
    which: Annotated[UUID, typer.Argument(metavar="ID", help="approval list 里的编号")],
    key_file: KeyFile,
    note: Annotated[str | None, typer.Option("--note", help="批注")] = None,
    *,
    data: DataDir = None,
) -> None:
    """不批准；自己提出的可以这样撤回。 / refuse it."""
    _decide(data, which, key_file, note, approved=False)


def _decide(data: Path | None, which: UUID, key_file: Path, note: str | None, *, approved: bool) -> None:
    with opened(data) as database, database.begin() as session:
        approvals.decide(session, keeper(session, key_file), which, note, clock().now(), approved=approved)
    typer.echo("已批准" if approved else "未批准", err=True)


@commands.command("list")
def list_requests(
    state: Annotated[
        str | None, typer.Option("--state", metavar="open|approved|refused|used", help="只看哪一种；不写是全部")
    ] = None,
    *,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """列出要第二个人批准的申请，新的在前。 / list what waits for a second person."""
    wanted = _state(state)
    with opened(data) as database, database.read() as session:
        rows = every(session, lambda session, after: key_queries.requests(session, None, wanted, after, 200))
    if as_json:
        print_json(rows)
        return
    print_table(
        "申请",
        ("编号", "要什么", "谁", "何时", "理由", "状态", "谁批的"),
        (
            (
                *(row["id"], _wanted(row), row["asked_by"]["holder"], row["asked_at"][:16], row["reason"]),
                *(_STATES[row["state"]], row["decided_by"]["holder"] if row["decided_by"] else None),
            )
            for row in rows
        ),
    )


def _state(text: str | None) -> ApprovalState | None:
    match text:
        case None | "open" | "approved" | "refused" | "used":
            return text
        case _:
            raise typer.BadParameter("只有 open、approved、refused、used", param_hint="--state")


def _wanted(row: dict[str, Any]) -> str:
    wanted = row["wanted"]
    if row["kind"] == "reveals":
        return f"多看 {wanted['extra']} 件"
    if "rotate" in wanted:
        return f"轮换密钥 {wanted['rotate']}"
    return f"发放密钥 {wanted['make']['role']}（{wanted['make']['holder']}）"
