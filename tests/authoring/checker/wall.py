"""The wall: one small change each that breaks a sound definition, where the checker must point, and what it says.

The stones of broken/wall_*.yaml break small.yaml, those of broken/wall_full_*.yaml break full.yaml.
"""

from dataclasses import dataclass
from pathlib import Path

from wuye_loop.domain.rulefile.reader import read

HERE = Path(__file__).parent


BASES = {name: (HERE.parent / f"{name}.yaml").read_text(encoding="utf-8") for name in ("small", "full")}


@dataclass(frozen=True)
class Broken:
    """`was` in the base becomes `now`; the finding stands on the line that holds `at` (else `now`) and says `says`."""

    name: str
    was: str
    now: str
    says: str
    at: str = ""
    base: str = "small"

    @property
    def text(self) -> str:
        base = BASES[self.base]
        assert base.count(self.was) == 1, f"{self.was!r} stands {base.count(self.was)} times in the base"
        return base.replace(self.was, self.now)

    @property
    def line(self) -> int:
        text, mark = self.text, self.at or self.now
        assert text.count(mark) == 1, f"{mark!r} stands {text.count(mark)} times in {self.name}"
        return text[: text.index(mark)].count("\n") + 1


def stones() -> list[Broken]:
    found: list[Broken] = []
    for path in sorted((HERE / "broken").glob("wall_*.yaml")):
        rows = read(path.read_bytes(), path.name).data
        assert isinstance(rows, list)
        base = "full" if path.name.startswith("wall_full_") else "small"
        found += [Broken(**row, base=base) for row in rows]
    return found


WALL = stones()
