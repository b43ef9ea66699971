"""`verify`: replay every ledger and say whether the tables, the register and the anchors still agree with it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import Progress

from wuye_loop.app import make_site
from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import AsJson, DataDir, opened, settings_for
from wuye_loop.cli.output import ZONE, Refused
from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.time.timestamps import as_text, from_text
from wuye_loop.edge.site import Site
from wuye_loop.loop.custody.adoption import adopt
from wuye_loop.queries.assessment import drift
from wuye_loop.queries.verification import anchored
from wuye_loop.queries.verification import verify as verification
from wuye_loop.queries.verification.course import BOUND, program_of
from wuye_loop.queries.verification.mark import NAME as MARK
from wuye_loop.queries.verification.mark import Mark
from wuye_loop.queries.verification.report import Report

_err = Console(stderr=True)
_STOPPED: Final = 130

Since = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%d %H:%M"], help="只核对这时以后有变动的诉求。 / only what changed since"),
]
Processes = Annotated[int, typer.Option(min=0, help="用几个进程；0 是处理器的数目。 / how many processes")]


def verify(
    data: DataDir = None,
    *,
    anchors: Annotated[bool, typer.Option("--anchors", help="再与锚文件核对。 / compare with the anchors too")] = False,
    anchors_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="锚文件（默认 WUYE_ANCHORS_FILE）。 / file of anchors")
    ] = None,
    since: Since = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="上次中断的，接着做。 / take up where the last one stopped")
    ] = False,
    processes: Processes = 0,
    as_json: AsJson = False,
) -> None:
    """Replay the ledgers; exit code 1 where anything differs."""
    start = since.replace(tzinfo=ZONE).astimezone(UTC) if since is not None else None
    settings = settings_for(data)
    with opened(data) as database:
        site = make_site(settings, database, clock=clock())
        adopted = adopt(site.loop, database)
        for words in adopted.broken:
            _err.print(words, style="red", markup=False)
        mark = Mark(settings.data / MARK, site.loop.chain)
        with mark.turn() as ours:
            _begun(site, mark if ours else None, start, resume=resume)
            before = _before(mark)
            with _kept(mark if ours else None, data, since):
                report = _verified(site, start, processes, mark if ours else None)
                with database.read_at_once() as session:
                    scores = drift.looked_over(site.loop, session)
                if anchors or anchors_file is not None:
                    with database.read() as session:
                        anchored.compare(session, site.loop.chain, anchors_file or settings.anchors, report)
            if ours:
                mark.remove()
    if before is not None:
        before["again"] = report.again
    _show(report, scores, before, as_json=as_json)
    if not report.ok or scores.broken:
        raise typer.Exit(1)


def _verified(site: Site, since: datetime | None, processes: int, mark: Mark | None) -> Report:
    with Progress(console=_err, transient=True) as progress:
        task = progress.add_task("核对台账", total=None)
        return verification.verify(
            site.loop,
            site.database,
            since=since,
            processes=processes or os.cpu_count() or 1,
            progress=lambda n: progress.update(task, completed=n),
            mark=mark,
        )


def _begun(site: Site, mark: Mark | None, since: datetime | None, *, resume: bool) -> None:
    """Take up what was interrupted where that is wanted. Raises Refused while another verification has the mark."""
    if mark is None:
        if resume:
            raise Refused("另一个 verify 正在做，它的进度别人接不了")
        _say("另一个 verify 正在做：这一次不记进度")
    elif resume:
        _take_up(site, mark, since)
    elif mark.file.exists():
        _say("上次的核对没有做完；这次从头做，要接着做用 --resume")


def _take_up(site: Site, mark: Mark, since: datetime | None) -> None:
    """Take up what was interrupted, where it can be, and say what is done of it; else say why all of it is done.

    Raises Refused where it was asked with other options: nobody means to lose it.
    """
    try:
        found = mark.take_up()
    except BadInput as error:
        _say(f"{error.detail}：一件也不跳过，从头做", style="red")
        return
    if mark.lost is not None and not found:
        _say(f"进度文件 {mark.file} 用不了（{mark.lost.strerror}）：从头做", style="red")
        return
    if not found or mark.course is None:
        _say("没有中断的核对，从头做")
        return
    course = mark.course
    if course.since != (as_text(since) if since is not None else None):
        was = f"--since {_local(course.since)} 的" if course.since is not None else "全部的"
        raise Refused(f"中断的那次核对是{was}，这次要的不同：照那次的选项接着做，或不写 --resume 从头做")
    with site.database.read() as session:
        why = course.stale(session, program_of(site.database), site.loop.clock.now())
    if why is not None:
        mark.leave()
        _say(f"{why}，不能接着做；从头做")
        return
    _say(f"接着做：{_said(_before(mark))}")


def _before(mark: Mark) -> dict[str, Any] | None:
    """Return what was done before this run of what it takes up; None where it takes up nothing."""
    if not mark.taken_up or mark.course is None:
        return None
    whole = Report()
    for one in mark.done.values():
        whole.merge(one)
    return {
        "begun": mark.course.begun, "grievances": whole.grievances, "rows": whole.rows, "findings": whole.findings,
    }  # fmt: skip


def _said(before: dict[str, Any] | None) -> str:
    if before is None:
        return ""
    counted = f"已核对 {before['grievances']} 件、台账 {before['rows']} 行，其中发现 {before['findings']} 处"
    return f"从 {_local(before['begun'])} 开始的核对，{counted}"


@contextmanager
def _kept(mark: Mark | None, data: Path | None, since: datetime | None) -> Iterator[None]:
    """Say, where it is stopped or fails, how it is taken up; Ctrl-C ends it with exit code 130."""
    try:
        yield
    except BaseException as error:
        if mark is not None and mark.lost is not None:
            _say(f"进度记不下来（{mark.lost.strerror}）：要从头做")
        elif mark is not None and mark.done and mark.course is not None:
            options = f" --data {quote(str(data))}" if data is not None else ""
            options += f" --since '{since:%Y-%m-%d %H:%M}'" if since is not None else ""
            many = sum(one.grievances for one in mark.done.values())
            until = as_text(from_text(mark.course.begun) + BOUND)
            _say(f"没有做完；已核对 {many} 件，{_local(until)} 以前可以接着做：wuye-loop verify --resume{options}")
        if isinstance(error, KeyboardInterrupt):
            raise typer.Exit(_STOPPED) from None
        raise


def _say(words: str, style: str = "yellow") -> None:
    _err.print(words, style=style, markup=False, highlight=False, soft_wrap=True)


def _local(text: str) -> str:
    return f"{from_text(text).astimezone(ZONE):%Y-%m-%d %H:%M}"


def _show(report: Report, scores: drift.Drift, before: dict[str, Any] | None, *, as_json: bool) -> None:
    if as_json:
        told = {"periods": scores.periods, "broken": scores.broken, "drifted": scores.drifted}
        typer.echo(json.dumps({**report.as_json(), "resumed": before, "assessments": told}, ensure_ascii=False))
        return
    chain = "完好" if report.chain_ok else "断裂"
    if before is not None:
        again = f"；其中 {before['again']} 件后来又有变动，再核对了一遍" if before["again"] else ""
        typer.echo(f"分几次做完：{_said(before)}{again}")
    typer.echo(f"诉求 {report.grievances} 件，台账 {report.rows} 行，时限 {report.clocks} 个")
    if report.erased:
        typer.echo(f"其中已按规定销毁 {report.erased} 件，台账照样核对")
    if report.anchors is not None:
        typer.echo(f"锚 {report.anchors} 个")
    typer.echo(f"偏差 {report.drift}，哈希链{chain}" + (f"，读不出来的 {report.damaged} 件" if report.damaged else ""))
    for words in report.problems:
        typer.echo(f"  {words}")
    if scores.periods:
        typer.echo(f"考核 {scores.periods} 期，不符 {len(scores.broken)}，封账后有变化的数字 {len(scores.drifted)}")
        for words in (*scores.broken, *scores.drifted):
            typer.echo(f"  {words}")
