"""The documents say what the program does: every key, fact, effect, setting, door, error, command and metric, no more, no less."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from pydantic import BaseModel
from tests import ROOT

from wuye_loop import metrics
from wuye_loop.app import create_app, make_site
from wuye_loop.authoring.checker import check
from wuye_loop.cli import app
from wuye_loop.domain.directory.document import read_document
from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.language.conditions import FACTS, FAMILIES
from wuye_loop.domain.language.effects import BUILT_IN as EFFECTS
from wuye_loop.domain.language.forms import FIELD_TYPES, FieldSpec
from wuye_loop.domain.language.parts import Part
from wuye_loop.domain.language.workflow import EffectCall, Migration, Times, Workflow
from wuye_loop.domain.privacy.access.claims import claim_rules
from wuye_loop.domain.routing.kinds import BUILT_IN as ROUTERS
from wuye_loop.domain.rulefile import reader
from wuye_loop.domain.terms import Audience, Level, Stage
from wuye_loop.domain.time.calendar import Starts
from wuye_loop.domain.time.spans import TimeUnit
from wuye_loop.settings import PREFIX, Settings
from wuye_loop.store.database import Database
from wuye_loop.store.workflows.files import bases
from wuye_loop.trial.definition_tests.load import read_script
from wuye_loop.trial.definition_tests.run import run

README = ROOT / "README.md"
LANGUAGE = (ROOT / "docs/language.md").read_text(encoding="utf-8")
API = (ROOT / "docs/api.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
DOCUMENTS = (README, *sorted((ROOT / "docs").glob("*.md")))

# What is in YAML there is a workflow, or a part of one; of the second, see test_extending.
IN_THE_LANGUAGE = {"workflows.md", "language.md", "extends.md", "migration.md", "assessment.md"}

Row = list[str]


# --- reading the documents ------------------------------------------------------------------------------------------


def rows(document: str, marker: str) -> dict[str, Row]:
    """Return the rows of the table after `<!-- marker -->` by each name that its first cell has in backticks."""
    start = f"<!-- {marker} -->\n"
    assert document.count(start) == 1, f"{marker}: one table, found {document.count(start)}"
    lines = document.partition(start)[2].lstrip("\n").split("\n\n", 1)[0].splitlines()
    found: dict[str, Row] = {}
    for line in lines[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for name in quoted(cells[0]):
            assert name not in found, f"{marker}: {name} twice"
            found[name] = cells
    return found


def quoted(text: str) -> list[str]:
    """Return what stands in backticks, code blocks apart."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", prose)


def blocks(path: Path, language: str) -> Iterator[str]:
    yield from re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def sections(document: str) -> dict[str, str]:
    """Return the text under each heading of the third level, by what it has in backticks."""
    parts = re.split(r"^###? (.*)$", document, flags=re.MULTILINE)
    return {quoted(head)[0]: body for head, body in zip(parts[1::2], parts[2::2], strict=True) if quoted(head)}


def keys_of(model: type[BaseModel]) -> set[str]:
    """Return what may be written in a part; `source`, which every part has, is told once."""
    everywhere = set(Part.model_fields) if issubclass(model, Part) else set()
    return {field.alias or name for name, field in model.model_fields.items()} - everywhere


