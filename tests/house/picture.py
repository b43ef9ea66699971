"""Draws the house from its imports into docs/architecture.md: `python -m tests.house.picture` (or `make picture`)."""

import ast
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tests import ROOT
from tests.house.rooms import PACKAGE, House

PAGE = ROOT / "docs" / "architecture.md"
SOURCE = ROOT / "src" / PACKAGE
#: The floors from the roof down, in the groups that the picture has.
GROUPS = {
    "doors": ("cli", "demo", "app", "worker", "prepare", "api", "web", "edge"),
    "trying out": ("trial",),
    "reading": ("queries",),
    "the loop": ("loop",),
    "sending": ("outbound", "jobs"),
    "the database": ("store", "postgres"),
    "rules on paper": ("authoring",),
    "what runs": ("domain",),
    "around": ("settings", "logs", "metrics", "ports"),
}


def picture(house: House) -> str:
    """Return the floors and who imports whom as Mermaid; an arrow that others imply is left out."""
    lines = ["```mermaid", "flowchart TD"]
    for group, floors in GROUPS.items():
        lines.append(f"  subgraph {group.replace(' ', '_')}[{group}]")
        lines += [f"    {floor}" for floor in floors]
        lines.append("  end")
    lines += [f"  {one} --> {other}" for one, other in sorted(reduced(house.arrows()))]
    return "\n".join([*lines, "```"])


def reduced(arrows: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the arrows without those that a longer way says too."""
    arrows = {(one, other) for one, other in arrows if one != other}
    below: dict[str, set[str]] = {}

    def under(floor: str) -> set[str]:
        if floor not in below:
            next_down = {other for one, other in arrows if one == floor}
            below[floor] = next_down.union(*(under(other) for other in next_down))
        return below[floor]

    return {
        (one, other)
        for one, other in arrows
        if not any(other in under(between) for start, between in arrows if start == one and between != other)
    }


def rooms(house: House) -> str:
    """Return every room with what it says of itself, as a table."""
    lines = ["| room | files | what is in it |", "|---|---|---|"]
    for room, files in sorted(house.rooms().items()):
        if room:
            said = ast.get_docstring(ast.parse(house.files[f"{room}/__init__.py"])) or ""
            lines.append(f"| `{room}/` | {len(files)} | {first(said)} |")
    return "\n".join(lines)


def first(said: str) -> str:
    """Return the first sentence of a paragraph, in one line."""
    return re.sub(r"\s+", " ", said.split("\n\n", maxsplit=1)[0]).strip()


def drawn(page: str, house: House) -> str:
    """Return the page with its generated parts as the house is now."""
    for name, part in (("picture", picture(house)), ("rooms", rooms(house))):
        page = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda found, part=part: f"{found[1]}{part}\n{found[2]}",  # type: ignore[misc]
            page,
            flags=re.DOTALL,
        )
    return page


def main(page: Path = PAGE) -> int:
    """Write the page anew."""
    page.write_text(drawn(page.read_text(encoding="utf-8"), House.at(SOURCE)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
