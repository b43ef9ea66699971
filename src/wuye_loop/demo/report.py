"""What a play shows: tables in the words of the people who read them."""

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from wuye_loop.demo import timeline
from wuye_loop.demo.results import DESK, Results
from wuye_loop.demo.scene import COMMAND, HOTLINE, SUPERVISOR, Scene
from wuye_loop.demo.stage import DATABASE
from wuye_loop.domain.language.workflow import Workflow

_WORST, _UNITS = 10, 20
_LEFT, _RIGHT = "left", "right"
_WHOLE = ("编号", "承办单位", "已逾期")  # columns whose words stay on one line


async def show(console: Console, found: Results, scene: Scene, workflow: Workflow, *, mapped: bool = False) -> None:
    """Print every table; what is overdue and one grievance's whole way are asked of the server.

    `mapped`: the complaints are real ones, whose places were mapped onto the made-up district.
    """
    console.rule("[bold]演示结果")
    _stages(console, found)
    _routing(console, found, mapped=mapped)
    late = await scene.doors.all(SUPERVISOR, "/v1/supervision/overdue")
    late.sort(key=lambda item: (item["due_at"], scene.cases[item["number"]].key))
    _overdue(console, late)
    _orders(console, found)
    _tasks(console, found)
    _units(console, found)
    await timeline.show(console, scene, workflow)
    _summary(console, found, scene)


def _print(
    console: Console,
    title: str,
    columns: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[object]],
    caption: str = "",
) -> None:
    table = Table(title=title, title_justify="left", title_style="bold")
    for name, side in columns:
        table.add_column(name, justify="right" if side == _RIGHT else "left", overflow="fold", no_wrap=name in _WHOLE)
    for row in rows:
        table.add_row(*("—" if cell is None else str(cell) for cell in row))
    console.print(table)
    console.print(f"[dim]{caption}[/]\n" if caption else "")


def _stages(console: Console, found: Results) -> None:
    total = found.summary.grievances
    rows = [(stage, state, number, percent(number, total)) for stage, state, number in found.states]
    columns = (("环节", _LEFT), ("状态", _LEFT), ("件数", _RIGHT), ("占比", _RIGHT))
    _print(console, "一、诉求所处环节", columns, [*rows, ("合计", "", total, percent(total, total))])


def _routing(console: Console, found: Results, *, mapped: bool) -> None:
    placed = found.summary.routed + found.summary.to_desk
    rows = [(title, number, percent(number, placed)) for title, number in found.routers]
    columns = (("由谁转办", _LEFT), ("件数", _RIGHT), ("占比", _RIGHT))
    share = percent(found.summary.to_desk, placed)
    caption = f"受理后首次转办 {placed} 件；路由定不下来、需要人工的 {found.summary.to_desk} 件，占 {share}"
    if mapped:
        caption += "\n文件里的小区不在虚构城区之内，已按哈希分到各街道，所以属地规则总能定出单位"
    _print(console, "二、问题转办", columns, rows or [(DESK, 0, None)], caption)


def _overdue(console: Console, late: list[dict[str, Any]]) -> None:
    worst = sorted(late, key=lambda item: -item["overdue_seconds"])[:_WORST]
    rows = [
        (
            item["number"],
            item["title"],
            item["clock_title"],
            item["overdue_text"],
            item["rung_title"],
            item["unit_name"] or item["holder_name"],
            "、".join(order["number"] for order in item["orders"] if order["number"]),
        )
        for item in worst
    ]
    columns = [(name, _LEFT) for name in ("编号", "诉求", "时限", "已逾期", "升级到", "在谁手里", "督办文号")]
    if not rows:
        console.print("[bold]三、逾期与升级[/]\n没有逾期未结的时限。\n")
        return
    _print(console, f"三、逾期与升级（最久的 {len(rows)} 项）", columns, rows, f"共 {len(late)} 项时限逾期未结")


def _orders(console: Console, found: Results) -> None:
    columns = (
        ("文书", _LEFT), ("如何发出", _LEFT), ("件数", _RIGHT), ("按期回复", _RIGHT), ("尚未销号", _RIGHT),
    )  # fmt: skip
    _print(console, f"四、督办单（共 {found.summary.orders} 件）", columns, found.orders)


def _tasks(console: Console, found: Results) -> None:
    if found.tasks:
        columns = (("任务", _LEFT), ("件数", _RIGHT), ("已了结", _RIGHT))
        _print(console, "本流程特有的环节", columns, found.tasks)