def models_in(annotation: object, found: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """Collect every model that a file may write a part of, starting from one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation not in found:
            found.add(annotation)
            for field in annotation.model_fields.values():
                models_in(field.annotation, found)
        return found
    for inner in get_args(annotation):
        models_in(inner, found)
    return found


# --- the workflow language ------------------------------------------------------------------------------------------


PARTS = dict(sorted((model.__name__, model) for model in models_in(Workflow, set())))
SHORTHANDS = (FieldSpec, EffectCall, Times)  # whose keys are mostly not written out


@pytest.mark.parametrize("model", PARTS.values(), ids=PARTS)
def test_every_key_of_the_language_has_its_row(model: type[BaseModel]) -> None:
    assert set(rows(LANGUAGE, f"model: {model.__name__}")) == keys_of(model)


def test_no_table_tells_of_a_part_that_is_not_in_the_language() -> None:
    told = set(re.findall(r"<!-- model: (\w+) -->", LANGUAGE))
    assert told == {*PARTS, Part.__name__}


def test_the_source_that_every_part_may_name_is_told_once() -> None:
    assert set(rows(LANGUAGE, "model: Part")) == set(Part.model_fields)


def test_every_effect_has_its_row_with_its_parameters() -> None:
    table = rows(LANGUAGE, "effects")
    assert set(table) == set(EFFECTS)
    for name, model in EFFECTS.items():
        wanted = set() if name == "set" else set(model.model_fields)  # `set` takes names of the file's own
        assert set(quoted(table[name][1])) == wanted, name
        for inner in models_in(model, set()) - {model}:
            assert keys_of(inner) <= set(re.findall(r"\w+", " ".join(quoted(table[name][2])))), name


@pytest.mark.parametrize("kind", sorted(ROUTERS))
def test_every_router_has_its_table_with_its_parameters(kind: str) -> None:
    table = rows(LANGUAGE, f"router: {kind}")
    params = ROUTERS[kind].Params
    assert set(table) == keys_of(params)
    said = " ".join(cell for row in table.values() for cell in row)
    for model in models_in(params, set()) - {params}:
        for key in keys_of(model):
            assert key in re.findall(r"\w+", " ".join(quoted(said))), f"{kind}: {key}"


def test_no_router_is_told_of_that_does_not_exist() -> None:
    assert set(re.findall(r"<!-- router: (\w+) -->", LANGUAGE)) == set(ROUTERS)


def test_every_fact_and_family_has_its_row() -> None:
    assert set(rows(LANGUAGE, "facts")) == set(FACTS)
    assert set(rows(LANGUAGE, "families")) == set(FAMILIES)


def test_conditions_stand_under_the_heading_that_error_messages_name() -> None:
    under = LANGUAGE.partition("\n## 条件\n")[2].partition("\n## ")[0]
    assert "<!-- facts -->" in under
    for operator in ("min", "max", "pattern", "not", "any"):
        assert re.search(rf"`\{{{operator}: |, {operator}: ", under), operator


@pytest.mark.parametrize(
    "words",
    [TimeUnit, Starts, Stage, Level, Audience, FIELD_TYPES],
    ids=["unit", "starts", "stage", "level", "who", "type"],
)
def test_every_word_of_a_closed_list_is_told(words: Any) -> None:
    said = set(quoted(LANGUAGE))
    assert {str(word) for word in words} <= said


def test_the_special_names_are_told() -> None:
    names = {
        "system",
        "holder",
        "opener",
        "back",
        "target",
        "one_level_up",
        "company",
        "lead",
        "assist",
        "current",
        "due",
    }
    assert set(rows(LANGUAGE, "special")) == names


# --- examples -------------------------------------------------------------------------------------------------------


def whole(text: str) -> bool:
    return "\nrouters:" in text and text.startswith("name:")


def calls_in(data: object) -> Iterator[EffectCall]:
    """Give every effect written anywhere in plain data."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if key == "effect":
                for one in value if isinstance(value, list) else [value]:
                    yield EffectCall.model_validate(one)
            else:
                yield from calls_in(value)
    elif isinstance(data, list):
        for item in data:
            yield from calls_in(item)


def test_there_is_a_whole_file_among_the_examples_and_it_is_proved() -> None:
    files = [text for path in DOCUMENTS for text in blocks(path, "yaml") if whole(text)]
    assert files
    for text in files:
        assert check.check(text, "example.yaml")[1] == []


TAUGHT = (ROOT / "docs/workflows.md", ROOT / "docs/language.md")
FRAGMENTS = [text for path in TAUGHT for text in blocks(path, "yaml") if not whole(text)]
BASES = bases(None, ())


def headed(fragment: str) -> str:
    """Return a fragment as a file: with the head that every file has, where it does not show one."""
    head = {"name": "city", "version": "1", "title": "城"}
    return fragment + "".join(f"{key}: {value}\n" for key, value in head.items() if f"\n{key}:" not in fragment)


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=[text.splitlines()[1] for text in FRAGMENTS])
def test_every_fragment_of_a_workflow_is_proved_on_the_base_it_names(fragment: str) -> None:
    assert fragment.startswith("extends: ")
    found = check.check(headed(fragment), "fragment.yaml", bases=BASES)[1]
    assert [str(one) for one in found if one.code != "unused"] == []  # what shows roles only, gives them nothing to do


