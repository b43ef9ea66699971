"""Rules of the house that no linter knows: one writer, one place that commits, no city in the code, small files."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests import ROOT
from tests.house.rooms import statements

from wuye_loop.settings import PREFIX, Settings

SOURCE = ROOT / "src" / "wuye_loop"
FILES = {str(path.relative_to(SOURCE)): path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob("*.py"))}
MOST_LINES_OF_A_FUNCTION = 60

# Every city that has a workflow, in the ways that a name is written in code.
NAMES = {path.stem.partition("@")[0] for path in (ROOT / "workflows").glob("*.yaml")} - {"standard"}
CITIES = re.compile(
    "|".join([*sorted(NAMES), "weifang", "zibo", "zhengzhou", "奎文|葛店|淄川|管城|济南|潍坊|淄博|鄂州|郑州|奎督"]),
    re.IGNORECASE,
)
# The default of one setting (and of the loop, for who makes one without settings); and files that show an example.
DEFAULTS = {"settings.py", "loop/engine.py"}
EXAMPLES = {"api/admin.py", "api/documents.py", "cli/check.py"}


def in_code(tree: ast.Module) -> str:
    """Return a file's code without its comments and docstrings; those are gone from its tree, too."""
    for node in statements(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body[0].value.value = ""
    return ast.unparse(tree)


@cache
def code() -> dict[str, str]:
    """Return every file's code; not when this module is read, since every worker reads it and one of them asks."""
    return {name: in_code(tree) for name, tree in trees().items()}


@cache
def trees() -> dict[str, ast.Module]:
    """Return every file's tree."""
    return {name: ast.parse(text) for name, text in FILES.items()}


def found(pattern: str) -> dict[str, list[str]]:
    """Return the files whose code has the pattern, and what of it stands in them."""
    hits = {name: re.findall(pattern, text) for name, text in code().items()}
    return {name: hit for name, hit in hits.items() if hit}


def moves_something(node: ast.AST) -> bool:
    """Say whether a piece of code assigns a state, or asks the builder to."""
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(isinstance(target, ast.Attribute) and target.attr == "state" for target in targets)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        names = {keyword.arg for keyword in node.keywords}
        return node.func.attr in ("move", "move_task") or (node.func.attr in ("set", "set_task") and "state" in names)
    return False


def test_only_the_engine_and_its_builder_move_a_grievance() -> None:
    writers = found(r"UPDATE grievance\b.{0,300}?\bstate =|(?:INSERT INTO|update\(|insert\()\s*grievance\b")
    assert set(writers) <= {"store/grievance/writer.py"}
    maybe = {name: tree for name, tree in trees().items() if re.search(r"\bstate\b|\bmove(_task)?\(", FILES[name])}
    movers = {name for name, tree in maybe.items() if any(map(moves_something, ast.walk(tree)))}
    # The demonstration speaks HTTP, the simulation knows no grievance of the store: both keep notes of their own.
    own = ("demo/", "trial/simulation/")
    assert {name for name in movers if not name.startswith(own)} == {"domain/step/builder.py", "domain/step/actions.py"}
    callers = found(r"\bwriter\.(?:write|insert)\(")
    may = ("engine", "collect", "correct", "identity", "erasure", "adoption")
    assert set(callers) <= {f"loop/{name}.py" for name in may} | {f"loop/custody/{name}.py" for name in may}


def test_only_the_database_module_commits() -> None:
    assert set(found(r"\.commit\(")) == {"store/database.py"}


def test_only_the_ports_ask_the_machine_for_time_and_chance() -> None:
    assert set(found(r"datetime\.now\(|utcnow\(|uuid4\(|time\.time\(|date\.today\(|\brandom\.|\bsecrets\.token")) <= {
        "ports.py"
    }


# The clock itself, what compares with another machine's, and what shifts the date on purpose.
OF_TODAY = {"house/test_house.py", "serving/test_ports.py", "cli/test_doctor.py", "dates/__main__.py"}


def test_no_test_builds_what_it_expects_from_the_date_of_today() -> None:
    """Green on Tuesday, red on Sunday the 29th: instants are passed in, also to the commands under test."""
    asks = re.compile(r"SystemClock|datetime\.now\(|utcnow\(|date\.today\(|\btime\.time\(")
    folder = ROOT / "tests"
    files = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.py")}
    asking = {name for name, text in files.items() if asks.search(text) and not name.startswith("bench/")}
    assert asking == OF_TODAY


def test_no_city_is_known_to_the_code() -> None:
    named = {name for name, text in code().items() if CITIES.search(text)}
    showing = EXAMPLES | {name for name in named if "examples" in name or name.startswith("demo/")}
    assert named <= DEFAULTS | showing
    for name in DEFAULTS & named:
        assert CITIES.findall(code()[name]) == ["kuiwen"]
    branches = found(rf"(?:\bif\b|\belif\b|\bcase\b|==|!=)[^\n]{{0,40}}(?:{CITIES.pattern})")
    assert branches == {}


def functions() -> Iterator[tuple[str, str, int]]:
    """Yield file, name and length of every function."""
    for name, tree in trees().items():
        for node in statements(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield name, node.name, (node.end_lineno or 0) - node.lineno + 1


def test_no_function_is_longer_than_a_screen() -> None:
    long = [(file, name, lines) for file, name, lines in functions() if lines > MOST_LINES_OF_A_FUNCTION]
    assert long == []


def test_nothing_is_left_for_later() -> None:
    assert found(r"NotImplementedError|\bTODO\b|\bFIXME\b") == {}
    marks = {
        str(path)
        for path in (ROOT / "tests").rglob("*.py")
        if re.search(r"pytest\.(?:skip|xfail)\(|mark\.(?:skip|xfail)", path.read_text())
    }
    assert marks <= {str(Path(__file__))}


def test_no_junk_drawers() -> None:
    names = {Path(name).stem for name in FILES}
    assert not names & {"utils", "util", "helpers", "helper", "common", "misc", "base", "core", "manager"}


def test_every_setting_is_explained_to_who_runs_the_house() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if f"{PREFIX}{name}".upper() not in text] == []


@pytest.mark.proof
def test_every_process_finds_the_same_tests_whenever_it_looks() -> None:
    """The tests are shared out to processes that each collect them: an id with a time or an order in it stops the run."""

    def collected(seed: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "", "--ignore=tests/browser"],
            cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True, timeout=300,
        )  # fmt: skip
        return [line for line in done.stdout.splitlines() if "::" in line]

    first = collected("1")
    assert len(first) > 2_000
    assert first == collected("8")
