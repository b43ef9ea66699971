"""`wuye-loop draw --live` on an installation with three grievances that nobody has taken up."""

import re
from xml.etree import ElementTree as ET

from tests.cli.conftest import Run


def test_a_live_drawing_counts_what_is_open_in_each_state(look: Run) -> None:
    drawn = look("draw", "kuiwen@1", "--live")
    assert drawn.exit_code == 0
    assert 'state "待受理（3 件）" as s_received' in drawn.stdout
    assert 'state "承办中（0 件）" as s_handling' in drawn.stdout
    assert re.search(r"%% \d{4} 年 \d+ 月 \d+ 日 \d\d#58;\d\d 在办 3 件", drawn.stdout)
    picture = look("draw", "kuiwen@1", "--svg", "--live")
    words = ["".join(node.itertext()) for node in ET.fromstring(picture.stdout).iter() if node.get("class") == "live"]  # noqa: S314 our own text
    assert words[0] == "3 件"
    assert set(words[1:]) == {"0 件"}


def test_a_version_that_nothing_is_pinned_to_counts_nothing(look: Run) -> None:
    assert "在办 0 件" in look("draw", "standard@1", "--live").stdout
