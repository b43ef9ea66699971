"""`wuye-loop suggest`: which category each row of a sheet would be suggested, and because of which words."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wuye_loop.cli.database import AsJson
from wuye_loop.cli.output import print_json
from wuye_loop.cli.texts import Text, model_at, rules_for, texts
from wuye_loop.domain.language.conditions import folded
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.suggesting.model import Model
from wuye_loop.domain.suggesting.suggestion import guess
from wuye_loop.domain.terms import Urgency

if TYPE_CHECKING:
    from collections.abc import Mapping

ModelFile = Annotated[Path | None, typer.Option("--model", metavar="FILE", help="learn 得出的模型；默认用附带的")]
WorkflowOption = Annotated[
    str | None, typer.Option("--workflow", metavar="NAME@V|FILE", help="用哪个流程的字词和红线；默认附带的 standard@1")
]


def suggest_rows(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV、CSV.gz 或 XLSX，第一行是列名")],
    model: ModelFile = None,
    workflow: WorkflowOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Print one line for each row."""
    rules, learned = rules_for(workflow), model_at(model)
    for text in texts(file):
        said = suggested(rules, learned, text)
        if as_json:
            print_json(said)
        else:
            category = f"{said['category'] or '（不建议）'} {said['confidence']:.0%}"
            typer.echo(f"{said['id']}  {category}  {said['urgency']}  {'；'.join(said['why'])}")


def suggested(rules: Rules, model: Model, text: Text) -> dict[str, Any]:
    """Return what is said of one row: its category with the chance of being right, its urgency, and why."""
    found = guess(rules.scoring, model, text.title, text.body)
    urgency, words = lifted(rules, text, found.category)
    why = [found.words] if found.category is not None else ["没有可用的字词"]
    if words:
        why.append(f"{urgency}：{'、'.join(words)}")
    if found.runner_up is not None:
        why.append(f"其次：{found.runner_up}")
    return {
        "id": text.id,
        "category": found.category,
        "confidence": found.confidence,
        "urgency": urgency,
        "unit": None,  # which unit is in charge is known only where units are
        "why": why,
    }


def lifted(rules: Rules, text: Text, category: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the urgency that the red lines lift a row to, and the words they saw."""
    title, body = folded(text.title), folded(text.body)
    facts: Mapping[str, object] = {"title": title, "body": body, "text": f"{title}\n{body}", "category": category}
    order = [one.value for one in Urgency]
    urgency, words = Urgency.NORMAL.value, dict[str, None]()
    for red in rules.red_lines:
        saw = red.saw(facts)
        if saw is not None:
            urgency = min(urgency, red.line.urgency, key=order.index)
            words.update(dict.fromkeys(word[:12] for word in saw))
    return urgency, tuple(words)
