"""Every command. `main` is the program `wuye-loop`."""

import signal
from types import FrameType
from typing import Annotated, Final, NoReturn

import typer

from wuye_loop import __version__
from wuye_loop.cli.catalogue import listing
from wuye_loop.cli.output import group

__all__ = ["app", "main"]

# A new command is a line here: its name, the module and function (or group) that it is, and what `--help` says of it.
COMMANDS: Final = {
    "directory": ("wuye_loop.cli.directory:commands", "属地、单位、小区、人员。 / areas, units, estates, people"),
    "key": ("wuye_loop.cli.keys:commands", "访问密钥。 / API keys"),
    "approval": ("wuye_loop.cli.approvals:commands", "要第二个人批准的事。 / what takes a second person"),
    "audit": ("wuye_loop.cli.audit:commands", "审计：谁看了谁的身份，密钥登记。 / who saw whom, the register of keys"),
    "user": ("wuye_loop.cli.users:commands", "登录页面的账号。 / accounts of people"),
    "calendar": ("wuye_loop.cli.calendar:commands", "工作日历：节假日与调休。 / the working calendar"),
    "workflow": ("wuye_loop.cli.workflow:commands", "已发布的流程版本。 / published workflows"),
    "model": ("wuye_loop.cli.models:commands", "学出来的模型：发布、选用、换回。 / learned models"),
    "check": (
        "wuye_loop.cli.check:check_files",
        "检查流程文件：每处问题一行 “文件:行:列: 说明”；有错误时退出码为 1。 / prove workflow files.",
    ),
    "schema": (
        "wuye_loop.cli.schema:schema",
        "输出流程文件的 JSON Schema，供编辑器提示和校验。 / the JSON Schema of workflow files, for editors.",
    ),
    "draw": ("wuye_loop.cli.draw:draw", "画出流程图。 / draw a workflow."),
    "diff": ("wuye_loop.cli.diff:diff", "比较两版规则：对谁有什么变化，逐句说明。 / what changes for whom, in words."),
    "explain": (
        "wuye_loop.cli.explain:explain",
        "说明一件诉求：为什么是这个单位、这个期限，什么动作为什么做不了。 / why a grievance is where it is.",
    ),
    "test": (
        "wuye_loop.cli.test:run_tests",
        "运行流程的定义测试：每个测试一行，失败的写明“文件:行:列: 应为什么，实为什么”；有失败时退出码为 1。 / run definition tests.",
    ),
    "score": (
        "wuye_loop.cli.score:score",
        "评价考核：算一期的得分、名次和榜单，到期的封账。 / score a period, freeze it when it has ended.",
    ),
    "publish": (
        "wuye_loop.cli.score:publish",
        "公布一期考核：通报编号，榜单带来的整改、文书和信用分各发生一次。 / publish a closed period.",
    ),
    "explain-score": (
        "wuye_loop.cli.score:explain_score",
        "说明一个得分：每一项的分子、分母、剔除和算式。 / why a score is what it is.",
    ),
    "voices": (
        "wuye_loop.cli.voices:enter_voices",
        "评价考核：导入评分名单，一户（或一个单位）一票，封账前可改。 / enter a list of scores.",
    ),
    "credit": ("wuye_loop.cli.credit:commands", "信用分：查看、记录、终止。 / credit of units"),
    "bulletin": (
        "wuye_loop.cli.bulletin:commands",
        "通报：核对一份通报的数字。 / bulletins: check the figures of a published one",
    ),
    "import": (
        "wuye_loop.cli.imports:import_file",
        "批量导入诉求：同来源同编号只收一次，可反复执行；不合格的行写入 FILE.bad.csv 并注明原因。 / import grievances.",
    ),
    "strike": (
        "wuye_loop.cli.strike:strike_file",
        "抹除身份：表格里的文字会抹去什么，带数字的留下什么；不用数据库，不改原文件。 / what would be struck out of a sheet.",
    ),
    "suggest": (
        "wuye_loop.cli.suggest:suggest_rows",
        "表里每一行：建议的类别、把握、紧急程度和原因；不用安装，不用数据库。 / suggest a category for each row.",
    ),
    "rising": (
        "wuye_loop.cli.rising:rising",
        "表里哪些小区、哪类诉求在某一周比往常多得不像碰巧；误报有上限。 / which matters rose, day by day.",
    ),
    "learn": (
        "wuye_loop.cli.learn:learn",
        "从已经定下的类别学出一个模型，并如实说它有多准；要用 scikit-learn。 / learn a model from what was decided.",
    ),
    "data": ("wuye_loop.cli.data:commands", "数据目录。 / the data folder"),
    "doctor": (
        "wuye_loop.cli.doctor:doctor",
        "体检：哪里不对、怎么办；有误时退出码为 1。什么也不改。 / what is wrong with this installation.",
    ),
    "verify": (
        "wuye_loop.cli.verify:verify",
        "重放台账：核对序号、密钥链、状态、时限、文书、评价、登记簿；有任何不符即退出码 1。 / replay the ledger",
    ),
    "anchor": (
        "wuye_loop.cli.erasing:anchor",
        "立锚：把全部台账的末行写到数据库之外，以后被删、被换的都看得出来；work 进程会定时做。 / anchor every ledger",
    ),
    "erase": (
        "wuye_loop.cli.erasing:erase",
        "销毁一件办结的诉求里是谁、说了什么：密钥、文字、文件都不可恢复，台账照样核对。 / erase a person and every word",
    ),
    "retention": ("wuye_loop.cli.retention:commands", "保管期限、依法保留与销毁清单。 / retention, holds, destruction"),
    "master-key": ("wuye_loop.cli.erasing:master_key", "主密钥：轮换。 / master keys"),
    "migrate": (
        "wuye_loop.cli.migrate:migrate",
        "在办诉求迁到新版流程：时限连同已过的时间带走，每件记一行台账；可中断，再运行即接着办。 / move running grievances.",
    ),
    "replay": (
        "wuye_loop.cli.replay:replay",
        "拿已有的诉求试另一版流程：承办单位、时限、督办、动作有什么不同；什么都不改。 / try other rules on the record.",
    ),
    "simulate": (
        "wuye_loop.cli.simulate:simulate",
        "模拟一年：各单位的积压、按时率和督办，以及“如果改时限、减人手”会怎样。 / simulate a year under a workflow.",
    ),
    "demo": (
        "wuye_loop.cli.demo:demo",
        "演示：在虚构的城区里，把 30 天的诉求从收集走到评价；不碰真实数据。 / play thirty days in a made-up district.",
    ),
    "up": ("wuye_loop.cli.serving:up", "启动全部：服务、督办扫描与内嵌数据库。"),
    "serve": ("wuye_loop.cli.serving:serve", "只启动服务；督办扫描由 work 进程承担。"),
    "work": ("wuye_loop.cli.serving:work", "只启动督办扫描与后台任务；可在多台机器上各起若干个。"),
}

app = group(cls=listing(COMMANDS))


def _version(wanted: bool) -> None:  # noqa: FBT001 typer calls it so
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def wuye_loop(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="显示版本。 / show the version")
    ] = False,
) -> None:
    """物业诉求闭环：从 12345 工单到评价归档。 / a closed loop for residents' grievances."""


def main() -> None:
    """Run the program; SIGTERM and a closed terminal end it cleanly, so that our own database server is stopped."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _leave)
    app(prog_name="wuye-loop")


def _leave(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
