"""What may be wrong with an installation: one function a question, each answering in words."""

import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, islice
from typing import Final, Literal

from sqlalchemy.orm import Session

from wuye_loop import postgres
from wuye_loop.authoring.assessment.reaching import lacking
from wuye_loop.authoring.checker.check import check
from wuye_loop.cli.output import ZONE
from wuye_loop.domain.assessment.opening import parse_scheme
from wuye_loop.domain.assessment.periods import spoken
from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.errors import KeyRingBroken
from wuye_loop.domain.grievance.roles import wants_unit
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.privacy.access import holders
from wuye_loop.domain.privacy.access.holders import UNNAMED
from wuye_loop.domain.privacy.access.key_rules import POWERS
from wuye_loop.domain.rulefile.reader import YamlDocError
from wuye_loop.domain.time.skew import skew
from wuye_loop.settings import Settings, SettingsError, unheed_libpq
from wuye_loop.store import protection as tried
from wuye_loop.store import reach as fence
from wuye_loop.store.assessment import credit_rows, periods, schemes, voices
from wuye_loop.store.calendar.working_days import read_table
from wuye_loop.store.database import Database, UnfitDatabase
from wuye_loop.store.directory.read import read_directory
from wuye_loop.store.grievance import locking
from wuye_loop.store.grievance.locking import Looked
from wuye_loop.store.keys import api_keys, keyring
from wuye_loop.store.keys.api_keys import KeyRow
from wuye_loop.store.reads import health
from wuye_loop.store.workflows import files, versions
from wuye_loop.store.workflows.files import workflow_rules
from wuye_loop.web.oidc.provider import MISSING, installed, rules_of

_MAJORS: Final = (15, 18)
_PYTHONS: Final = ((3, 11), (3, 13))
_SKEW_SECONDS: Final = 2.0
_LAG: Final = timedelta(seconds=60)
_EXPIRES_SOON: Final = timedelta(days=30)
_NOTICE_MONTH: Final = 11  # the State Council's notice for the next year comes out from late October to late November
_SHOWN: Final = 5  # damaged records that are named
_GIB: Final = 1024**3

Level = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Remark:
    """One answer: `ok`, `warning` (look at it soon) or `wrong` (it does not work, or will lose something)."""

    level: Level
    topic: str
    words: str


def machine(settings: Settings) -> Iterator[Remark]:
    """Ask about Python, the disk and the key ring: what needs no database."""
    version = ".".join(map(str, sys.version_info[:3]))
    fit = _PYTHONS[0] <= sys.version_info[:2] <= _PYTHONS[1]
    yield Remark("ok" if fit else "wrong", "Python", f"{version}，支持 3.11、3.12、3.13")
    folder = next(place for place in (settings.data, *settings.data.absolute().parents) if place.exists())
    usage = shutil.disk_usage(folder)
    level: Level = "wrong" if usage.free < _GIB else "warning" if usage.free * 20 < usage.total else "ok"
    yield Remark(level, "磁盘", f"{folder} 还剩 {usage.free / _GIB:.1f} GiB")
    if settings.database_url is None and settings.data.is_dir():
        for elsewhere in postgres.outside(settings.data):
            words = f"{elsewhere} 也属于这个数据目录：内嵌数据库不能在 {settings.data} 里运行；连同数据一起删除用 data remove"
            yield Remark("ok", "数据位置", words)
    if names := unheed_libpq():
        words = f"{'、'.join(names)} 不起作用：用哪个数据库、怎么连，只看 WUYE_DATABASE_URL（证书等写在网址的参数里）"
        yield Remark("warning", "环境变量", words)
    if settings.oidc_issuer is not None:
        yield identity_system(settings)
    if settings.rehearsal:
        yield Remark("warning", "演练", "WUYE_REHEARSAL 开着：时钟可以拨动，不能用于真实诉求")


