"""`wuye-loop key`: who may call."""

from dataclasses import asdict
from typing import Annotated

import typer

from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import AsJson, DataDir, opened
from wuye_loop.cli.output import Refused, group, print_json, print_table
from wuye_loop.ports import SystemIds
from wuye_loop.store.keys import api_keys

commands = group()


@commands.command("create")
def create(
    role: Annotated[str, typer.Option("--role", metavar="hotline|unit|supervisor|admin|auditor", help="角色")],
    unit: Annotated[str | None, typer.Option("--unit", metavar="CODE", help="单位编码（unit 必填）")] = None,
    area: Annotated[str | None, typer.Option("--area", metavar="CODE", help="属地编码；不写是全部")] = None,
    days: Annotated[int | None, typer.Option("--days", metavar="N", help="有效天数；不写不过期")] = None,
    source: Annotated[str | None, typer.Option("--source", metavar="NAME", help="热线来源名，默认 12345")] = None,
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="可凭理由查看诉求人身份（物业企业不可）")] = False,
    data: DataDir = None,
) -> None:
    """发放密钥：只显示这一次，标准输出上只有密钥本身。 / make a key; printed once, alone."""
    with opened(data) as database, database.begin() as session:
        made = api_keys.create(
            session,
            role=role,
            unit=unit,
            area=area,
            days=days,
            reveal=reveal,
            source=source,
            now=clock().now(),
            ids=SystemIds(),
        )
    typer.echo(made)


@commands.command("revoke")
def revoke(
    which: Annotated[str, typer.Argument(metavar="KEY_OR_PREFIX", help="整个密钥，或 key list 里的开头")],
    *,
    data: DataDir = None,
) -> None:
    """吊销密钥，一秒内生效。 / revoke a key."""
    with opened(data) as database, database.begin() as session:
        revoked = api_keys.revoke(session, which, clock().now())
    if not revoked:
        raise Refused("没有这样的有效密钥；用 key list 查看")
    typer.echo(f"已吊销 {revoked} 把密钥", err=True)


@commands.command("list")
def list_keys(*, data: DataDir = None, as_json: AsJson = False) -> None:
    """列出密钥，新的在前；看不到密钥本身。 / list keys."""
    with opened(data) as database, database.read() as session:
        rows = api_keys.listed(session)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    print_table(
        "密钥",
        ("开头", "角色", "单位", "属地", "来源", "权限", "到期", "吊销"),
        (
            (
                *(row.prefix, row.role, row.unit_code, row.area_code, row.source, " ".join(row.scopes)),
                *(f"{at:%Y-%m-%d}" if at else None for at in (row.expires_at, row.revoked_at)),
            )
            for row in rows
        ),
    )
