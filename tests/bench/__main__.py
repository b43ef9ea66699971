"""`make bench`: steps per second, each beside the limit that pgbench reaches with the same statements in this run."""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta

import orjson
from rich.console import Console
from rich.table import Table
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests.bench import client, copying, limit, serving, town
from wuye_loop import logs
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.edge.site import Site
from wuye_loop.edge.transact import taken_in
from wuye_loop.loop import handle
from wuye_loop.loop.collect import Incoming, collect

CLIENTS = 16
CROWD = 64
ROUNDS = 1 if "--quick" in sys.argv else 5
STEPS = 300  # of each kind in each round
LIMITED = 200 * CLIENTS  # of each kind in each round, by pgbench
_COUNTED = 20  # whose round trips are counted
_SLOWEST = 3  # times the median, at most
_err = Console(stderr=True)


@dataclass(slots=True)
class Row:
    """One line of the table."""

    what: str
    per_second: float
    ratio: float
    cpu_ms: float | None
    trips: int | None
    p50_ms: float | None = None
    p99_ms: float | None = None
    wanted: float | None = None

    @property
    def missed(self) -> bool:
        """Whether it is not what is wanted: of its limit, and of its slowest beside its middle."""
        slow = self.p50_ms is not None and self.p99_ms is not None and self.p99_ms > _SLOWEST * self.p50_ms
        return slow or (self.wanted is not None and self.ratio < self.wanted)


def main() -> None:
    """Measure and print; `--json` prints the rows as data."""
    logs.configure("WARNING")
    with town.installation(pool_size=CLIENTS) as (site, clock):
        keys = town.found(site)
        _err.print("准备诉求 …")
        numbers = iter(town.assigned(site, 0, (3 * STEPS + LIMITED) * ROUNDS))
        rounds = [_round(site, keys, numbers, n) for n in range(ROUNDS)]
        clock.advance(timedelta(days=40))
        fired, seconds, _ = town.swept(site)
    rows = _medians(rounds)
    rows.append(Row("督办扫描（每级）", fired / seconds, fired / seconds / rows[0].per_second, None, None))
    _print(rows)


def _round(site: Site, keys: dict[str, str], numbers: object, n: int) -> list[Row]:
    take = iter(numbers)  # type: ignore[call-overload]
    _err.print(f"第 {n + 1} 轮 …")
    http, crowd = ([next(take) for _ in range(STEPS)] for _ in range(2))
    plain = [next(take) for _ in range(STEPS)]
    with serving.server(site.database.url, site.settings.data) as (port, pid):
        steps, many = (
            _load(
                port, pid, [client.request(f"/v1/grievances/{x}/actions/sign", keys["market"], b"{}") for x in some], n
            )
            for some, n in ((http, CLIENTS), (crowd, CROWD))
        )
        orders = [orjson.dumps(town.order(1_000_000 + n * STEPS + k)) for k in range(STEPS)]
        intake = _load(port, pid, [client.request("/v1/grievances", keys["hotline"], body) for body in orders])
    alone, together, numbers_together = _intake(site, 2_000_000 + n * 10 * STEPS)
    inside, trips = _in_process(site, plain)
    top = _limit(site, [_signing(site, next(take)) for _ in range(LIMITED)])
    first = 3_000_000 + n * LIMITED
    top_intake = _limit(site, [_taking_in(site, k) for k in range(first, first + LIMITED)])
    of_step = [Row("极限：pgbench，一步的语句", top, 1.0, None, 4)]
    of_step.append(Row("一步（HTTP，一个服务进程）", *steps, wanted=0.40))
    of_step.append(Row(f"一步（同上，{CROWD} 个客户端）", *many, wanted=0.50))
    of_step.append(Row("一步（进程内，单线程）", inside[0], 0.0, inside[1], trips))
    of_intake = [Row("极限：pgbench，接收的语句", top_intake, 1.0, None, 4)]
    of_intake.append(Row("接收（HTTP，一个服务进程）", *intake, wanted=0.35))
    of_intake.append(Row("接收（进程内，单线程）", *alone))
    of_batch = [
        Row("极限：COPY 成批接收的各行", copying.rate(site.database.conninfo, numbers_together), 1.0, None, None)
    ]
    of_batch.append(Row("成批接收（进程内，单线程）", *together, wanted=0.25))
    for rows in (of_step, of_intake, of_batch):
        for row in rows:
            row.ratio = row.per_second / rows[0].per_second
    return of_step + of_intake + of_batch