def identity_system(settings: Settings) -> Remark:
    """Ask whether people can sign in through the identity system that the settings name; it is not asked itself."""
    if not installed():
        return Remark("wrong", "统一身份认证", MISSING)
    try:
        rules = rules_of(settings)
    except SettingsError as error:
        return Remark("wrong", "统一身份认证", str(error))
    if settings.public_url is None:
        words = "没有设 WUYE_PUBLIC_URL：只有本机能用它登录，回到的地址也是本机的"
        return Remark("warning", "统一身份认证", words)
    words = f"{settings.oidc_issuer}，对照文件有 {len(rules.rules)} 条；登记的回到地址应是 {settings.public_url}/login/oidc/back"
    return Remark("ok", "统一身份认证", words)


def key_ring(settings: Settings, *, sealed: bool) -> Remark:
    """Ask whether identities can be read again, and by nobody else; `sealed` says that some are stored."""
    if settings.master_key is None and not settings.keys.exists():
        if sealed:
            return Remark("wrong", "身份密钥", f"{settings.keys} 不见了：已收诉求的身份信息读不出来，请从备份恢复")
        return Remark("ok", "身份密钥", "还没有，第一次收诉求时生成")
    try:
        keyring.rings(settings)
    except KeyRingBroken as error:
        return Remark("wrong", "身份密钥", error.detail)
    if settings.master_key is not None:
        return Remark("ok", "身份密钥", "来自 WUYE_MASTER_KEY")
    mode = stat.S_IMODE(settings.keys.stat().st_mode)
    return Remark("ok", "身份密钥", f"{settings.keys}（权限 {mode:o}）；请与数据库分开备份")


def server(database: Database, now: Callable[[], datetime]) -> Iterator[Remark]:
    """Ask about the server: version, what it promises, its clock, the tables' revision."""
    with database.read() as session:
        version = health.version(session)
        before = now()
        there = health.time_there(session)
        apart = abs(skew(before, there, now()).total_seconds())
    major = int(version.split(".")[0].split()[0])
    fit = _MAJORS[0] <= major <= _MAJORS[1]
    yield Remark("ok" if fit else "wrong", "数据库", f"PostgreSQL {version}，支持 {_MAJORS[0]} 到 {_MAJORS[1]}")
    try:
        database.check_durability()
        yield Remark("ok", "落盘", "fsync、full_page_writes、synchronous_commit 都开着")
    except UnfitDatabase as error:
        yield Remark("wrong", "落盘", str(error))
    late = "，时限会算错：请对时；相差超过 WUYE_CLOCK_BOUND_SECONDS，收件和督办就停下" if apart > _SKEW_SECONDS else ""
    yield Remark("wrong" if late else "ok", "时钟", f"本机与数据库相差 {apart:.1f} 秒{late}")
    at, head = database.current_revision(), database.head_revision()
    if at != head:
        yield Remark("wrong", "表结构", f"在 {at or '空库'}，程序要求 {head}：启动 up 或 serve 时会升级")
    elif lacking := database.lacking():
        yield from (
            Remark("wrong", "表结构", f"{words}：被人改过，请从备份恢复或补回来；在此之前不能启动") for words in lacking
        )
    else:
        yield Remark("ok", "表结构", f"{head}，是最新的，列和键都在")


def protection(database: Database) -> Iterator[Remark]:
    """Ask, by trying, what the program's own account could do to the tables; every try is rolled back."""
    if database.unprotected():
        words = "程序的数据库账号还没有得到它该有的权限（或多了权限）：启动 up 或 serve 时会给好"
        yield Remark("wrong", "台账保护", words)
        return
    with database.begin() as session:
        owner = tried.owned_by(session)
        allowed = [] if owner else tried.allowed(session)
        role = database.fenced
        beyond = fence.seen_beyond(session, role) if role is not None else 0
        session.rollback()
    if owner:
        words = (
            f"{owner}：程序出错或被人利用时，台账和它的触发器都改得动，只有 verify 事后看得出；"
            "请另设拥有这些表的账号（WUYE_OWNER_URL），见 docs/operations.md"
        )
        yield Remark("warning", "台账保护", words)
    elif allowed:
        yield Remark("wrong", "台账保护", f"程序的数据库账号不该能做的事做成了：{'、'.join(allowed)}（已撤回）")
    else:
        words = f"试过，程序的数据库账号都做不了：{'、'.join(tried.TRIES)}"
        yield Remark("ok", "台账保护", words)
    if owner:
        return
    if role is None:
        words = "查阅没有第二道防线（行级权限）：属主账号不能建角色；给它 CREATEROLE，再启动一次，见 docs/operations.md"
        yield Remark("warning", "查阅范围", words)
    elif beyond:
        yield Remark("wrong", "查阅范围", f"试着越过范围去查，查到了 {beyond} 行")
    else:
        yield Remark("ok", "查阅范围", "试过，单位、属地、热线的查阅在数据库里也越不过各自的范围")


