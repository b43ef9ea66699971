"""docs/assessment.md says what a scheme may say: its example is sound, its facts are all there are."""

import re

from tests import ROOT
from tests.assessing import workflow_of

from wuye_loop.authoring.assessment.check import check_scheme
from wuye_loop.domain.assessment.fact_names import FACTS
from wuye_loop.store.assessment import measures

PAGE = (ROOT / "docs/assessment.md").read_text(encoding="utf-8")


def test_the_example_is_a_sound_scheme() -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    scheme, findings = check_scheme(text, "example@1.yaml", workflows=workflow_of)
    assert [str(one) for one in findings] == []
    assert scheme is not None


def test_every_fact_is_told_of_and_has_its_place_in_the_store() -> None:
    assert set(measures._FACTS) == set(FACTS)
    assert [fact for fact in FACTS if f"`{fact}`" not in PAGE] == []
