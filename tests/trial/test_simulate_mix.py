"""A simulation plays the population that a file really gets, and each of it starts where the machine starts it."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from wuye_loop.authoring.checker.check import load as load_workflow
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.settings import shipped
from wuye_loop.store.workflows.files import bases
from wuye_loop.trial.sandbox.sandbox import Sandbox
from wuye_loop.trial.simulation.inputs.load import Load, channels_of, completed
from wuye_loop.trial.simulation.inputs.places import Places
from wuye_loop.trial.simulation.inputs.profiles import Profiles
from wuye_loop.trial.simulation.inputs.staff import Staff
from wuye_loop.trial.simulation.results.report import mix, mix_words
from wuye_loop.trial.simulation.scenario import scene_of

FILES = sorted(shipped("workflows").glob("*@*.yaml"))
MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)


def rules_of(path: Path) -> Rules:
    return Rules(load_workflow(path.read_bytes(), path.name, bases(path, ())))


def answer(spec: FieldSpec) -> Any:
    if spec.type in ("choice", "scale"):
        return spec.choices[0]
    return {"int": spec.min or 1, "bool": True, "date": "2026-12-31", "file": []}.get(spec.type, "东门")


def filled(needs: dict[str, FieldSpec], channel: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, spec in needs.items():
        facts = {"channel": channel, **{f"form.{key}": value for key, value in found.items()}}
        if not spec.optional and (spec.when is None or spec.when.holds(facts)):
            found[name] = answer(spec)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_channel_of_the_mix_starts_where_the_machine_starts_it(path: Path) -> None:
    rules = rules_of(path)
    load = completed(Load(), rules.workflow, 10)
    profiles = Profiles(rules, load, Places(rules.workflow, load.streets))
    drawn = {
        one.facts["channel"]: one
        for lot in range(0, 1 << 64, (1 << 64) // 4096 | 1)
        for one in [profiles.of(lot * 0x9E3779B97F4A7C15 % (1 << 64))]
    }
    assert set(drawn) == set(load.channels)
    for channel, profile in drawn.items():
        origin, source = rules.source_of(channel)
        box = Sandbox(rules, now=MONDAY)
        box.receive(
            {
                "channel": channel,
                "title": "楼道灯不亮",
                "body": "三号楼",
                "extra": filled(dict(source.needs), channel) if source else {},
            }
        )
        entry = box.case().entries[0]
        assert (profile.start, profile.facts["origin"]) == (entry.to_state, origin), channel


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_hotline_is_never_dropped_where_sources_are_named(path: Path) -> None:
    workflow = rules_of(path).workflow
    share = channels_of(workflow)
    if any(not source.channels for source in workflow.sources.values()) or not workflow.sources:
        total = sum(share.values())
        assert (share["电话"] + share["网络"]) / total >= 0.8 - 1e-9
    for source in workflow.sources.values():
        assert set(source.channels) <= set(share)


def test_the_mix_is_told_in_words_and_as_shares() -> None:
    rules = rules_of(shipped("workflows") / "kuiwen@2.yaml")
    load = completed(Load(), rules.workflow, 10)
    scene = scene_of(rules.workflow, load, Staff(), date(2026, 1, 1), 30)
    assert mix(scene)["sources"]["through_train"] == pytest.approx(0.8)
    assert "“物业直通车”平台和 12345 热线 80%" in mix_words(scene)