def contents(session: Session, settings: Settings, now: datetime) -> Iterator[Remark]:
    """Ask about what the tables hold; they are at the newest revision."""
    yield key_ring(settings, sealed=health.any_sealed(session))
    yield from _calendar(session, now)
    directory = read_directory(session)
    if not directory.units:
        yield Remark("wrong", "目录", "没有任何单位：用 directory load 装入，或先用 directory load --demo 试试")
    published = versions.published(session)
    yield from _files(settings, published)
    named, trouble = _named(settings)
    if trouble is not None:
        yield Remark("wrong", "流程文件", trouble)
    for name, what in named.items():
        if name not in published:
            yield Remark("warning", "流程文件", f"{what} {name} 还没有发布：收不了诉求")
    rules: dict[str, Workflow] = {}
    # The units of a city that nobody here goes by need not be in this directory.
    used = {name for name, use in versions.in_use(session).items() if use.open} | named.keys()
    for name, definition in published.items():
        workflow, remarks = _definition(name, definition, directory if name in used else None)
        yield from remarks
        if workflow is not None:
            rules[name] = workflow
    yield from _keys(session, now)
    yield _records(session, rules)
    yield _unheld(session, rules)
    yield _sweep(session, now)
    yield from _schemes(session, rules, directory, settings.default_workflow)
    yield from _jobs(session)


def _calendar(session: Session, now: datetime) -> Iterator[Remark]:
    table, today = read_table(session), now.astimezone(ZONE)
    this, following = today.year, today.year + 1
    if this not in table.published:
        yield Remark("wrong", "工作日历", f"{this} 年的放假通知没有装入：时限都是暂定的，请用 calendar import 装入")
    elif following not in table.published and today.month >= _NOTICE_MONTH:
        words = f"{following} 年是推定的，跨年的时限标为暂定；通知一般在 10 月下旬至 11 月下旬公布，公布后用 calendar import 装入"
        yield Remark("warning", "工作日历", words)
    else:
        rest = "" if following in table.published else f"；{following} 年的通知一般在 11 月公布"
        yield Remark("ok", "工作日历", f"{this} 年已装入{rest}")


def _files(settings: Settings, published: Mapping[str, str]) -> Iterator[Remark]:
    for folder in settings.workflows:
        if not folder.is_dir():
            yield Remark("wrong", "流程文件", f"没有文件夹 {folder}")
            continue
        for path in sorted(folder.glob("*.yaml")):
            name = path.stem
            try:
                content = files.whole_text(path, settings.workflows)
            except YamlDocError as error:
                yield Remark("wrong", "流程文件", str(error))
                continue
            if name not in published:
                wrong = [str(one) for one in check(content, str(path))[1] if one.severity == "error"]
                yield from (Remark("wrong", "流程文件", words) for words in wrong)
                if not wrong:
                    yield Remark("warning", "流程文件", f"{path} 还没有发布：启动 up 或 serve 时发布")
            elif content != published[name]:
                then, now = versions.digest_of(published[name]), versions.digest_of(content)
                words = (
                    f"{path} 与已发布的 {name} 不同（已发布的 sha256 是 {then}，文件是 {now}）："
                    "已发布的不能改，请恢复文件，另用新版本号发布"
                )
                yield Remark("wrong", "流程文件", words)
            else:
                yield Remark("ok", "流程文件", f"{name} 与已发布的一致")


