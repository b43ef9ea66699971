"""The process that opens one file: `python -m wuye_loop.uploads.decoding KIND BOUNDS`, bytes in, a kind and bytes out.

Decoders are large programs in C that read what strangers wrote. Here one has a file in memory and nothing else: no key,
no database, no file to write, bounded time and memory; when it falls over, it falls alone.
"""

import sys

from wuye_loop.uploads.bounds import Bounds, Unfit
from wuye_loop.uploads.kinds import PDF, is_whole

REFUSED = 3


def main() -> int:
    """Rewrite what comes in; the exit is REFUSED, with a key of REASONS on the way out, for a file that is not taken."""
    kind, bounds = sys.argv[1], Bounds.from_text(sys.argv[2])
    _confine(bounds)
    content = sys.stdin.buffer.read()
    try:
        kept, written = _rewritten(content, kind, bounds)
        if not is_whole(content, kind):
            return _refuse("more")
    except Unfit as refusal:
        return _refuse(str(refusal))
    except MemoryError:
        return _refuse("costly")
    except Exception:  # noqa: BLE001 whatever a decoder thinks of a file, it is not opened
        return _refuse("broken")
    sys.stdout.buffer.write(kept.encode() + b"\n" + written)
    return 0


def _rewritten(content: bytes, kind: str, bounds: Bounds) -> tuple[str, bytes]:
    if kind == PDF:
        from wuye_loop.uploads import papers  # noqa: PLC0415 each file needs one of the two, and both take long to load

        return PDF, papers.rewritten(content, bounds)
    from wuye_loop.uploads import pictures  # noqa: PLC0415 the same

    return pictures.rewritten(content, kind, bounds)


def _refuse(reason: str) -> int:
    sys.stdout.write(reason)
    return REFUSED


def _confine(bounds: Bounds) -> None:
    """Bound this process before it has read a byte; where the system has no such bounds, the parent's clock alone holds."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 not there on every system

    memory = bounds.memory_mib * 1024 * 1024
    for what, most in {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: bounds.seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }.items():
        _, hard = resource.getrlimit(what)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bound, bound))


if __name__ == "__main__":
    sys.exit(main())
