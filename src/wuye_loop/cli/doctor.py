"""`wuye-loop doctor`: what is wrong with this installation, in words."""

from collections.abc import Iterator
from dataclasses import asdict

import typer

from wuye_loop.cli import checkup
from wuye_loop.cli.checkup import Remark
from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import AsJson, DataDir, settings_for
from wuye_loop.cli.output import out, print_json, words_of
from wuye_loop.postgres.place import place
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database, server_urls

_MARKS = {"ok": "[green]正常[/]", "warning": "[yellow]留意[/]", "wrong": "[red]有误[/]"}


def doctor(*, data: DataDir = None, as_json: AsJson = False) -> None:
    """Say what is wrong with this installation, and change nothing."""
    remarks: list[Remark] = []
    for remark in _remarks(settings_for(data)):
        remarks.append(remark)
        if not as_json:
            out.print(f"{_MARKS[remark.level]} {remark.topic}：", end="")
            out.print(remark.words, markup=False)
    level = checkup.worst(remarks)
    if as_json:
        print_json({"level": level, "remarks": [asdict(remark) for remark in remarks]})
    if level == "wrong":
        raise typer.Exit(1)


def _remarks(settings: Settings) -> Iterator[Remark]:
    yield from checkup.machine(settings)
    if settings.database_url is None and (not settings.data.exists() or place(settings.data).written_by() is None):
        yield Remark("warning", "数据库", f"{settings.data} 里还没有数据库：第一次 wuye-loop up 时建立")
        return
    try:
        with server_urls(settings) as (url, owner_url):
            yield from _inside(Database(url, owner_url=owner_url, pool_size=2, statement_timeout_ms=0), settings)
    except Exception as error:
        words = words_of(error)
        if words is None:
            raise
        yield Remark("wrong", "数据库", words)


def _inside(database: Database, settings: Settings) -> Iterator[Remark]:
    time = clock()
    try:
        answers = list(checkup.server(database, time.now))
        yield from answers
        if database.current_revision() == database.head_revision() and not database.lacking():
            yield from checkup.protection(database)
            if database.unprotected():
                return
            with database.read() as session:
                yield from checkup.contents(session, settings, time.now())
    finally:
        database.dispose()
