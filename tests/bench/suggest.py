"""`python -m tests.bench.suggest TEXTS LABELS`: what suggestions are worth on complaints with labels, and what they cost.

TEXTS is a sheet of complaints, LABELS their categories and urgencies. Nothing of them is kept. `--held FILE` gives labels
that are only tried, with the model learned from LABELS; without it the same labels are tried in folds.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from wuye_loop.cli.learn import MADE_UP, SEED, learned, made_up
from wuye_loop.cli.suggest import lifted, suggested
from wuye_loop.cli.texts import Text, labels, rules_for, texts
from wuye_loop.demo.chance import Chance
from wuye_loop.demo.invented.corpus import corpus
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.suggesting.model import Model, written
from wuye_loop.domain.suggesting.suggestion import guess
from wuye_loop.domain.terms import Urgency
from wuye_loop.trial.learning.evaluation import Report, Tried, crossed
from wuye_loop.trial.learning.examples import Example
from wuye_loop.trial.learning.training import Seen, Settings

OTHER = "其他"
COVERAGE = 0.7


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.suggest", description=__doc__)
    parser.add_argument("texts", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--held", type=Path)
    given = parser.parse_args()
    rules, every = rules_for(None), {text.id: text for text in texts(given.texts)}
    known = {key: name for key, name in labels(given.labels).items() if key in every}
    held = {key: name for key, name in labels(given.held).items() if key in every} if given.held else known
    _say(
        f"编造的诉求 {sum(1 for _ in corpus(Chance(SEED), MADE_UP))} 条；有类别的 {len(known)} 条；拿来试的 {len(held)} 条"
    )
    _keywords(rules, every, held)
    _judged("附带的模型", rules, Model.shipped(), every, held)
    examples = [Example(key, every[key].title, every[key].body, name, every[key].at) for key, name in known.items()]
    numbers, figures = learned(examples, rules.scoring, "bench")
    for name, one in figures.items():
        _figures(name, one)
    model = Model.read(written(numbers))
    if given.held:
        _judged("学习以后", rules, model, every, held)
    urgencies = _decided_urgencies(given.held or given.labels, every)
    if given.held:
        judged = {key: guess(rules.scoring, model, every[key].title, every[key].body).category for key in held}
    else:
        tried = crossed(Seen(examples, rules.scoring), Settings(), Seen(made_up(MADE_UP), rules.scoring))
        _surest(tried)
        judged = {one.id: one.said for one in tried}
    _urgencies(rules, every, urgencies, judged)
    _cost(rules, model, list(every.values()))


def _keywords(rules: Rules, every: Mapping[str, Text], held: Mapping[str, str]) -> None:
    right = sum((rules.suggest(every[key].title, every[key].body) or OTHER) == name for key, name in held.items())
    _say(f"只用流程的字词：{right}/{len(held)} = {right / len(held):.1%}")


def _judged(what: str, rules: Rules, model: Model, every: Mapping[str, Text], held: Mapping[str, str]) -> None:
    found = [(name, guess(rules.scoring, model, every[key].title, every[key].body)) for key, name in held.items()]
    right = sum((said.category or OTHER) == name for name, said in found)
    surest = sorted((one for one in found if one[1].category), key=lambda one: -one[1].confidence)
    top = surest[: round(COVERAGE * len(found))]
    held_right = sum(said.category == name for name, said in top)
    _say(f"{what}：全部 {right}/{len(found)} = {right / len(found):.1%}；最有把握的七成 {held_right / len(top):.1%}")


def _figures(name: str, one: Report) -> None:
    _say(f"学习以后（{name}）：全部 {one.right}/{one.texts} = {one.accuracy:.1%}")
    for at in one.thresholds:
        _say(f"  把握 ≥ {at.threshold:.1f}：覆盖 {at.coverage:.0%}，准确率 {at.accuracy or 0:.1%}")
    for of in one.categories:
        _say(f"  {of.category}：实有 {of.decided}，建议为 {of.said}，对 {of.right}")
    for was, said, times in one.mixed_up:
        _say(f"  实为{was}，建议为{said}：{times}")


def _surest(tried: Sequence[Tried]) -> None:
    top = sorted(tried, key=lambda one: -one.gap)[: round(COVERAGE * len(tried))]
    _say(f"学习以后（五折），最有把握的七成：{sum(one.right for one in top) / len(top):.1%}")


def _decided_urgencies(file: Path, every: Mapping[str, Text]) -> dict[str, str]:
    header, *lines = [line.split("\t") for line in file.read_text(encoding="utf-8-sig").splitlines()]
    if "urgency" not in header:
        return {}
    return {line[0]: line[header.index("urgency")] for line in lines if line[0] in every}


def _urgencies(
    rules: Rules, every: Mapping[str, Text], decided: Mapping[str, str], judged: Mapping[str, str | None]
) -> None:
    """Say every case that is urgent by either: its category is what a model says that has not learned from it."""
    pairs: Counter[tuple[str, str]] = Counter()
    for key, urgency in decided.items():
        said, words = lifted(rules, every[key], judged.get(key))
        pairs[urgency, said] += 1
        if {urgency, said} != {Urgency.NORMAL.value}:
            mark = "对" if urgency == said else "错"
            _say(f"  {mark} {key}：实为{urgency}，说成{said}（{judged.get(key)}；{'、'.join(words) or '没有字词'}）")
    _say("紧急程度：" + "；".join(f"实为{was}、说成{said} {n}" for (was, said), n in sorted(pairs.items())))
    alarms = sum(lifted(rules, text, None)[0] == Urgency.CRITICAL.value for text in every.values())
    _say(f"全部 {len(every)} 件里报特急 {alarms} 件")


def _cost(rules: Rules, model: Model, every: Sequence[Text]) -> None:
    rounds = []
    for _ in range(3):
        begun = time.process_time()
        for text in every:
            suggested(rules, model, text)
        rounds.append((time.process_time() - begun) / len(every) * 1000)
    _say(f"每件 {min(rounds):.2f} 毫秒（CPU，三轮里最快的一轮；{len(every)} 件）")


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")


if __name__ == "__main__":
    main()
