"""The wall: one small change each (broken/wall_*.yaml) that breaks small.yaml, where the checker must point, what it says."""

from dataclasses import dataclass
from pathlib import Path

from wuye_loop.domain.yamldoc import read

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Broken:
    """`was` in small.yaml becomes `now`; the finding stands on the line that holds `at` (else `now`) and says `says`."""

    name: str
    was: str
    now: str
    says: str
    at: str = ""

    def text(self, base: str) -> str:
        assert base.count(self.was) == 1, f"{self.was!r} stands {base.count(self.was)} times in the base"
        return base.replace(self.was, self.now)

    def line(self, base: str) -> int:
        text, mark = self.text(base), self.at or self.now
        assert text.count(mark) == 1, f"{mark!r} stands {text.count(mark)} times in {self.name}"
        return text[: text.index(mark)].count("\n") + 1


def stones() -> list[Broken]:
    found: list[Broken] = []
    for path in sorted((HERE / "broken").glob("wall_*.yaml")):
        rows = read(path.read_bytes(), path.name).data
        assert isinstance(rows, list)
        found += [Broken(**row) for row in rows]
    return found


WALL = stones()
