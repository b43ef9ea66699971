import csv
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from typer.testing import CliRunner, Result

from wuye_loop.cli import app
from wuye_loop.cli.texts import texts
from wuye_loop.demo.chance import Chance
from wuye_loop.demo.invented.corpus import corpus
from wuye_loop.domain.suggesting.model import _SHIPPED as SHIPPED
from wuye_loop.domain.suggesting.model import Model

KEYS = ["id", "category", "confidence", "urgency", "unit", "why"]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Stand where there is no installation, and where asking for a database would fail."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WUYE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")


def run(*args: object) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args], catch_exceptions=False)


def sheet(file: Path, number: int, seed: int = 99) -> dict[str, str]:
    """Write made-up complaints with times; return their categories by id."""
    decided = {}
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["message_id", "title", "detail", "created_at"])
        for n, one in enumerate(corpus(Chance(seed), number)):
            decided[f"m{n}"] = one.category
            writer.writerow([f"m{n}", one.title, one.body, f"2026-{n % 12 + 1:02d}-{n % 28 + 1:02d} 08:00:00"])
    return decided


@pytest.mark.usefixtures("alone")
def test_each_row_is_one_line_with_the_keys_that_were_agreed() -> None:
    Path("x.csv").write_text(
        "工单编号,标题,内容\n7,三号楼电梯停运,电梯坏了五天没人修\n8,楼下着火了,我家楼下着火了，快来人\n9,,\n"
        "10,消防隐患,一旦发生火灾后果不堪设想\n",
        encoding="utf-8",
    )
    done = run("suggest", "x.csv", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [list(row) for row in rows] == [KEYS] * 4
    assert [row["id"] for row in rows] == ["7", "8", "9", "10"]
    assert [row["category"] for row in rows[:3]] == ["电梯", "消防安全", None]
    assert [row["urgency"] for row in rows] == ["平急", "特急", "平急", "平急"]
    assert any("着火" in words for words in rows[1]["why"])
    assert all(0 <= row["confidence"] <= 1 and row["unit"] is None for row in rows)


@pytest.mark.usefixtures("alone")
def test_a_model_is_learned_tried_and_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wuye_loop.cli.learn.MADE_UP", 150)
    decided = sheet(Path("x.csv"), 140)
    Path("y.tsv").write_text("message_id\tcategory\n" + "".join(f"{k}\t{v}\n" for k, v in decided.items()), "utf-8")
    done = run("learn", "x.csv", "--labels", "y.tsv", "--out", "m.json", "--json")
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert set(figures) == {"model", "五折", "按时间"}
    whole = figures["五折"]
    assert whole["texts"] == len(decided)
    assert whole["accuracy"] == round(whole["right"] / whole["texts"], 4)
    assert whole["accuracy"] > 0.6
    assert sum(one["decided"] for one in whole["categories"]) == len(decided)
    assert whole["thresholds"][0]["coverage"] == 1
    model = Model.load(Path("m.json"))
    assert model.about["texts"] == len(decided)
    monkeypatch.setattr("wuye_loop.trial.learning.evaluation.FOLDS", 2)  # what is learned does not hang on the trials
    again = run("learn", "x.csv", "--labels", "y.tsv", "--out", "again.json", "--json")
    assert again.exit_code == 0
    assert Model.load(Path("again.json")).judge("电梯", "停运", ()) == model.judge("电梯", "停运", ())
    said = [json.loads(line) for line in run("suggest", "x.csv", "--model", "m.json", "--json").stdout.splitlines()]
    assert sum(row["category"] == decided[row["id"]] for row in said) / len(said) > 0.9


@pytest.mark.usefixtures("alone")
def test_what_cannot_be_learned_from_is_refused_in_words() -> None:
    sheet(Path("x.csv"), 100)
    Path("y.tsv").write_text("message_id\tcategory\nm1\t电梯\n", "utf-8")
    Path("z.tsv").write_text("a\tb\nm1\t电梯\n", "utf-8")
    Path("twice.tsv").write_text("message_id\tcategory\nm1\t电梯\nm1\t其他\n", "utf-8")
    Path("m.json").write_text("{}", "utf-8")
    for args, words in (
        (("learn", "x.csv", "--labels", "y.tsv"), "至少要 20 条"),
        (("learn", "x.csv", "--labels", "z.tsv"), "类别列"),
        (("learn", "x.csv", "--labels", "twice.tsv"), "两个不同的类别"),
        (("learn", "x.csv"), "--labels"),
        (("suggest", "x.csv", "--model", "m.json"), "不是分类模型文件"),
        (("suggest", "x.csv", "--model", "none.json"), "读不出来"),
    ):
        done = run(*args)
        assert (done.exit_code, words in done.stderr) == (1, True), done.output


#: One process for both: most of a command's time is that of its imports.
HIDDEN = """
import contextlib, sys
sys.modules.update(dict.fromkeys(("sklearn", "numpy", "scipy")))
from wuye_loop.cli import main
sys.argv = ["wuye-loop", "suggest", "x.csv", "--json"]
with contextlib.suppress(SystemExit):
    main()
sys.argv = ["wuye-loop", "learn", "t.csv", "--labels", "y.tsv"]
main()
"""


def test_without_scikit_learn_everything_but_learning_works(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("编号,标题,内容\n7,三号楼电梯停运,电梯坏了没人修\n", encoding="utf-8")
    decided = sheet(tmp_path / "t.csv", 100)
    (tmp_path / "y.tsv").write_text("id\tcategory\n" + "".join(f"{k}\t{v}\n" for k, v in decided.items()), "utf-8")
    done = subprocess.run([sys.executable, "-c", HIDDEN], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["category"] == "电梯"
    assert done.returncode == 1
    assert "scikit-learn" in done.stderr


def test_a_model_is_published_chosen_and_put_back(run: Run) -> None:
    assert json.loads(run("model", "list", "--json").stdout) == []
    for name in ("town@1", "town@2"):
        assert run("model", "publish", SHIPPED, "--as", name).exit_code == 0
    assert "没有发布过" in run("model", "use", "town@9").stderr
    for name in ("town@1", "town@2", "town@1"):
        assert run("model", "use", name).exit_code == 0
    first, second = json.loads(run("model", "list", "--json").stdout)
    assert (first["id"], first["sha256"]) == ("town@1", Model.shipped().digest)
    assert first["in_use"] or second["in_use"]
    assert run("model", "use", "none").exit_code == 0
    assert not any(one["in_use"] for one in json.loads(run("model", "list", "--json").stdout))
    compared = run("learn", "--from", "records", "--compare", SHIPPED, "--json")
    assert json.loads(compared.stdout)["texts"] == 0


@pytest.mark.usefixtures("alone")
def test_a_rising_matter_is_told_with_what_was_to_be_expected() -> None:
    rows = [f"{n},电梯停运,电梯坏了,2026-{n % 5 + 1:02d}-03 08:00:00,东苑" for n in range(5)]
    rows += [f"x{n},半夜施工噪音扰民,工地通宵施工,2026-05-1{n % 3} 08:00:00,西苑" for n in range(8)]
    Path("x.csv").write_text("编号,标题,内容,时间,小区\n" + "\n".join(rows), encoding="utf-8")
    (found,) = [json.loads(line) for line in run("rising", "x.csv", "--json").stdout.splitlines()]
    assert (found["estate"], found["category"]) == ("西苑", "噪音扰民")
    assert found["count"] >= 3 > found["expected"]


@pytest.mark.parametrize(
    "written", ["2026-11-20 9:05:00", "2026年11月20日9时5分", "2026.11.20 上午9:05", "2026/11/20 09:05"]
)
def test_when_it_was_told_is_read_in_every_spelling_that_import_reads(tmp_path: Path, written: str) -> None:
    file = tmp_path / "told.csv"
    file.write_text(f"编号,标题,发生时间\n1,电梯停运,{written}\n", encoding="utf-8-sig")
    (one,) = texts(file)
    assert one.at == datetime(2026, 11, 20, 9, 5, tzinfo=UTC)
