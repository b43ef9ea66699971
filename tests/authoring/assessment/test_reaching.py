"""What a directory lacks for a scheme: told before the day on which it would be needed."""

from typing import Any

import pytest
from tests.assessing import scheme_text, workflow_of
from tests.site import DIRECTORY, unit

from wuye_loop.authoring.assessment.check import check_scheme
from wuye_loop.domain.directory.directory import Area, Directory, Unit

WHOLE = [*DIRECTORY["units"], unit("district-party-office", "区委办公室", "office", "3707")]


def directory(units: list[dict[str, Any]]) -> Directory:
    known = DIRECTORY["areas"]
    areas = [Area(one["code"], one["name"], one["level"], one["parent"], f"{one['code']}/") for one in known]
    made = [
        Unit(
            one["code"],
            one["name"],
            one["kind"],
            one["area"],
            one["parent"],
            tuple(one["duties"]),
            one.get("active", True),
        )
        for one in units
    ]
    return Directory(areas, made)


def told(name: str, units: list[dict[str, Any]], was: str = "", is_: str = "") -> list[tuple[str, str, str]]:
    text = scheme_text(name)
    assert was in text
    _, findings = check_scheme(text.replace(was, is_, 1), f"{name}.yaml", None, workflow_of, directory(units))
    return [(one.severity, one.code, one.message) for one in findings]


@pytest.mark.parametrize("name", ["kuiwen@1", "kuiwen-estates@1"])
def test_a_whole_directory_lacks_nothing(name: str) -> None:
    assert told(name, WHOLE) == []


def test_a_unit_that_is_to_open_and_is_not_there_is_an_error() -> None:
    lost = [one for one in WHOLE if one["code"] != "district-party-office"]
    (one,) = told("kuiwen-estates@1", lost)
    assert one[:2] == ("error", "no-unit")
    assert one[2].startswith("目录里没有“区委办公室”（district-party-office）：处置“")
    ended = [one | {"active": False} if one["code"] == "district-party-office" else one for one in WHOLE]
    assert told("kuiwen-estates@1", ended) == [one]


def test_a_duty_that_nobody_has_in_one_street_is_a_remark_and_nowhere_an_error() -> None:
    idle = [one | {"duties": []} if one["code"] == "office-2" else one for one in WHOLE]
    words = [message for severity, _, message in told("kuiwen@1", idle) if severity == "warning"]
    assert words == [
        "西关街道没有“街道物业办”：在那里“街道巡查评分”办不了",
        "西关街道没有“街道物业办”：在那里处置“全区通报表扬”的通报抄送不发",
    ]
    nobody = [one | {"duties": []} if one["code"].startswith("office") else one for one in WHOLE]
    assert [(severity, message) for severity, _, message in told("kuiwen@1", nobody)] == [
        ("error", "目录里没有“街道物业办”：“街道巡查评分”办不了"),
        ("warning", "目录里没有“街道物业办”：处置“全区通报表扬”的通报抄送不发"),
    ]


def test_of_several_who_may_get_it_one_is_enough() -> None:
    idle = [one | {"duties": []} if one["code"] == "office-2" else one for one in WHOLE]
    both = ("copies: [street]", "to: [street, command]")
    assert [message for _, _, message in told("kuiwen@1", idle, *both) if "送达" in message] == []
    none = [one for one in idle if one["code"] != "command-office"]
    assert [message for _, _, message in told("kuiwen@1", none, *both) if "送达" in message] == [
        "西关街道没有“街道物业办”、“区物业管理改革提升指挥部办公室”：在那里处置“全区通报表扬”的通报送达办不了"
    ]


def test_whom_an_appeal_goes_up_to_must_be_there() -> None:
    lost = [one for one in WHOLE if one["code"] != "district-party-office"]
    above = "silence: above, above: {decided_by: party_office, decides: 5 workdays}"
    (one,) = told("kuiwen@1", lost, "silence: kept", above)
    assert one[2] == "目录里没有“区委办公室”（district-party-office）：逾期未裁定的申诉交上去以后办不了"
