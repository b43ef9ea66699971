import json
import re
from datetime import datetime, timedelta

from tests.cli.conftest import Run


def test_a_table_of_versions_gives_the_time_on_the_wall_and_json_the_instant(look: Run) -> None:
    (first, *_) = json.loads(look("workflow", "list", "--json").stdout)
    at = datetime.fromisoformat(first["published_at"])
    assert at.utcoffset() == timedelta(0)
    shown = look("workflow", "list").stdout
    assert f"{at + timedelta(hours=8):%Y-%m-%d %H:%M} " in shown
    assert not re.search(r"\d\dT\d\d:", shown)
