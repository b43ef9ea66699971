"""Other versions of the shipped workflow, made by changing its words: to migrate to, and to replay against."""

import re

from tests.site import WORKFLOW, Town, text_of

from wuye_loop.authoring.checker.check import load
from wuye_loop.store.workflows import versions

#: Says of version 1's names what became of them in `renamed`.
MIGRATES = "\nmigrates:\n  kuiwen@1: {states: {handling: working}, clocks: {handle: process}, tasks: {extension: {asked: applied}}}\n"


def version(number: int, *changes: tuple[str, str], more: str = "") -> str:
    """Return the shipped text as version `number`, each change (what, by what) made wherever it occurs."""
    text = text_of(WORKFLOW).replace("version: 1\n", f"version: {number}\n", 1)
    for what, by in changes:
        assert what in text, what
        text = text.replace(what, by)
    return text + more


def renamed(number: int = 2, *changes: tuple[str, str], migrates: str = MIGRATES) -> str:
    """Return the version in which 承办 is `working`, the handle clock `process`, and an asked extension `applied`."""
    text = version(number, *changes)
    text = re.sub(r"\bhandling\b", "working", text)
    text = re.sub(r"(?<!stage: )\bhandle\b", "process", text)
    begin, end = text.index("  extension:"), text.index("  suspension:")
    return text[:begin] + re.sub(r"\basked\b", "applied", text[begin:end]) + text[end:] + migrates


def publish(town: Town, text: str) -> str:
    """Publish a version in the town; return its name."""
    name = load(text, "version.yaml").id
    town.run(lambda session: versions.publish(session, name, text, town.now))
    return name
