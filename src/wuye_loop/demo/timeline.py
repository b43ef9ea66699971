"""One grievance's whole way, told row by row from its ledger as a supervisor reads it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from wuye_loop.demo.invented.complaints import ZONE
from wuye_loop.demo.scene import SUPERVISOR, Case, Scene
from wuye_loop.domain.language.workflow import Workflow

# What makes a way worth telling, and how much.
_WORTH = {"send_back": 4, "extend": 3, "suspend": 3, "order": 5, "reopen": 3, "pressed": 2, "help": 1, "handed over": 2}
_WORDS = {
    "reason": "理由", "legal_basis": "依据", "suggest": "建议", "result": "结果", "public_reply": "答复", "days": "工作日",
    "until": "至", "satisfied": "评价", "solved": "是否解决", "outcome": "回访", "measures": "措施", "demand": "要求",
    "note": "说明", "document": "文号", "comment": "意见",
}  # fmt: skip
_OTHERS = {"system": "系统", "hotline": "12345 热线"}
_LONGEST = 60


def choose(scene: Scene) -> Case | None:
    """Return the case that went through most."""
    return max(scene.cases.values(), key=_worth, default=None)


def _worth(case: Case) -> tuple[int, str]:
    told = sum(worth for what, worth in _WORTH.items() if case.times.get(what))
    return told + 4 * (case.cycle - 1) + (6 if case.state == "closed" else 0), case.key


async def show(console: Console, scene: Scene, workflow: Workflow) -> None:
    """Print the way of the most eventful case."""
    case = choose(scene)
    if case is None:
        return
    view = await scene.doors.one(SUPERVISOR, f"/v1/grievances/{case.number}")
    rows = await scene.doors.all(SUPERVISOR, f"/v1/grievances/{case.number}/ledger")
    title = f"六、一件诉求的全程：{case.number} {view['title']}（{view['category'] or '未分类'}，{view['urgency']}）"
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in ("时间", "环节", "动作", "由谁", "内容"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*_told(row, scene, workflow))
    table.columns[0].no_wrap = True
    table.columns[1].no_wrap = True
    console.print(table)
    console.print()


def _told(row: Mapping[str, Any], scene: Scene, workflow: Workflow) -> tuple[str, ...]:
    at, actor = datetime.fromisoformat(row["at"]).astimezone(ZONE), row["actor"]
    who = actor["unit_name"] or actor["role_title"] or _OTHERS.get(actor["kind"], "")
    said = "；".join(_facts(row["facts"], scene, workflow))
    if row["action"] == "receive" and said:
        said = f"转办预判：{said}"
    return f"{at:%m-%d %H:%M}", row["stage_title"] or "", row["title"], who, said


def _facts(facts: Mapping[str, Any], scene: Scene, workflow: Workflow) -> Iterator[str]:
    """Yield what a row says, a few words for each fact that people ask about."""
    if facts.get("unit"):
        yield f"给：{_short(facts['unit'], scene)}"
    for name, word in _WORDS.items():
        if facts.get(name):
            yield f"{word}：{_short(facts[name], scene)}"
    for trace in facts.get("routing", ()):
        if trace["outcome"] in ("matched", "fallback") and trace["kind"] != "desk":
            yield f"{trace.get('title') or '人工'}：{trace['why']}"
    for instrument in facts.get("do", ()):
        yield workflow.instruments[instrument].title
    if facts.get("act") in workflow.actions and facts.get("applies"):
        yield f"系统{workflow.actions[facts['act']].title}"
    if facts.get("extended"):
        yield "办理时限顺延"


def _short(value: object, scene: Scene) -> str:
    text = str(scene.units[str(value)]["name"]) if str(value) in scene.units else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
