"""`wuye-loop learn`: a model from what was decided, with honest figures of what it is worth."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import AsJson, DataDir, opened
from wuye_loop.cli.output import Refused, err, print_json, print_table
from wuye_loop.cli.suggest import WorkflowOption
from wuye_loop.cli.texts import labels, model_at, rules_for, texts
from wuye_loop.demo.chance import Chance
from wuye_loop.demo.invented.corpus import corpus
from wuye_loop.domain.suggesting.model import Model, places, written
from wuye_loop.domain.suggesting.patterns import Scoring
from wuye_loop.domain.suggesting.suggestion import suggest
from wuye_loop.store.workflows import models
from wuye_loop.store.workflows.models import Decided
from wuye_loop.trial.learning.evaluation import Report, crossed, finished, report, surer, tried
from wuye_loop.trial.learning.examples import Example, by_time
from wuye_loop.trial.learning.training import NoLibrary, Seen, Settings, fitted

MADE_UP = 2400  # made-up texts that are learned from beside the real ones
SEED = 7
LATER = 0.25  # of all, by time, that are only tried
FEWEST = 20
SHIPPED = Settings(fit=0.3, patterns=0.15)  # for made-up texts alone
#: The chance of being right where only made-up texts were learned from: set by hand, low, as nothing real was tried.
SHIPPED_CONFIDENCE = {"slope": 2.0, "offset": -0.3, "sure": 0.6}


def learn(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="CSV、CSV.gz 或 XLSX，第一行是列名")] = None,
    label_file: Annotated[Path | None, typer.Option("--labels", metavar="FILE", help="编号和类别，制表符分隔")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="MODEL", help="模型写到哪个文件")] = None,
    workflow: WorkflowOption = None,
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="records|made-up",
            help="records：本安装里已派到单位的诉求；made-up：只用编造的诉求（附带的模型就是这样得来的）",
        ),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option("--compare", metavar="MODEL", help="不学，只说这个模型会改变什么；与 --from records 同用"),
    ] = None,
    days: Annotated[int, typer.Option("--days", help="records 往回看多少天")] = 365,
    *,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Learn, try what was learned on texts that were kept aside, and write the model."""
    scoring = rules_for(workflow).scoring
    try:
        if origin == "made-up" and file is None and out is not None:
            _write(out, made_up_model(scoring))
            return
        if compare is not None and origin == "records":
            _compare(scoring, model_at(compare), *_records(data, days), as_json=as_json)
            return
        examples = _asked(file, label_file, origin, data, days)
        numbers, figures = learned(examples, scoring, out.stem if out else "model")
    except NoLibrary:
        raise Refused("学习要用 scikit-learn：pip install 'wuye-loop[learn]'；已有的模型不用它也能用") from None
    if out is not None:
        _write(out, numbers)
    if as_json:
        print_json({"model": str(out) if out else None, **{name: one.as_json() for name, one in figures.items()}})
        return
    for name, one in figures.items():
        show(name, one)
    typer.echo(f"把握在 {numbers['confidence']['sure']} 以上的才建议；{numbers['about']['texts']} 条")


def _asked(
    file: Path | None, label_file: Path | None, origin: str | None, data: Path | None, days: int
) -> list[Example]:
    """Return what is to be learned from. Raises Refused where it is not said, or said twice."""
    if origin == "records" and file is None and label_file is None:
        return _records(data, days)[0]
    if origin is None and file is not None and label_file is not None:
        return _examples(file, label_file)
    raise Refused("要写 FILE 和 --labels FILE，或 --from records，或 --from made-up 和 --out MODEL")


def _records(data: Path | None, days: int) -> tuple[list[Example], Model]:
    """Return what was decided in this installation, and the model in use there (else the shipped one)."""
    since = clock().now() - timedelta(days=days)
    with opened(data) as database, database.read() as session:
        return examples_of(models.decided(session, since)), models.in_use(session) or Model.shipped()


def examples_of(decided: Iterable[Decided]) -> list[Example]:
    """Return what is learned from: of each its category, whom it came to rest with, and the signs of where it lies."""
    return [
        Example(
            one.number, one.title, one.body, one.category, one.received_at, one.unit,
            places(one.estate, one.area_path),
        )
        for one in decided
    ]  # fmt: skip


def _compare(scoring: Scoring, new: Model, examples: Sequence[Example], old: Model, *, as_json: bool) -> None:
    """Say what a model would have suggested otherwise than the one in use, and which of the two was right."""
    both = [[suggest(scoring, model, one.title, one.body, one.place) for model in (old, new)] for one in examples]
    of_categories = _changes(
        [(one.category, was.category, now.category) for one, (was, now) in zip(examples, both, strict=True)]
    )
    of_units = _changes([(one.unit, was.unit, now.unit) for one, (was, now) in zip(examples, both, strict=True)])
    if as_json:
        print_json({"texts": len(examples), **of_categories, "units": of_units, "old": old.digest, "new": new.digest})
        return
    for what, changes in (("类别", of_categories), ("单位", of_units)):
        right = changes["right"]
        title = (
            f"{len(examples)} 件里 {changes['changed']} 件建议的{what}会变；"
            f"与最后定的相同：现在 {right['old']}，换了以后 {right['new']}"
        )
        rows = [(one["was"] or "—", one["now"] or "—", one["count"]) for one in changes["pairs"]]
        print_table(title, ("现在", "换了以后", "件"), rows)