def _named(settings: Settings) -> tuple[dict[str, str], str | None]:
    """Return by which workflows new grievances go, each with where it is written, and what is wrong with how it is written."""
    try:
        chosen, trouble = workflow_rules(settings.workflow_by or "").names, None
    except SettingsError as error:
        chosen, trouble = (), str(error)
    return dict.fromkeys(chosen, "WUYE_WORKFLOW_BY 写的流程") | {settings.default_workflow: "默认流程"}, trouble


def _definition(name: str, definition: str, directory: Directory | None) -> tuple[Workflow | None, list[Remark]]:
    workflow, findings = check(definition, name, directory if directory and directory.units else None)
    wrong = [finding for finding in findings if finding.severity == "error"]
    if not wrong:
        known = "，用到的单位都在目录里" if directory and directory.units else ""
        return workflow, [Remark("ok", "流程", f"{name} 没有错误{known}")]
    return check(definition, name)[0], [Remark("wrong", "流程", str(finding)) for finding in wrong]


def _schemes(session: Session, rules: Mapping[str, Workflow], directory: Directory, ours: str) -> Iterator[Remark]:
    """Ask what schemes of assessment cannot carry out: from here on, and what was tried already."""
    for name, text in schemes.texts(session).items():
        scheme = parse_scheme(text, f"{name}.yaml")
        if (
            scheme.workflow.partition("@")[0] != ours.partition("@")[0]
            or scheme.id != schemes.named(session, scheme.name).id
        ):
            continue  # of another city, or an older version
        if scheme.workflow not in rules:
            yield Remark("wrong", "考核", f"{name} 所用的流程 {scheme.workflow} 没有发布：封不了账，也立不了案")
            continue
        for one in lacking(scheme, rules[scheme.workflow], directory) if directory.units else ():
            yield Remark("wrong" if one.grave else "warning", "考核", f"{name}：{one.words}")
    for stuck in periods.stuck(session):
        words = f"{stuck.scheme} {spoken(stuck.period)}到时没有封账或公布，试了 {stuck.tries} 次：{stuck.trouble}"
        yield Remark("wrong", "考核", words)
    for scheme_id, trouble in credit_rows.troubles(session):
        yield Remark("wrong", "考核", f"{scheme_id} 清退没有办成：{trouble}")
    if late := voices.appeals_put_off(session):
        yield Remark("wrong", "考核", f"{late} 件申诉逾期未裁定，按办法应当生效而没有办成：日志里有原因，一小时后再试")


def _keys(session: Session, now: datetime) -> Iterator[Remark]:
    live = [key for key in api_keys.listed(session) if key.revoked_at is None and (key.expires_at or now) >= now]
    if not live:
        yield Remark("warning", "访问密钥", "没有可用的密钥：用 key create 发放")
        return
    soon = [key for key in live if key.expires_at and key.expires_at - now < _EXPIRES_SOON]
    for key in soon:
        yield Remark("warning", "访问密钥", f"{key.prefix}…（{key.role}）{key.expires_at:%Y-%m-%d} 到期，请换发")
    if not soon:
        yield Remark("ok", "访问密钥", f"{len(live)} 把可用，30 天内没有到期的")
    yield from _key_holders(live)


