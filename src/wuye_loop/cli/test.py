"""`wuye-loop test`: definition tests beside a workflow, run in memory."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wuye_loop.authoring.assessment.check import load_scheme
from wuye_loop.authoring.assessment.trial import Tried, is_scheme_script, read_scheme_script, run_scheme_tests
from wuye_loop.cli.database import AsJson
from wuye_loop.cli.output import Refused, err, print_json
from wuye_loop.domain.assessment.opening import is_scheme
from wuye_loop.domain.errors import DefinitionError
from wuye_loop.domain.rulefile.findings import Finding
from wuye_loop.domain.rulefile.reader import YamlDocError, read
from wuye_loop.store.workflows.files import bases, text_in
from wuye_loop.trial.definition_tests.load import FOLDER, SUFFIX, is_script, read_script, scripts_beside
from wuye_loop.trial.definition_tests.run import Result, run

if TYPE_CHECKING:
    from wuye_loop.domain.rules.rules import Rules


def run_tests(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="测试文件，或流程文件（运行它旁边 tests 文件夹里写明它的测试）"),
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Run definition tests; exit code 1 where one fails."""
    if len(files) == 1 and (found := _of_scheme(files[0])):
        _print_tried(found, as_json=as_json)
        return
    scripts = _scripts(files)
    known: dict[Path, Rules] = {}
    results: list[Result] = []
    broken: list[str] = []
    for path in scripts:
        try:
            script = read_script(path, known)
        except DefinitionError as error:
            broken += [str(one) for one in error.findings if not isinstance(one, Finding) or one.severity == "error"]
        except YamlDocError as error:
            broken.append(str(error))
        else:
            results += run(script)
    failed = sum(not result.passed for result in results)
    if as_json:
        print_json({"tests": [_row(result) for result in results], "broken": broken, "failed": failed})
    else:
        _print(results, broken)
    if failed or broken:
        raise typer.Exit(1)


def _of_scheme(file: Path) -> list[Tried]:
    """Return what came of the tests of a scheme: those in a file of tests, or those beside a scheme; of no scheme, none."""
    doc = read(file.read_bytes(), str(file))
    if is_scheme(doc.data):
        beside = file.parent / FOLDER / f"{file.stem}{SUFFIX}"
        if not beside.is_file():
            raise Refused(f"{file} 旁边没有测试：写在 {beside}")
        doc = read(beside.read_bytes(), str(beside))
    if not is_scheme_script(doc.data):
        return []
    try:
        script = read_scheme_script(doc)
    except ValueError as error:
        raise Refused(str(error)) from None
    at = Path(doc.file).parent.parent / f"{script.assessment}.yaml"
    return run_scheme_tests(load_scheme(text_in(at), str(at), bases(at, ())), script, doc)


def _print_tried(found: list[Tried], *, as_json: bool) -> None:
    failed = sum(not one.passed for one in found)
    if as_json:
        tests = [{"name": one.name, "passed": one.passed, "failures": list(one.failures)} for one in found]
        print_json({"tests": tests, "broken": [], "failed": failed})
    else:
        for one in found:
            typer.echo(f"{'通过' if one.passed else '失败'} {one.name}")
            for words in one.failures:
                typer.echo(f"  {words}")
    if failed:
        raise typer.Exit(1)


def _scripts(files: list[Path]) -> list[Path]:
    """Return the files of tests, each once: a workflow stands for those beside it that name it."""
    found: dict[Path, None] = {}
    for file in files:
        if is_script(read(file.read_bytes(), str(file)).data):
            found[file] = None
            continue
        beside = scripts_beside(file)
        if not beside:
            raise Refused(f"{file} 旁边没有写明它的测试：放在 {file.parent / FOLDER}，文件名以 {SUFFIX} 结尾")
        found |= dict.fromkeys(beside)
    return list(found)


def _row(result: Result) -> dict[str, object]:
    return {
        "file": result.file,
        "workflow": result.workflow,
        "name": result.name,
        "passed": result.passed,
        "failures": [asdict(failure) for failure in result.failures],
    }


def _print(results: list[Result], broken: list[str]) -> None:
    for words in broken:
        typer.echo(words)
    file = ""
    for result in results:
        if result.file != file:
            file = result.file
            typer.echo(f"{file}（{result.workflow}）")
        typer.echo(f"  {'✓' if result.passed else '✗'} {result.name}")
        for failure in result.failures:
            typer.echo(f"    {failure}")
            for line in failure.why:
                typer.echo(f"      {line}")
    failed = sum(not result.passed for result in results)
    if broken:
        err.print(f"{len(broken)} 处写法有误，所在的文件没有运行", style="red")
    if failed:
        err.print(f"{len(results)} 个测试，{failed} 个没有通过", style="red")
    elif results and not broken:
        err.print(f"{len(results)} 个测试全部通过", style="green")
