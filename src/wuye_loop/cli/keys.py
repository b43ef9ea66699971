"""`wuye-loop key`: who may call, and who holds which key."""

import getpass
import os
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import AsJson, DataDir, opened
from wuye_loop.cli.output import ZONE, Refused, err, group, print_json, print_table
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.access import holders
from wuye_loop.domain.privacy.access.api_keys import digest
from wuye_loop.domain.privacy.access.holders import UNNAMED
from wuye_loop.domain.privacy.access.key_rules import POWERS
from wuye_loop.domain.time import spans
from wuye_loop.ports import SystemIds
from wuye_loop.store.keys import api_keys

commands = group()
Which = Annotated[str, typer.Argument(metavar="KEY_OR_PREFIX", help="整个密钥，或 key list 里的开头")]
Days = Annotated[int | None, typer.Option("--days", metavar="N", help="有效天数；不写不过期")]


@commands.command("create")
def create(
    role: Annotated[str, typer.Option("--role", metavar="hotline|unit|supervisor|admin|security|auditor", help="角色")],
    holder: Annotated[str | None, typer.Option("--holder", metavar="姓名 工号", help="持有人；不写是未具名")] = None,
    unit: Annotated[str | None, typer.Option("--unit", metavar="CODE", help="单位编码（unit 必填）")] = None,
    area: Annotated[
        str | None, typer.Option("--area", metavar="CODE", help="属地编码（督办、管理员、审计）；不写是全部")
    ] = None,
    days: Days = None,
    source: Annotated[str | None, typer.Option("--source", metavar="NAME", help="热线来源名，默认 12345")] = None,
    *,
    reveal: Annotated[
        bool | None,
        typer.Option("--reveal/--no-reveal", help="可否凭理由查看诉求人身份；热线默认可，单位默认不可，别的都不可"),
    ] = None,
    data: DataDir = None,
) -> None:
    """发放密钥：只显示这一次，标准输出上只有密钥本身。 / make a key; printed once, alone."""
    with opened(data) as database, database.begin() as session:
        _warn_of_two_powers(session, role, holder)
        made = api_keys.create(
            session,
            role=role,
            unit=unit,
            area=area,
            days=days,
            reveal=reveal,
            source=source,
            holder=holder,
            by=terminal(),
            now=clock().now(),
            ids=SystemIds(),
        )
    typer.echo(made)


def _warn_of_two_powers(session: Session, role: str, holder: str | None) -> None:
    """Say so where one person would hold two of the three powers: whoever has the data folder may do so all the same."""
    now = clock().now()
    theirs = {
        row.role
        for row in api_keys.listed(session)
        if row.role in POWERS and row.live(now) and row.holder is not None
        if holder is not None and holders.may_be_same(row.holder, holder)
    }
    if role in POWERS and theirs - {role}:
        err.print("留意：这位持有人已有另一种管理密钥；三种权力应由三个人担任", style="yellow", markup=False)


@commands.command("rotate")
def rotate(
    which: Which,
    overlap: Annotated[
        str, typer.Option("--overlap", metavar="7d", help="旧密钥再用多久：7d、24h、30m；0d 立即停用；至多 30d")
    ] = "7d",
    days: Annotated[
        int | None, typer.Option("--days", metavar="N", help="新密钥有效天数；不写则与旧的当初一样长")
    ] = None,
    *,
    data: DataDir = None,
) -> None:
    """换一个新密钥：持有人、权限不变，新旧并用一段时间。标准输出上只有新密钥。 / a new secret, the old one lives on a while."""
    try:
        span = spans.elapsed(overlap)
    except ValueError:
        raise typer.BadParameter("要写天、小时、分钟，如 7d、24h、30m", param_hint="--overlap") from None
    with opened(data) as database, database.begin() as session:
        now = clock().now()
        row = api_keys.the_one(session, which, now)
        made = api_keys.rotate(session, row, overlap=span, now=now, ids=SystemIds(), by=terminal(), days=days)
        old = api_keys.by_id(session, row.id)
    if old is not None and old.expires_at is not None:
        err.print(f"旧密钥 {old.prefix}… 用到 {_at_terminal(old.expires_at)}", markup=False)
    typer.echo(made.text)


