"""Looks at the pieces of a verification in several processes; who stops it keeps what is in hand."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing.synchronize import Event
from threading import Thread

from wuye_loop.queries.verification.course import Piece
from wuye_loop.queries.verification.report import Report

#: The place of what is not of one grievance among the pieces.
BESIDE = -1
_START = "fork" if sys.platform == "linux" else "spawn"
_stopped: list[Event] = []  # of a process of its own: set when nothing more is to be begun


def spread(
    processes: int,
    jobs: Sequence[tuple[int | None, Piece]],
    look: Callable[[Piece], Report],
    beside: Callable[[], Report] | None,
    keep: Callable[[int | None, Report], None],
) -> None:
    """Look at each piece, in so many processes, and at what is beside them in a thread here; keep what each comes to.

    Where anything fails or somebody stops it, pieces that were begun are finished and kept, and it raises what stopped it.
    """
    context = multiprocessing.get_context(_START)
    stop = context.Event()
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_begun, initargs=(stop,))
    waiting: dict[Future[Report | None], int | None] = {}
    try:
        for n, piece in jobs:
            waiting[pool.submit(_looked, look, piece)] = n
        if beside is not None:
            waiting[_meanwhile(beside)] = BESIDE  # the processes are there: none is forked beside a thread
        for done in as_completed(list(waiting)):
            found, n = done.result(), waiting.pop(done)
            if found is not None:
                keep(n, found)
    except BaseException:
        stop.set()
        pool.shutdown(cancel_futures=True)
        for future, n in waiting.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                last = future.result()
                if last is not None:
                    keep(n, last)
        raise
    finally:
        pool.shutdown()


def _meanwhile(work: Callable[[], Report]) -> "Future[Report | None]":
    """Work in a thread that nobody waits for at the end: a long statement holds up no one who stops."""
    future: Future[Report | None] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 whoever waits for it is told
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def _begun(stop: Event) -> None:
    """Let a process go by its parent: Ctrl-C is for that one alone, and who has lost it ends."""
    _stopped[:] = [stop]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    Thread(target=_go_with_the_parent, daemon=True).start()


def _go_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _looked(look: Callable[[Piece], Report], piece: Piece) -> Report | None:
    return None if _stopped[0].is_set() else look(piece)