def written_in(part: object, words: set[str]) -> Iterator[tuple[type[BaseModel], str]]:
    """Give every key of every part that was written, if it is one of the words that stand in the fragment."""
    if isinstance(part, BaseModel):
        for name in part.model_fields_set & set(type(part).model_fields):
            key = type(part).model_fields[name].alias or name
            if key in words or isinstance(part, SHORTHANDS):
                yield type(part), key
            yield from written_in(getattr(part, name), words)
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from written_in(value, words)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from written_in(value, words)


def keys_in(data: object) -> Iterator[str]:
    """Give every key of plain data, at any depth."""
    if isinstance(data, Mapping):
        yield from map(str, data)
    for inner in data.values() if isinstance(data, Mapping) else data if isinstance(data, list) else ():
        yield from keys_in(inner)


def read_fragment(fragment: str) -> Workflow:
    return check.load(headed(fragment), "fragment.yaml", BASES)


def test_every_key_of_the_language_stands_in_an_example() -> None:
    shown: set[tuple[type[BaseModel], str]] = set()
    for text in FRAGMENTS:
        words = set(keys_in(reader.read(headed(text), "fragment.yaml").data))
        shown.update(written_in(read_fragment(text), words))
    wanted = {(model, key) for model in PARTS.values() for key in keys_of(model)}
    assert {f"{model.__name__}.{key}" for model, key in wanted - shown} == set()


def test_every_effect_and_router_stands_in_an_example_with_each_of_its_parameters() -> None:
    effects: dict[str, set[str]] = {}
    routers: dict[str, set[str]] = {}
    for text in FRAGMENTS:
        for call in calls_in(reader.read(text, "fragment.yaml").data):
            effects.setdefault(call.name, set()).update(call.params)
        written = read_fragment(text).routers if "\nrouters:" in text else ()
        for call_of in written:
            routers.setdefault(call_of.kind, set()).update(call_of.params)
    wanted = {name: set() if name == "set" else set(model.model_fields) for name, model in EFFECTS.items()}
    for name, params in wanted.items():
        assert name in effects, name
        assert params <= effects[name], name
    for kind, router in ROUTERS.items():
        assert keys_of(router.Params) <= routers[kind], kind


def test_the_city_of_the_chapter_passes_its_own_definition_tests(tmp_path: Path) -> None:
    (script,) = blocks(ROOT / "docs/workflows.md", "yml")
    data: Any = reader.read(script, "city.test.yaml").data
    workflow = data["workflow"]
    city = next(text for text in FRAGMENTS if read_fragment(text).id == workflow)
    (tmp_path / "tests").mkdir()
    (tmp_path / f"{workflow}.yaml").write_text(city, encoding="utf-8")
    path = tmp_path / "tests" / f"{workflow}.test.yaml"
    path.write_text(script, encoding="utf-8")
    results = list(run(read_script(path)))
    assert len(results) >= 6
    assert [str(failure) for result in results for failure in result.failures] == []


def test_the_example_of_a_migration_has_its_shape() -> None:
    for text in blocks(ROOT / "docs/migration.md", "yaml"):
        data: Any = reader.read(text, "migration.yaml").data
        assert all(Migration.model_validate(one) for one in data["migrates"].values())


def test_every_other_yaml_example_is_a_directory_or_a_file_of_claims_that_can_be_read() -> None:
    others = [text for path in DOCUMENTS if path.name not in IN_THE_LANGUAGE for text in blocks(path, "yaml")]
    assert others
    for text in others:
        data: Any = reader.read(text, "example.yaml").data
        assert claim_rules(data).rules if "rules" in data else read_document(data).areas


def test_every_json_example_is_json() -> None:
    for path in DOCUMENTS:
        for text in blocks(path, "json"):
            json.loads(text)