def _key_holders(live: Sequence[KeyRow]) -> Iterator[Remark]:
    """Ask who holds the keys: none should be nobody's, no person should have two of the three powers."""
    unnamed = [key for key in live if key.holder is None]
    for key in unnamed:
        words = f"{key.prefix}…（{key.role}）{UNNAMED}：用 key name 写明，或换发一把写 --holder 的，再吊销它"
        yield Remark("warning", "密钥持有人", words)
    powers = [(key.holder, key) for key in live if key.role in POWERS and key.holder is not None]
    for (one, first), (other, second) in combinations(powers, 2):
        if first.role != second.role and holders.may_be_same(one, other):
            words = f"{first.prefix}…（{first.role}）与 {second.prefix}…（{second.role}）的持有人相同或工号相同：三种权力应由三个人担任"
            yield Remark("warning", "密钥持有人", words)
    lacking = [kind.value for kind in POWERS if all(key.role != kind for key in live)]
    if lacking:
        yield Remark("warning", "密钥持有人", f"还没有这些密钥：{'、'.join(lacking)}；三种权力见 docs/security.md")
    if not any(key.role == "auditor" and key.unit_code for key in live):
        words = "没有写明单位的审计密钥：批量查看身份的报警通知没有单位可送，用 key create --role auditor --unit 发一把"
        yield Remark("warning", "密钥持有人", words)
    if not unnamed:
        yield Remark("ok", "密钥持有人", "可用的密钥都写明了持有人")


def _records(session: Session, rules: Mapping[str, Workflow]) -> Remark:
    """Read every grievance as a step would, and say which are damaged."""
    damaged = {one.number: words for one in locking.every(session) if (words := _damage(one, rules))}
    if not damaged:
        return Remark("ok", "记录", "每件诉求都读得出来")
    first = "；".join(f"{number}：{words}" for number, words in islice(damaged.items(), _SHOWN))
    more = f"；另有 {len(damaged) - _SHOWN} 件" if len(damaged) > _SHOWN else ""
    words = f"{len(damaged)} 件诉求的记录损坏，列表里标出、不能办理，其余照常：{first}{more}。请运行 verify，从备份恢复"
    return Remark("wrong", "记录", words)


def _damage(one: Looked, rules: Mapping[str, Workflow]) -> str | None:
    """Say what is wrong with a grievance's record, or None."""
    if one.damaged:
        return "、".join(one.damaged)
    workflow = rules.get(one.workflow)
    if workflow is None:
        return f"流程 {one.workflow} 没有发布过"
    if one.state not in workflow.states:
        return "状态不在流程里"
    kinds = ((kind, state, workflow.tasks.get(kind)) for kind, state in one.tasks)
    return next(("任务的状态不在流程里" for _, state, spec in kinds if spec is None or state not in spec.states), None)


def _unheld(session: Session, rules: Mapping[str, Workflow]) -> Remark:
    orphans = sum(row.n for row in health.unheld(session) if wants_unit(rules.get(row.workflow), row.state))
    ended = health.held_by_ended(session)
    if not orphans and not ended:
        return Remark("ok", "持有单位", "在办诉求都有人管")
    said = [f"{orphans} 件在办诉求没有持有单位"] if orphans else []
    said += [f"{ended} 件在办诉求由已停用的单位持有，请改派"] if ended else []
    return Remark("wrong", "持有单位", "；".join(said))


def _sweep(session: Session, now: datetime) -> Remark:
    late, first = health.late_rungs(session, now - _LAG)
    if first is None:
        return Remark("ok", "督办扫描", "没有过点未触发的督办级")
    behind = int((now - first).total_seconds() // 60)
    return Remark(
        "wrong", "督办扫描", f"{late} 个时限有督办级过点未触发，最久的已晚 {behind} 分钟：up 或 work 在运行吗？"
    )


def _jobs(session: Session) -> Iterator[Remark]:
    row = health.jobs(session)
    if row.failed:
        yield Remark("wrong", "后台任务", f"{row.failed} 个任务多次重试后失败")
    if row.stalled:
        yield Remark("wrong", "后台任务", f"{row.stalled} 个任务的执行者已中断，下次 work 启动时接着做")
    if row.waiting and not row.working:
        yield Remark("warning", "后台任务", f"{row.waiting} 个任务在等，而没有 worker 在运行：启动 up 或 work")
    if not (row.failed or row.stalled or (row.waiting and not row.working)):
        yield Remark("ok", "后台任务", f"{row.waiting} 个在排队，没有失败的")


def worst(remarks: Iterable[Remark]) -> Level:
    """Return the worst level there is."""
    levels = {remark.level for remark in remarks}
    return "wrong" if "wrong" in levels else "warning" if "warning" in levels else "ok"