def _units(console: Console, found: Results) -> None:
    rows = [
        (
            row["unit_name"],
            row["clocks"],
            row["in_time"],
            as_percent(row["on_time_rate"]),
            row["open_overdue"],
            row["rated"],
            as_percent(row["satisfaction"]),
        )
        for row in found.units
        if row["clocks"] or row["rated"] or row["open_overdue"]
    ]
    columns = (
        ("承办单位", _LEFT), ("已结时限", _RIGHT), ("按期", _RIGHT), ("按期率", _RIGHT), ("逾期在办", _RIGHT),
        ("已评价", _RIGHT), ("满意率", _RIGHT),
    )  # fmt: skip
    rest = f"另有 {len(rows) - _UNITS} 个单位未列出；" if len(rows) > _UNITS else ""
    caption = f"{rest}按期率=按期/已结时限;满意率按满意 1、基本满意 0.9、不满意 0 折算；没有基数的不算率"
    _print(console, "五、按期率与满意率", columns, rows[:_UNITS], caption)


def _composite(found: Results) -> str:
    one = found.composite
    return f"，{one['title']} {as_percent(one['rate'])}" if one is not None else ""


def _summary(console: Console, found: Results, scene: Scene) -> None:
    one = found.summary
    sound = one.chain_ok and not one.drift
    console.print(
        f"[bold]七、台账核验[/] 逐件重放 {one.grievances} 件诉求的台账："
        f"偏差 [bold]{one.drift}[/]，哈希链[bold]{'完整' if one.chain_ok else '断裂'}[/] "
        f"{'[green]✓[/]' if sound else '[red]✗[/]'}"
    )
    for words in found.problems[:_WORST]:
        console.print(f"  {words}", markup=False, style="red")
    console.print(
        f"共 {one.grievances} 件：已结 {one.closed}，在办 {one.open}；升级督办 {one.escalations} 次，"
        f"督办单 {one.orders} 件；末次评价 {found.satisfaction['denominator']} 件，满意和基本满意 {one.satisfied} 件，"
        f"满意率 {as_percent(found.satisfaction['rate'])}（基本满意按流程的权重计）{_composite(found)}。"
    )
    refused = f"，其中 {len(scene.doors.refused)} 次为当时不允许的动作（409）" if scene.doors.refused else ""
    console.print(f"全部动作经 HTTP 接口完成：{scene.doors.calls} 次请求{refused}；用时 {one.seconds} 秒。\n")


def leave_word(console: Console, folder: Path, number: str) -> None:
    """Say how to go on with what the play left: it is not in the database that commands open by themselves."""
    console.print("[bold]接着看[/] 演示的数据在另一个库里，命令前面加上库名，如：")
    line = f"WUYE_DATABASE_NAME={DATABASE} wuye-loop explain {number} --data {shlex.quote(str(folder))}"
    console.print(line, markup=False, soft_wrap=True)
    console.print()


def promise(console: Console, address: str) -> None:
    """Say first what a newcomer came for: an address, and what can be done there."""
    console.print(f"[bold]演完（约一分钟）请用浏览器打开 {address}/ [/]")
    console.print("居民、热线、承办单位、督办、管理，点一下就进去，不用口令；数据都是虚构的。\n")


def invite(console: Console, address: str, scene: Scene) -> None:
    """Say where the server is, and three things to try, each with a key that works."""
    leads = Counter(
        case.lead for case in scene.cases.values() if case.lead and case.state in ("handling", "supervised")
    )
    unit = leads.most_common(1)[0][0] if leads else COMMAND
    order = (
        '{"external_id":"try-1","channel":"电话","kind":"投诉","title":"电梯停运两天","body":"三号楼电梯停运两天。",'
        '"place":{"estate":"E0101"},"complainant":{"anonymous":true}}'
    )
    console.print(f"[bold]请用浏览器打开 {address}/ [/]各个角色点一下就进去（只有演示里这样；Ctrl-C 结束）")
    console.print(f"[bold]接口文档[/] {address}/docs （演示用的密钥只在这个演示库里有效）\n")
    asked = {
        "12345 热线推送一件诉求": (HOTLINE, "/v1/grievances", f" -H 'Content-Type: application/json' -d '{order}'"),
        f"{scene.units[unit]['name']}的收件箱": (unit, "/v1/inbox?limit=5", ""),
        "督办人员看全区的逾期": (SUPERVISOR, "/v1/supervision/overdue?limit=5", ""),
    }
    for words, (who, path, rest) in asked.items():
        line = f"curl -s -H 'Authorization: Bearer {scene.doors.keys[who]}' '{address}{path}'{rest}"
        console.print(f"[dim]# {words}[/]")
        console.print(line, markup=False, soft_wrap=True)
    console.print()


def percent(part: float, whole: float) -> str:
    """Return a share in words; a dash where there is nothing to share."""
    return f"{100 * part / whole:.1f}%" if whole else "—"


def as_percent(rate: float | None) -> str:
    """Return a rate in words; a dash where it has no base."""
    return "—" if rate is None else f"{100 * rate:.1f}%"
