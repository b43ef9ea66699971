"""What a house looks like from outside: rooms, floors, names and arrows, read from its sources without importing them."""

import ast
import re
import shutil
import stat
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests import ROOT

PACKAGE = "wuye_loop"
SOURCE = ROOT / "src" / PACKAGE
_SQL = re.compile(
    r"""["'(\s](?:SELECT [\w*(]|INSERT INTO |UPDATE \w+ SET |DELETE FROM |CREATE DATABASE|DROP DATABASE|SHOW \w+["'])"""
    r"|exec_driver_sql"
)
_MAYBE = re.compile("sqlalchemy|exec_driver_sql|SELECT|INSERT|UPDATE|DELETE|DATABASE|SHOW")
_EXPRESSIONS = {"select", "insert", "update", "delete", "text"}


@dataclass(frozen=True)
class House:
    """The sources of a package by their path in it, such as `domain/step/actions.py`."""

    files: Mapping[str, str]

    @classmethod
    def at(cls, folder: Path) -> "House":
        """Read what lies in a folder."""
        found = sorted(folder.rglob("*.py"))
        return cls({str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in found})

    def with_(self, **planted: str) -> "House":
        """Return it with more files; `__` stands for a slash, and `.py` is added."""
        return House({**self.files, **{f"{name.replace('__', '/')}.py": text for name, text in planted.items()}})

    def rooms(self) -> dict[str, list[str]]:
        """Return the names of the files in each room, without the room's own `__init__`."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in self.files:
            room, _, file = name.rpartition("/")
            if file != "__init__.py":
                found[room].append(file.removesuffix(".py"))
        return found

    def silent(self) -> list[str]:
        """Return the rooms that do not say what is in them."""
        return sorted(
            room
            for room in self.rooms()
            if room and len(ast.get_docstring(ast.parse(self.files.get(f"{room}/__init__.py", ""))) or "") < 40
        )

    def prefixed(self) -> list[str]:
        """Return rooms in which three files share the word that they begin with: that is a room of its own."""
        found = []
        for room, files in self.rooms().items():
            heads = [file.split("_")[0] for file in files]
            found += [f"{room}/{head}*" for head in sorted(set(heads)) if heads.count(head) > 2]
        return sorted(found)

    def named_twice(self) -> list[str]:
        """Return the classes, private ones too, that stand more than once on one floor."""
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for name, text in self.files.items():
            for one in _classes(text):
                found[name.partition("/")[0], one].append(name)
        return sorted(f"{name}: {', '.join(files)}" for (_, name), files in found.items() if len(files) > 1)

    def sql(self) -> set[str]:
        """Return the files that speak SQL, as text or as expressions of it."""
        return {name for name, text in self.files.items() if _speaks_sql(text)}

    def arrows(self) -> set[tuple[str, str]]:
        """Return which floor imports which."""
        return {
            (name.partition("/")[0].removesuffix(".py"), target.split(".")[1])
            for name, text in self.files.items()
            for target in _imported(text)
            if target.count(".")
            and not target.endswith("__version__")
            and name.partition("/")[0].removesuffix(".py") not in {"__init__", target.split(".")[1]}
        }


@cache
def _classes(text: str) -> tuple[str, ...]:
    return tuple(node.name for node in statements(ast.parse(text)) if isinstance(node, ast.ClassDef))


@cache
def _speaks_sql(text: str) -> bool:
    if not _MAYBE.search(text):
        return False
    tree = ast.parse(text)
    for node in statements(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "sqlalchemy":
            if _EXPRESSIONS & {alias.name for alias in node.names}:
                return True
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant("")  # a docstring may speak of it
    return _SQL.search(ast.unparse(tree)) is not None


def _imported(text: str) -> Iterator[str]:
    for node in statements(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            if node.module == PACKAGE:
                yield from (f"{PACKAGE}.{alias.name}" for alias in node.names)
            else:
                yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == PACKAGE)


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a tree and every statement in it, however deep: a tenth of what `ast.walk` goes through."""
    yield node
    for name in ("body", "handlers", "orelse", "finalbody", "cases"):
        inner = getattr(node, name, None)
        for child in inner if isinstance(inner, list) else ():
            yield from statements(child)


def copy_sources(to: Path) -> None:
    """Copy our sources to where a test may change them, also where ours may not be written to."""
    shutil.copytree(SOURCE, to, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (to, *to.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