def test_the_decisions_are_numbered_in_order_each_once() -> None:
    numbers = re.findall(r"^## (\d+)\. ", (ROOT / "docs/decisions.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]


def test_each_decision_says_its_context_what_was_decided_and_what_follows_once() -> None:
    for decision in re.split(r"^## ", (ROOT / "docs/decisions.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, *lines = decision.strip().splitlines()
        parts = [line.split(":")[0] for line in lines if line.startswith(("Context:", "Decision:", "Consequence:"))]
        assert parts in (["Context", "Decision", "Consequence"], []), title
        assert len(lines) <= 10, title


def test_every_link_inside_the_project_leads_somewhere() -> None:
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
            if "://" in target:
                continue
            name, _, anchor = target.partition("#")
            there = path.parent / name if name else path
            assert there.is_file(), f"{path.name}: {target}"
            heads = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
            known = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
            assert not anchor or anchor in known, f"{path.name}: {target}"


def tables(document: str) -> Iterator[list[str]]:
    """Give the lines of each table, code blocks apart."""
    prose = re.sub(r"^```.*?^```$", "", document, flags=re.DOTALL | re.MULTILINE)
    yield from (found.splitlines() for found in re.findall(r"(?:^\|.*\n?)+", prose, re.MULTILINE))


def test_every_table_is_whole() -> None:
    for path in DOCUMENTS:
        for head, *rest in tables(path.read_text(encoding="utf-8")):
            rule, *body = rest or [""]
            assert re.fullmatch(r"(\| *:?-+:? *)+\|", rule), f"{path.name}: no head, or a blank line before: {head}"
            for line in (head, *body):
                assert len(re.findall(r"(?<!\\)\|", line)) == rule.count("|"), f"{path.name}: {line}"


# --- settings, commands, metrics ------------------------------------------------------------------------------------


def test_every_setting_has_its_row_with_its_default() -> None:
    table = rows(OPERATIONS, "settings")
    assert set(table) == {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        said = table[f"{PREFIX}{name}".upper()][1].strip("`")
        if isinstance(field.default, bool):
            assert said == str(field.default).lower()
        elif isinstance(field.default, int | float):
            assert float(said) == field.default, name
        elif isinstance(field.default, str | Path):
            assert said == str(field.default), name


def commands(group: Any, before: str = "wuye-loop") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{before} {name}")
        else:
            yield f"{before} {name}", command


def test_every_command_has_its_row_with_its_options() -> None:
    table = rows(OPERATIONS, "commands")
    known = dict(commands(typer.main.get_command(app)))
    assert set(table) == set(known)
    for name, command in known.items():
        options = {one for param in command.params for one in param.opts if one.startswith("--")}
        said = " ".join(quoted(table[name][1]))
        for option in options - {"--help", "--data", "--json"}:
            assert option in said, f"{name} {option}"
        assert ("--json" in options) == table[name][1].endswith("J"), name


def test_every_metric_has_its_row_with_its_labels() -> None:
    table = rows(OPERATIONS, "metrics")
    collectors: set[Any] = {*metrics.REGISTRY._collector_to_names}
    names = {f"{one._name}_total" if one._type == "counter" else one._name: {*one._labelnames} for one in collectors}
    assert set(table) == set(names)
    for name, labels in names.items():
        assert set(quoted(table[name][1])) == labels, name


# --- the API --------------------------------------------------------------------------------------------------------


def errors(kind: type[WuyeError]) -> Iterator[type[WuyeError]]:
    yield kind
    for inner in kind.__subclasses__():
        if inner.__module__ == WuyeError.__module__:
            yield from errors(inner)


def test_every_error_has_its_row_with_its_status() -> None:
    table = rows(API, "errors")
    kinds = {kind.slug: kind for kind in errors(WuyeError)}
    assert set(table) == set(kinds)
    for slug, kind in kinds.items():
        assert table[slug][1] == str(kind.status), slug


def test_every_door_has_its_section_with_its_questions(tmp_path: Path, database: Database) -> None:
    settings = Settings(data=tmp_path, rehearsal=True)
    paths = create_app(make_site(settings, database)).openapi()["paths"]
    doors = {f"{verb.upper()} {path}": spec for path, verbs in paths.items() for verb, spec in verbs.items()}
    told = sections(API)
    assert set(told) == set(doors)
    for door, spec in doors.items():
        for one in spec.get("parameters", ()):
            if one["in"] == "query" and one["name"] not in {"cursor", "limit"}:
                assert any(words.startswith(one["name"]) for words in quoted(told[door])), f"{door} {one['name']}"
