"""What a router said, as people read it: in `explain`, and under a definition test that failed."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from wuye_loop.domain.directory.directory import Directory

_OUTCOMES: Final = {
    "matched": "选中",
    "fallback": "用后备单位",
    "no-match": "没有定出",
    "skipped": "跳过",
    "asked": "先问外部系统",
    "desk": "留给人工",
    "shown": "供参考",
}


_PASSED: Final = ("skipped", "no-match", "shown")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def decisive(trace: Iterable[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the routers that settled it, and those that were passed over; where none settled it, all of them first."""
    every = list(trace)
    settled = [item for item in every if item.get("outcome") not in _PASSED]
    return (settled, [item for item in every if item not in settled]) if settled else (every, [])


def router_words(item: Mapping[str, Any], directory: Directory, sources: Mapping[str, str] | None = None) -> str:
    """Return in words what one router answered, from its trace in the ledger; `sources` are a definition's, by name."""
    titles = sources or {}
    title = "职责分离" if item.get("kind") == "separate" else item.get("title") or "人工"
    said = f"{title}：{_OUTCOMES.get(str(item.get('outcome')), str(item.get('outcome')))}，{_NAME.sub(lambda name: titles.get(name[0], name[0]), str(item.get('why')))}"
    assists = [str(directory.name_of(code)) for code in item.get("assists", ())]
    said += f"；协办{'、'.join(assists)}" if assists else ""
    near = item.get("near", ())
    return said + (f"；差一点成立的：{'；'.join(near)}" if near else "")
