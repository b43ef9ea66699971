"""docs/assessment.md says what a scheme may say: its examples are sound, its facts are all there are."""

import re

import pytest
from tests import ROOT
from tests.assessing import FOLDER, scheme_text, workflow_of

from wuye_loop.authoring.assessment.check import check_scheme
from wuye_loop.authoring.assessment.trial import read_scheme_script, run_scheme_tests
from wuye_loop.domain.assessment.fact_names import FACTS
from wuye_loop.domain.assessment.opening import parse_scheme
from wuye_loop.domain.rulefile.reader import read
from wuye_loop.store.assessment import measures
from wuye_loop.store.workflows.files import bases

PAGE = (ROOT / "docs/assessment.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
(WHOLE,) = (one for one in EXAMPLES if one.startswith("kind: assessment"))
SCRIPTS = [one for one in EXAMPLES if one.startswith("tests:")]
PARTS = [one for one in EXAMPLES if one != WHOLE and one not in SCRIPTS]


def test_the_example_is_a_sound_scheme() -> None:
    scheme, findings = check_scheme(WHOLE, "example@1.yaml", workflows=workflow_of)
    assert [str(one) for one in findings] == []
    assert scheme is not None


@pytest.mark.parametrize("part", PARTS)
def test_a_part_stands_in_a_scheme_that_extends_kuiwens(part: str) -> None:
    head = "kind: assessment\nextends: kuiwen@1\nname: example\nversion: 1\ntitle: 示范区物业服务考核\n"
    scheme, findings = check_scheme(head + part, "example@1.yaml", bases(None, (FOLDER,)), workflow_of)
    assert [str(one) for one in findings if one.severity == "error"] == []
    assert scheme is not None


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_definition_tests_of_the_page_pass(script: str) -> None:
    doc = read(f"assessment: kuiwen@1\n{script}", "example.test.yaml")
    tried = run_scheme_tests(parse_scheme(scheme_text("kuiwen@1"), "x"), read_scheme_script(doc), doc)
    assert [failure for one in tried for failure in one.failures] == []


def test_every_fact_is_told_of_and_has_its_place_in_the_store() -> None:
    assert set(measures._FACTS) == set(FACTS)
    assert [fact for fact in FACTS if f"`{fact}`" not in PAGE] == []
