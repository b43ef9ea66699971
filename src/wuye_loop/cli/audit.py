"""`wuye-loop audit`: who looked at whom, which keys there are, whose screen a photograph shows."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.orm import Session

from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import AsJson, DataDir, opened, settings_for
from wuye_loop.cli.keys import by_whom
from wuye_loop.cli.output import ZONE, group, print_json, print_table
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time.timestamps import from_text
from wuye_loop.queries import keys as key_queries
from wuye_loop.queries import reveals
from wuye_loop.store.keys import keyring
from wuye_loop.store.keys.api_keys import KeyFilters
from wuye_loop.store.pages import Page
from wuye_loop.store.reference_cache import Reference

commands = group()
_AUDITOR = Actor(ActorKind.AUDITOR)  # whoever has the data folder reads all of it
_PAGE = 200
T = TypeVar("T")


@commands.command("reveals")
def list_reveals(
    since: Annotated[
        str | None, typer.Option("--from", metavar="WHEN", help="从何时起：2026-03-02、2026-03-02T09:00，或带时区")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="WHEN", help="到何时止，不含；只写日期则含这一天")
    ] = None,
    key: Annotated[str | None, typer.Option("--key", metavar="ID_OR_PREFIX", help="哪把密钥")] = None,
    unit: Annotated[str | None, typer.Option("--unit", metavar="CODE", help="哪个单位的密钥")] = None,
    *,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """两个时刻之间，谁从哪里、为什么看了哪件诉求的身份，新的在前。 / who saw whom between two times."""
    first, last = _when(since, timedelta(), "--from"), _when(until, timedelta(days=1), "--to")
    reference, ring = Reference(), keyring.rings(settings_for(data)).ring

    def page(session: Session, after: Any) -> Page[dict[str, Any]]:
        return reveals.listed(
            reference, ring, session, _AUDITOR, since=first, until=last, key=key, unit=unit, after=after, limit=_PAGE
        )

    with opened(data) as database, database.read() as session:
        rows = every(session, page)
    if as_json:
        print_json(rows)
        return
    _show(rows)


@commands.command("watermark")
def watermark(
    mark: Annotated[str, typer.Argument(metavar="WATERMARK", help="照片、截图上的水印编号")],
    *,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """由水印编号查出是谁、何时、为什么看的。 / whose screen a photograph shows."""
    with opened(data) as database, database.read() as session:
        row = reveals.decoded(Reference(), keyring.rings(settings_for(data)).ring, session, _AUDITOR, mark)
    if as_json:
        print_json(row)
    else:
        _show([row])


@commands.command("keys")
def list_keys(
    holder: Annotated[str | None, typer.Option("--holder", metavar="姓名 工号", help="谁的")] = None,
    unit: Annotated[str | None, typer.Option("--unit", metavar="CODE", help="哪个单位的")] = None,
    *,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """密钥登记：谁的、能做什么、谁何时发的、何时用过、何时失效，新的在前。 / the register of keys."""
    reference, filters = Reference(), KeyFilters(holder, unit)

    def page(session: Session, after: Any) -> Page[dict[str, Any]]:
        return key_queries.listed(reference, session, _AUDITOR, filters, after, _PAGE, clock().now())

    with opened(data) as database, database.read() as session:
        rows = every(session, page)
    if as_json:
        print_json(rows)
        return
    print_table(
        "密钥登记",
        ("开头", "编号", "持有人", "角色", "单位", "权限", "发放", "谁发的", "最近使用", "到期", "吊销"),
        (
            (
                *(row["prefix"], row["id"], row["holder"], row["role"], row["unit"], " ".join(row["scopes"])),
                *(_at(row["made_at"]), _maker(row["made_by"]), _at(row["last_used_at"])),
                *(_at(row["expires_at"]), _at(row["revoked_at"])),
            )
            for row in rows
        ),
    )


def _show(rows: list[dict[str, Any]]) -> None:
    print_table(
        "查看身份",
        ("水印", "何时", "诉求", "持有人", "密钥", "角色", "单位", "从哪里", "理由"),
        (
            (
                *(row["watermark"] or "—", _at(row["at"]), row["number"], row["key"]["holder"], row["key"]["prefix"]),
                *(row["key"]["role"], row["key"]["unit"], row["from"], row["reason"]),
            )
            for row in rows
        ),
    )


def every(session: Session, page: Callable[[Session, Any], Page[T]]) -> list[T]:
    """Return what all pages hold together."""
    found: list[T] = []
    after: Any = None
    while True:
        one = page(session, after)
        found += one.items
        after = one.next
        if after is None:
            return found


def _when(text: str | None, more: timedelta, option: str) -> datetime | None:
    """Read an instant, or a day, to which `more` is added; without a zone it is the terminal's."""
    if text is None:
        return None
    try:
        if len(text) <= len("2026-03-02"):
            return datetime.combine(date.fromisoformat(text) + more, datetime.min.time(), ZONE)
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=ZONE) if at.tzinfo is None else from_text(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter("要写日期或时间，如 2026-03-02、2026-03-02T09:00", param_hint=option) from None


def _maker(made_by: dict[str, Any] | None) -> str | None:
    if made_by is None:
        return None
    return str(made_by["holder"]) if "holder" in made_by else by_whom(made_by, {})


def _at(text: str | None) -> str | None:
    return f"{from_text(text).astimezone(ZONE):%Y-%m-%d %H:%M}" if text else None