def _changes(cases: Iterable[tuple[str | None, str | None, str | None]]) -> dict[str, Any]:
    """Count, over what was decided, suggested now and suggested then: what changes to what, and who was right how often."""
    pairs: Counter[tuple[str | None, str | None]] = Counter()
    right = {"old": 0, "new": 0}
    for decided, was, now in cases:
        right["old"] += was == decided
        right["new"] += now == decided
        if was != now:
            pairs[was, now] += 1
    changed = [{"was": was, "now": now, "count": n} for (was, now), n in pairs.most_common()]
    return {"changed": sum(pairs.values()), "right": right, "pairs": changed}


def learned(examples: Sequence[Example], scoring: Scoring, name: str) -> tuple[dict[str, Any], dict[str, Report]]:
    """Return the numbers of a model and the trials: by folds over all, and on the latest where all have a time."""
    if len(examples) < FEWEST:
        raise Refused(f"只有 {len(examples)} 条有类别的诉求，至少要 {FEWEST} 条")
    base = Seen(made_up(MADE_UP), scoring)
    numbers, figures = _tried(Seen([replace(one, place=()) for one in examples], scoring), base, name)
    with_units = [replace(one, category=one.unit) for one in examples if one.unit is not None]
    if len(with_units) >= FEWEST and len({one.unit for one in with_units}) > 1:
        numbers["units"], of_units = _tried(Seen(with_units, scoring), None, name)
        figures |= {f"单位，{how}": one for how, one in of_units.items()}
    return numbers, figures


def _tried(seen: Seen, base: Seen | None, name: str) -> tuple[dict[str, Any], dict[str, Report]]:
    """Fit a model to all, with its trials: by folds, and on the latest where all have a time."""
    settings, examples = Settings(), seen.examples
    found = crossed(seen, settings, base)
    about = {"texts": len(examples), "made_up": len(base.examples) if base is not None else 0}
    numbers = finished(fitted(seen, range(len(examples)), settings, base), name, found, about)
    confidence = numbers["confidence"]
    figures = {"五折": report(surer(found, confidence["slope"], confidence["offset"]))}
    split = by_time(examples, LATER)
    if split is not None and split[1] and len({examples[index].category for index in split[0]}) > 1:
        model = Model.read(written({**fitted(seen, split[0], settings, base), "confidence": confidence}))
        figures["按时间"] = report(tried(seen, split[1], model))
    return numbers, figures


def made_up_model(scoring: Scoring) -> dict[str, Any]:
    """Return the numbers of the model that ships: learned from made-up texts alone."""
    seen = Seen(made_up(MADE_UP), scoring)
    numbers = fitted(seen, range(len(seen.examples)), SHIPPED)
    about = {"texts": 0, "made_up": len(seen.examples)}
    return {**numbers, "name": "shipped", "confidence": SHIPPED_CONFIDENCE, "about": about}


def made_up(number: int) -> list[Example]:
    """Return so many made-up texts with their categories, always the same."""
    return [Example(str(n), one.title, one.body, one.category) for n, one in enumerate(corpus(Chance(SEED), number))]


def _examples(file: Path, label_file: Path) -> list[Example]:
    decided = labels(label_file)
    found = {one.id: one for one in texts(file) if one.id in decided}
    missing = len(decided.keys() - found.keys())
    if missing:
        err.print(f"{missing} 个有类别的编号不在 {file} 里，没有用到", style="yellow", markup=False)
    return [Example(key, one.title, one.body, decided[key], one.at) for key, one in found.items()]


def _write(out: Path, numbers: dict[str, Any]) -> None:
    data = written(numbers)
    out.write_bytes(data)
    err.print(f"模型已写到 {out}（{len(data) // 1024} KB，sha256 {Model.read(data).digest[:12]}）", markup=False)


def show(name: str, one: Report) -> None:
    """Print one trial: by threshold, by category, what was mixed up."""
    rows: Iterable[Iterable[object]] = [
        (f"{at.threshold:.1f}", at.suggested, f"{at.coverage:.0%}", "" if at.accuracy is None else f"{at.accuracy:.1%}")
        for at in one.thresholds
    ]
    title = f"{name}：{one.texts} 条，全部的准确率 {one.accuracy:.1%}"
    print_table(title, ("把握不低于", "建议", "覆盖", "准确率"), rows)
    print_table(
        f"{name}：各类别",
        ("类别", "实有", "建议为", "对"),
        [(c.category, c.decided, c.said, c.right) for c in one.categories],
    )
    print_table(f"{name}：混淆（最多 15 项）", ("实为", "建议为", "件"), one.mixed_up[:15])
