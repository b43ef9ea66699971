"""docs/architecture.md shows the house as it is, and its recipes lead where they say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests import ROOT
from tests.house.picture import PAGE, SOURCE, drawn, reduced
from tests.house.rooms import PACKAGE, House, copy_sources


def test_the_picture_and_the_rooms_are_drawn_from_the_sources_as_they_are() -> None:
    page = PAGE.read_text(encoding="utf-8")
    house = House.at(SOURCE)
    assert page == drawn(page, house), "run: make picture"
    assert "  loop --> outbound\n" in page or "  loop --> jobs\n" in page
    assert all(f"| `{room}/` |" in page for room in house.rooms() if room)


def test_an_arrow_that_others_imply_is_left_out() -> None:
    assert reduced({("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("a", "d")}) == {("a", "b"), ("b", "c"), ("c", "d")}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of the sources that programs started with `run` use instead of ours."""
    copy_sources(tmp_path / PACKAGE)
    return tmp_path / PACKAGE


def run(copy: Path, code: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env=os.environ | {"PYTHONPATH": str(copy.parent)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def changed(file: Path, was: str, now: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert was in text
    file.write_text(text.replace(was, now, 1), encoding="utf-8")


def test_the_recipe_for_a_command_makes_a_command(copy: Path) -> None:
    (copy / "cli" / "greet.py").write_text('import typer\n\n\ndef greet() -> None:\n    typer.echo("您好")\n', "utf-8")
    changed(
        copy / "cli" / "__init__.py",
        "COMMANDS: Final = {\n",
        'COMMANDS: Final = {\n    "greet": ("wuye_loop.cli.greet:greet", "问好。"),\n',
    )
    program = "from wuye_loop.cli import main; main()"
    assert run(copy, program, "greet") == "您好\n"
    assert "问好。" in run(copy, program, "--help")


THANKED = """
from datetime import UTC, datetime
from pathlib import Path
import sys
from wuye_loop.authoring.checker.check import load
from wuye_loop.domain.language.workflow import EffectCall
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.wording.definition import Wording
from wuye_loop.trial.sandbox.sandbox import Sandbox

rules = Rules(load(Path(sys.argv[1]).read_text("utf-8"), "small.yaml"))
town = Sandbox(rules, now=datetime(2026, 3, 2, 1, tzinfo=UTC))
number = town.receive({"category": "电梯"})
town.act("desk", "accept")
town.act("hotline", "urge")
print(town.case().situation.grievance.data["thanked"], Wording(rules.workflow).effect(EffectCall(name="thank")))
"""


def test_the_recipe_for_an_effect_makes_an_effect(copy: Path, tmp_path: Path) -> None:
    changed(
        copy / "domain" / "language" / "effects.py",
        "BUILT_IN: dict[str, type[BaseModel]] = {\n",
        'BUILT_IN: dict[str, type[BaseModel]] = {\n    "thank": Nothing,\n',
    )
    doing = 'lambda builder, _, __: builder.set(data={**builder.grievance.data, "thanked": True})'
    changed(
        copy / "domain" / "step" / "effects" / "apply.py",
        "_BUILT_IN: dict[str, Apply] = {\n",
        f'_BUILT_IN: dict[str, Apply] = {{\n    "thank": {doing},\n',
    )
    changed(
        copy / "domain" / "wording" / "definition.py", '            "route": "转办",\n',
        '            "route": "转办",\n            "thank": "致谢",\n',
    )  # fmt: skip
    file = tmp_path / "small.yaml"
    text = (ROOT / "tests" / "authoring" / "small.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("effect: [urged, ", "effect: [urged, thank, "), encoding="utf-8")
    assert run(copy, THANKED, str(file)) == "True 致谢\n"
