"""`wuye-loop user`: who may sign in to the pages."""

from dataclasses import asdict
from typing import Annotated

import typer

from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import AsJson, DataDir, opened
from wuye_loop.cli.output import Refused, group, print_json, print_table
from wuye_loop.domain.privacy.access import passwords
from wuye_loop.edge.sign_in import salt
from wuye_loop.ports import SystemIds
from wuye_loop.store.keys import accounts, sessions
from wuye_loop.store.keys.accounts import AccountRow, AccountWish

commands = group()
_BY = "命令行"
_FIRST_BYTES = 12
_SECRET = ("password", "totp", "totp_used")

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="用户名")]


@commands.command("create")
def create(
    login: Login,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="姓名，只在本系统里显示")],
    role: Annotated[str, typer.Option("--role", metavar="hotline|unit|supervisor|admin|auditor", help="角色")],
    unit: Annotated[str | None, typer.Option("--unit", metavar="CODE", help="单位编码（unit 必填）")] = None,
    area: Annotated[str | None, typer.Option("--area", metavar="CODE", help="属地编码；不写是全部")] = None,
    source: Annotated[str | None, typer.Option("--source", metavar="NAME", help="热线来源名，默认 12345")] = None,
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="可凭理由查看诉求人身份（物业企业不可）")] = False,
    data: DataDir = None,
) -> None:
    """开一个人的账号：标准输出上只有首次口令，第一次登录就要换。 / make an account; prints its first password, alone."""
    ids = SystemIds()
    password = ids.token(_FIRST_BYTES)
    wish = AccountWish(login, name, role, unit, area, source, reveal)
    with opened(data) as database, database.begin() as session:
        accounts.create(session, wish, passwords.hashed(password, salt(ids)), clock().now(), ids, _BY)
    typer.echo(password)


@commands.command("disable")
def disable(login: Login, *, data: DataDir = None) -> None:
    """停用账号，会话立即结束。 / close an account and end its sessions."""
    ids, now = SystemIds(), clock().now()
    with opened(data) as database, database.begin() as session:
        row = accounts.find(session, login)
        if row is None or row.disabled_at is not None:
            raise Refused("没有这个在用的账号；用 user list 查看")
        accounts.change(session, row.id, disabled_at=now)
        accounts.note(session, row.id, "disabled", _BY, now, ids)
        ended = sessions.end(session, row.id, now)
    typer.echo(f"已停用，结束了 {ended} 个会话", err=True)


@commands.command("reset")
def reset(
    login: Login,
    *,
    totp: Annotated[bool, typer.Option("--totp", help="连动态口令一起清除，重新绑定")] = False,
    data: DataDir = None,
) -> None:
    """重设口令（并解除锁定、结束会话）：标准输出上只有新口令。 / a new first password."""
    ids, now = SystemIds(), clock().now()
    password = ids.token(_FIRST_BYTES)
    kept = passwords.hashed(password, salt(ids))
    values: dict[str, object] = {"password": kept, "must_change": True, "failures": 0, "locked_until": None}
    if totp:
        values |= {"totp": None, "totp_used": 0}
    with opened(data) as database, database.begin() as session:
        row = accounts.find(session, login)
        if row is None or row.disabled_at is not None:
            raise Refused("没有这个在用的账号；用 user list 查看")
        if row.subject is not None:
            raise Refused("这个人用统一身份认证登录，口令不在这里")
        accounts.change(session, row.id, **values)
        accounts.note(session, row.id, "reset", _BY, now, ids)
        sessions.end(session, row.id, now)
    typer.echo(password)


@commands.command("list")
def list_users(*, data: DataDir = None, as_json: AsJson = False) -> None:
    """列出账号。 / list accounts."""
    with opened(data) as database, database.read() as session:
        rows = accounts.listed(session)
    if as_json:
        print_json([_plain(row) for row in rows])
        return
    print_table(
        "账号",
        ("用户名", "姓名", "角色", "单位", "属地", "动态口令", "停用"),
        (
            (row.login, row.name, row.role, row.unit_code, row.area_code, "有" if row.totp else "无",
             f"{row.disabled_at:%Y-%m-%d}" if row.disabled_at else None)
            for row in rows
        ),
    )  # fmt: skip


def _plain(row: AccountRow) -> dict[str, object]:
    return {name: value for name, value in asdict(row).items() if name not in _SECRET}
