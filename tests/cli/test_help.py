"""Help loads nothing that it does not show."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
if {loaded}:
    import rich.markdown, rich.traceback
sys.argv = ["wuye-loop", *{words}]
from wuye_loop.cli import main
try:
    main()
except SystemExit:
    pass
kept = {{"markdown_it", "pygments"}} & set(sys.modules)
import rich.markdown
assert rich.markdown.Markdown.__module__ == "rich.markdown"
print("loaded:", *sorted(kept))
"""


@pytest.mark.parametrize("words", [["--help"], ["key", "--help"], []])
def test_help_is_the_same_without_loading_markdown_and_highlighting(words: list[str]) -> None:
    lean, whole = (
        subprocess.run(
            [sys.executable, "-c", PROGRAM.format(loaded=loaded, words=words)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for loaded in (False, True)
    )
    assert lean.endswith("loaded:\n")
    assert whole.endswith("loaded: markdown_it pygments\n")
    assert lean.splitlines()[:-1] == whole.splitlines()[:-1] != []
