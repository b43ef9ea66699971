"""What a router said, as people read it: in `explain`, and under a definition test that failed."""

from collections.abc import Mapping
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


def router_words(item: Mapping[str, Any], directory: Directory) -> str:
    """Return in words what one router answered, from its trace in the ledger."""
    title = "职责分离" if item.get("kind") == "separate" else item.get("title") or "人工"
    said = f"{title}：{_OUTCOMES.get(str(item.get('outcome')), str(item.get('outcome')))}，{item.get('why')}"
    assists = [str(directory.name_of(code)) for code in item.get("assists", ())]
    said += f"；协办{'、'.join(assists)}" if assists else ""
    near = item.get("near", ())
    return said + (f"；差一点成立的：{'；'.join(near)}" if near else "")
