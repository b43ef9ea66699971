"""Reads a file of definition tests, and finds the rules and the town it is about."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from wuye_loop.authoring.checker.check import load
from wuye_loop.domain.directory.document import BadDirectory, read_document
from wuye_loop.domain.errors import DefinitionError
from wuye_loop.domain.rulefile.findings import Findings
from wuye_loop.domain.rulefile.reader import YamlDoc, read
from wuye_loop.domain.rulefile.shape import note_shape
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.store.workflows.files import bases, text_in
from wuye_loop.trial.definition_tests.document import Given, Script, StepSpec
from wuye_loop.trial.definition_tests.names import Names
from wuye_loop.trial.town.town import Town, town_of

SUFFIX = ".test.yaml"
FOLDER = "tests"
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class ReadScript:
    """A file of tests that can be run: its document, its tests, the rules it names and the town of each test."""

    doc: YamlDoc
    script: Script
    rules: Rules


def is_script(data: object) -> bool:
    """Say whether plain data of a file is one of tests, rather than a workflow."""
    return isinstance(data, dict) and "tests" in data


def read_script(path: Path, known: dict[Path, Rules] | None = None) -> ReadScript:
    """Read a file of tests with the workflow it names; `known` keeps rules from one file to the next.

    Raises DefinitionError with the findings, of the file or of its workflow; YamlDocError for what is no YAML.
    """
    doc = read(path.read_bytes(), str(path))
    findings = Findings(doc)
    try:
        script = Script.model_validate(doc.data)
    except ValidationError as error:
        note_shape(error, Script, (), findings)
        raise DefinitionError(findings=findings.sorted) from None
    found = workflow_file(path, script.workflow)
    if found is None:
        words = f"没有流程文件 {script.workflow}：写成 名称@版本，或相对于本文件的路径"
        findings.error(("workflow",), "unknown-name", words)
        raise DefinitionError(findings=findings.sorted)
    rules = rules_of(found, known if known is not None else {})
    _check_scenes(script, findings)
    if not script.tests:
        findings.error(("tests",), "missing", "一个测试也没有写", key=True)
    for index, test in enumerate(script.tests):
        given = test.given.over(script.given)
        place: Place = ("tests", index, "given") if test.given.directory is not None else ("given",)
        town = _town(rules, given, findings, place)
        if town is not None:
            here: Place = ("tests", index)
            last = (*here, "then"), test.then
            names = Names(rules.workflow, town, findings)
            names.check(steps_of(script, index), last)
            if given.by is not None:
                names.sender((*here, "given", "by") if test.given.by is not None else ("given", "by"), given.by)
    if findings.sorted:
        raise DefinitionError(findings=findings.sorted)
    return ReadScript(doc, script, rules)


def steps_of(script: Script, index: int) -> list[tuple[Place, StepSpec]]:
    """Return the steps of a test in order, those of its scene first, each with its place in the file."""
    test = script.tests[index]
    scene = test.given.over(script.given).scene
    before = (
        [(("scenes", scene, place), step) for place, step in enumerate(script.scenes.get(scene, ()))] if scene else []
    )
    return [*before, *((("tests", index, "when", place), step) for place, step in enumerate(test.when))]


def workflow_file(script: Path, named: str) -> Path | None:
    """Return the file of the workflow that a file of tests names, beside it, a folder above, or by a path; or None."""
    folders = (script.parent, script.parent.parent)
    places = [script.parent / named, *(folder / f"{named}.yaml" for folder in folders)]
    return next((place.resolve() for place in places if place.is_file()), None)


def rules_of(path: Path, known: dict[Path, Rules]) -> Rules:
    """Return the compiled rules of a workflow file. Raises DefinitionError."""
    path = path.resolve()
    if path not in known:
        known[path] = Rules(load(text_in(path), str(path), bases(path, ())))
    return known[path]


def scripts_beside(workflow: Path) -> list[Path]:
    """Return the files of tests beside a workflow file, or in a folder `tests` there, that name it."""
    found = []
    for folder in (workflow.parent, workflow.parent / FOLDER):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            data = read(path.read_bytes(), str(path)).data
            named = data.get("workflow") if isinstance(data, dict) else None
            if isinstance(named, str) and workflow_file(path, named) == workflow.resolve():
                found.append(path)
    return found


def _check_scenes(script: Script, findings: Findings) -> None:
    """Note scenes that are named but not written."""
    named: list[tuple[Place, str | None]] = [(("given", "scene"), script.given.scene)]
    named += [(("tests", index, "given", "scene"), test.given.scene) for index, test in enumerate(script.tests)]
    for place, name in named:
        if name is not None and name not in script.scenes:
            findings.unknown(place, "情景", name, script.scenes)


def _town(rules: Rules, given: Given, findings: Findings, place: Place) -> Town | None:
    """Return the town of a test, or note what is wrong with its directory."""
    try:
        return town_of(rules, read_document(given.directory) if given.directory is not None else None)
    except BadDirectory as error:
        for problem in error.problems:
            findings.error((*place, "directory"), "bad-value", problem)
    except ValueError as error:
        findings.error((*place, "directory"), "bad-value", str(error))
    return None