def _load(
    port: int, pid: int, requests: list[bytes], clients: int = CLIENTS
) -> tuple[float, float, float | None, None, float, float]:
    warm, rest = requests[: STEPS // 8], requests[STEPS // 8 :]
    asyncio.run(client.fire(port, warm, clients))
    before = serving.cpu_seconds(pid)
    load = asyncio.run(client.fire(port, rest, clients))
    after = serving.cpu_seconds(pid)
    if load.bad:
        raise RuntimeError(f"{load.bad} of {load.done} requests failed")
    cpu = (after - before) / load.done * 1000 if before is not None and after is not None else None
    p50, p99 = (load.latencies[int(load.done * q)] * 1000 for q in (0.5, 0.99))
    return load.rate, 0.0, cpu, None, p50, p99


def _in_process(site: Site, numbers: list[str]) -> tuple[tuple[float, float], int]:
    """Sign in this process, one after another; return steps per second, CPU ms per step, and round trips per step."""
    trips = 0

    def count(*_: object) -> None:
        nonlocal trips
        trips += 1

    engine = site.database.engine
    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", count)
    _sign(site, numbers[:_COUNTED])
    event.remove(engine, "before_cursor_execute", count)
    event.remove(engine, "commit", count)
    rest = numbers[_COUNTED:]  # nobody listens to these: whoever does, makes every statement go the longer way
    began, cpu = time.perf_counter(), time.process_time()
    _sign(site, rest)
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    return (len(rest) / seconds, used / len(rest) * 1000), round(trips / _COUNTED)


def _sign(site: Site, numbers: list[str]) -> None:
    for number in numbers:
        with site.database.begin() as session:
            handle.act(site.loop, session, number, "sign", town.MARKET, {})


def _intake(
    site: Site, first: int
) -> tuple[tuple[float, float, float, None], tuple[float, float, float, None], list[str]]:
    """Take orders in one by one, and as many together.

    Returns of each: per second, no ratio yet, CPU ms, no trips; and the numbers of those taken in together.
    """
    orders = [IntakeForm.model_validate(town.order(first + k)) for k in range(2 * STEPS)]

    def alone() -> None:
        for form in orders[:STEPS]:
            with site.database.begin() as session:
                collect(site.loop, session, form, town.HOTLINE)

    def timed(work: Callable[[], object]) -> tuple[float, float, float, None]:
        began, cpu = time.perf_counter(), time.process_time()
        work()
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
        return STEPS / seconds, 0.0, used / STEPS * 1000, None

    rest = [Incoming(form) for form in orders[STEPS:]]
    numbers: list[str] = []

    def together() -> None:
        for found in taken_in(site, rest, town.HOTLINE, site.database.write):
            if isinstance(found, Exception):
                raise found
            numbers.append(found.number)

    return timed(alone), timed(together), numbers


def _limit(site: Site, works: list[Callable[[Session], object]]) -> float:
    """Return how many a second pgbench does of these works' statements, each once, with as many clients as ours."""
    script = limit.laid_out(site, limit.recorded(site, works), CLIENTS)
    return limit.rate(site.database.conninfo, limit.pgbench(), script, clients=CLIENTS, each=len(works) // CLIENTS)


def _signing(site: Site, number: str) -> Callable[[Session], object]:
    return lambda session: handle.act(site.loop, session, number, "sign", town.MARKET, {})


def _taking_in(site: Site, n: int) -> Callable[[Session], object]:
    form = IntakeForm.model_validate(town.order(n))
    return lambda session: collect(site.loop, session, form, town.HOTLINE)


def _medians(rounds: list[list[Row]]) -> list[Row]:
    found = []
    for same in zip(*rounds, strict=True):
        row = Row(same[0].what, 0, 0, None, same[0].trips, wanted=same[0].wanted)
        for name in ("per_second", "ratio", "cpu_ms", "p50_ms", "p99_ms"):
            values = [value for item in same if (value := getattr(item, name)) is not None]
            setattr(row, name, statistics.median(values) if values else None)
        found.append(row)
    return found


def _print(rows: list[Row]) -> None:
    if "--json" in sys.argv:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False))  # noqa: T201 the result
        return
    table = Table(title=f"{CLIENTS} 个并发，{ROUNDS} 轮取中位数")
    columns: tuple[tuple[str, Callable[[Row], str]], ...] = (
        ("项目", lambda row: row.what),
        ("每秒", lambda row: f"{row.per_second:,.0f}"),
        ("占极限", lambda row: f"{row.ratio:.2f}"),
        ("CPU ms", lambda row: _figure(row.cpu_ms)),
        ("往返", lambda row: str(row.trips or "")),
        ("p50 ms", lambda row: _figure(row.p50_ms)),
        ("p99 ms", lambda row: _figure(row.p99_ms)),
        ("要达到", lambda row: "" if row.wanted is None else f"≥ {row.wanted:.2f}"),
        ("", lambda row: "没有达到" if row.missed else ""),
    )
    for title, _ in columns:
        table.add_column(title, justify="left" if title == "项目" else "right")
    for row in rows:
        table.add_row(*(show(row) for _, show in columns))
    Console(width=120).print(table)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    main()
