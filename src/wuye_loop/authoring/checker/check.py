"""Proves a workflow definition before anything is built from it: `transitions` would accept broken machines silently."""

import re
from typing import TYPE_CHECKING

from wuye_loop.authoring.checker.clocks import check_clocks
from wuye_loop.authoring.checker.conditions import check_conditions
from wuye_loop.authoring.checker.documents import check_papers
from wuye_loop.authoring.checker.effects import check_effects
from wuye_loop.authoring.checker.flow import check_graph
from wuye_loop.authoring.checker.idle import check_doors, check_following, check_idle, check_unused
from wuye_loop.authoring.checker.intake import check_family, check_sources
from wuye_loop.authoring.checker.joins import check_joins
from wuye_loop.authoring.checker.migrations import check_migrates
from wuye_loop.authoring.checker.names import check_names
from wuye_loop.authoring.checker.requests import check_requests
from wuye_loop.authoring.checker.results import check_results
from wuye_loop.authoring.checker.routers import check_routers, read_routers
from wuye_loop.authoring.checker.scene import Scene
from wuye_loop.authoring.checker.separation import check_duties, check_judges
from wuye_loop.authoring.checker.system_moves import check_chains, check_timers
from wuye_loop.authoring.checker.task_separation import check_apart
from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.errors import DefinitionError
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rulefile.definition import opened, parse
from wuye_loop.domain.rulefile.extends import Bases
from wuye_loop.domain.rulefile.findings import Finding, Findings

if TYPE_CHECKING:
    from wuye_loop.domain.rulefile.reader import Path

_FILE = re.compile(r"(?:^|[/\\])([a-z][a-z0-9-]{1,39}@[0-9]+)\.ya?ml$")

__all__ = ["Finding", "check", "load", "parse"]


def check(
    text: str | bytes, file: str, directory: Directory | None = None, bases: Bases | None = None
) -> tuple[Workflow | None, list[Finding]]:
    """Return the workflow and what is wrong with it, in the order of the file; never raises for bad input.

    The workflow is None when any finding is an error. With a directory, units and duties must exist in it. `bases` finds
    what the file extends, unless the text holds it (`extending.bundle`); each finding names the file that wrote the value.
    """
    found = opened(text, file, bases)
    if isinstance(found, list):
        return None, found
    workflow, findings = found
    empty: list[Path] = [("states",)] if not workflow.states else []
    empty += [("tasks", kind, "states") for kind, task in workflow.tasks.items() if not task.states]
    for path in empty:
        findings.error(path, "no-states", "至少要有一个状态", key=True)
    _check_file_name(workflow, file, findings)
    if not empty:
        _prove(Scene(workflow, findings, directory), bases)
    proved = findings.sorted
    return (None if any(item.severity == "error" for item in proved) else workflow), proved


def _check_file_name(workflow: Workflow, file: str, findings: Findings) -> None:
    """Note a file called `name@version` that holds another: people and commands find a version by its file's name."""
    called = _FILE.search(file)
    if called is not None and called[1] != workflow.id:
        words = f"文件名是 {called[1]}，里面写的却是 {workflow.id}：请改文件名，或改 name 和 version"
        findings.error(("version",), "file-name", words)


def _prove(scene: Scene, bases: Bases | None) -> None:
    check_names(scene)
    check_papers(scene)
    check_results(scene)
    check_sources(scene)
    check_family(scene)
    check_migrates(scene, bases)
    check_joins(scene)
    parts = read_routers(scene)
    check_effects(scene)
    check_conditions(scene, parts)
    check_graph(scene)
    check_chains(scene)
    check_timers(scene)
    check_clocks(scene)
    check_duties(scene, parts)
    check_apart(scene)
    check_requests(scene, parts)
    check_routers(scene, parts)
    check_doors(scene)
    check_following(scene)
    check_judges(scene)
    check_idle(scene)
    check_unused(scene, parts)


def load(text: str | bytes, file: str, bases: Bases | None = None) -> Workflow:
    """Return the workflow of a definition; `bases` as in `check`.

    Raises DefinitionError with the findings when it must not be used.
    """
    workflow, findings = check(text, file, bases=bases)
    if workflow is None:
        raise DefinitionError(findings=[item for item in findings if item.severity == "error"])
    return workflow