@commands.command("name")
def name(
    which: Which,
    holder: Annotated[str, typer.Option("--holder", metavar="姓名 工号", help="持有人")],
    *,
    data: DataDir = None,
) -> None:
    """给未具名的密钥写明持有人；写明了的不能改。 / say who holds a key that names nobody."""
    with opened(data) as database, database.begin() as session:
        now = clock().now()
        api_keys.name(session, api_keys.the_one(session, which, now), holder, now, terminal())


@commands.command("revoke")
def revoke(
    which: Annotated[
        str | None, typer.Argument(metavar="[KEY_OR_PREFIX]", help="整个密钥，或 key list 里的开头")
    ] = None,
    holder: Annotated[str | None, typer.Option("--holder", metavar="姓名 工号", help="这个人的全部密钥")] = None,
    *,
    data: DataDir = None,
) -> None:
    """吊销密钥，或一个人的全部密钥，一秒内生效。 / revoke a key, or all keys of a holder."""
    if (which is None) == (holder is None):
        raise typer.BadParameter("写一把密钥，或者写 --holder，二者择一")
    with opened(data) as database, database.begin() as session:
        now = clock().now()
        if holder is not None:
            revoked = len(api_keys.end_holder(session, holder, now, terminal()))
        else:
            revoked = api_keys.revoke(session, which or "", now, terminal())
    if not revoked:
        raise Refused("没有这样的有效密钥；用 key list 查看")
    typer.echo(f"已吊销 {revoked} 把密钥", err=True)


@commands.command("list")
def list_keys(*, data: DataDir = None, as_json: AsJson = False) -> None:
    """列出密钥，新的在前：谁的、谁发的、何时用过；看不到密钥本身。 / list keys."""
    with opened(data) as database, database.read() as session:
        rows = api_keys.listed(session)
    names = {str(row.id): row.holder or UNNAMED for row in rows}
    if as_json:
        print_json([asdict(row) | {"holder": row.holder or UNNAMED} for row in rows])
        return
    print_table(
        "密钥",
        (*("开头", "持有人", "角色", "单位", "属地", "来源", "权限"), *("发放", "谁发的", "最近使用", "到期", "吊销")),
        (
            (
                *(row.prefix, row.holder or UNNAMED, row.role, row.unit_code, row.area_code, row.source),
                *(" ".join(row.scopes), _day(row.created_at), by_whom(row.made_by, names)),
                *(_at_terminal(row.last_used_at), _day(row.expires_at), _day(row.revoked_at)),
            )
            for row in rows
        ),
    )


def by_whom(mark: Any, names: dict[str, str]) -> str | None:
    """Return who made or ended a key, for people."""
    if "key" in mark:
        return names.get(mark["key"], str(mark["key"]))
    return f"命令行（{mark['terminal']}）" if "terminal" in mark else None


def terminal() -> dict[str, Any]:
    """Return who sits at this terminal, as the system knows them: the account that became root, where sudo says so."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError, ImportError):
        account = str(os.getuid())
    return {"terminal": os.environ.get("SUDO_USER") or account}


def keeper(session: Session, key_file: Path | None) -> Actor:
    """Return whose key stands in a file, or on standard input: at a terminal too, a second person is known by a key.

    Raises Refused where it is no live key.
    """
    text = key_file.read_text(encoding="utf-8") if key_file is not None and str(key_file) != "-" else sys.stdin.read()
    row = api_keys.find(session, digest(text.strip()), clock().now())
    if row is None:
        raise Refused("这不是有效的密钥")
    return api_keys.actor_of(row)


def _day(at: datetime | None) -> str | None:
    return f"{at.astimezone(ZONE):%Y-%m-%d}" if at else None


def _at_terminal(at: datetime | None) -> str | None:
    return f"{at.astimezone(ZONE):%Y-%m-%d %H:%M}" if at else None
