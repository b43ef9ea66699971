"""Who may look at a play when it is over: an account for each kind of people, entered with one click."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from wuye_loop.demo.district import DISTRICT, district
from wuye_loop.demo.scene import CENTRE, COMMAND, Scene
from wuye_loop.domain.privacy.access import passwords
from wuye_loop.domain.time.spans import Span
from wuye_loop.edge.sign_in import salt
from wuye_loop.edge.site import Site
from wuye_loop.loop import rehearsal
from wuye_loop.ports import SettableClock, SystemIds
from wuye_loop.store.keys import accounts
from wuye_loop.store.keys.accounts import AccountWish

#: How long visitors may let pass at once.
SPANS: Final = {"1 workday": "过一个工作日", "5 workdays": "过五个工作日"}
_BUSY: Final = ("assigned", "handling", "supervised")
_BYTES: Final = 32


def welcome(site: Site, scene: Scene, address: str) -> dict[str, Any]:
    """Make an account for each kind of people and return who they are, as the door shows them.

    Nobody knows their passwords: they are entered from the demonstration's door alone.
    """
    ids = SystemIds()
    kept = passwords.hashed(ids.token(_BYTES), salt(ids))
    people = list(_people(scene))

    def made(session: Session) -> None:
        for wish, _, _ in people:
            account = accounts.create(session, wish, kept, site.loop.clock.now(), ids, "演示")
            accounts.change(session, account, must_change=False)

    with site.database.begin() as session:
        made(session)
    document = district()
    return {
        "district": document["areas"][0]["name"],
        "resident": f"{address}/r/{document['estates'][0]['code']}",
        "voice": f"{address}/v/{document['estates'][0]['code']}",
        "spans": SPANS,
        "units": _others(scene),
        "people": [{"login": wish.login, "title": title, "words": words} for wish, title, words in people],
    }


def _others(scene: Scene) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return every unit that somebody may want to look from: whoever a complaint went to. By kind: code and name."""
    kinds = {"department": "部门", "office": "街道", "centre": "中心", "community": "社区", "company": "物业企业"}
    return [
        (title, [(code, unit["name"]) for code, unit in scene.units.items() if unit["kind"] == kind])
        for kind, title in kinds.items()
    ]


def admit(site: Site) -> Callable[[str], str]:
    """Return what makes an account of a unit, the first time that somebody wants to look from there, and gives its login."""
    ids = SystemIds()

    def made(unit: str) -> str:
        login = f"unit-{unit}"
        kept = passwords.hashed(ids.token(_BYTES), salt(ids))
        with site.database.begin() as session:
            if accounts.find(session, login) is None:
                wish = AccountWish(login, "值班员", "unit", unit)
                account = accounts.create(session, wish, kept, site.loop.clock.now(), ids, "演示")
                accounts.change(session, account, must_change=False)
        return login

    return made


def later(site: Site, clock: SettableClock) -> Callable[[str], datetime]:
    """Return what lets a span of office time pass for everybody: each rung and each period on the way in its turn.

    `clock` is the one that the installation's own goes by. What it returns is the time it is then.
    """
    loop = replace(site.loop, clock=clock)

    def passed(span: str) -> datetime:
        with site.database.read() as session:
            loop.reference.refresh(session)
            until = rehearsal.target(loop, session, Span.parse(span))
        return rehearsal.advance(loop, site.database, site.jobs, until).now

    return passed


def _people(scene: Scene) -> list[tuple[AccountWish, str, str]]:
    """Return who is made: the account, what it is called at the door, what is done there."""
    leads = Counter(case.lead for case in scene.cases.values() if case.lead and case.state in _BUSY)
    busiest = [unit for unit, _ in leads.most_common()]
    department = next((unit for unit in busiest if scene.units[unit]["kind"] == "department"), "market")
    street = next((unit for unit in busiest if scene.units[unit]["kind"] == "office" and unit != COMMAND), None)
    helping = Counter(case.company for case in scene.cases.values() if case.company and case.assists)
    company = next((unit for unit, _ in helping.most_common(1)), "company-01")
    found = [
        (AccountWish("seat", "坐席 017", "hotline"), "12345 热线 · 坐席", "接电话、记诉求、回访、登记评价"),
        _unit("centre", "值班员", CENTRE, scene, "受理、转办、审核答复"),
        _unit("department", "经办人", department, scene, "签收、办理、申请延期、办结报送"),
        _unit("department2", "科长", department, scene, "同一个单位：交办、接过来、代办"),
    ]
    if street is not None:
        found.append(_unit("street", "物业专员", street, scene, "承办属地的诉求，给物业巡查评分"))
    found += [
        _unit("company", "项目经理", company, scene, "签收协办、报送结果，看本企业得分，申诉"),
        _unit("command", "督办专员", COMMAND, scene, "审批延期、看全域、督办"),
        (
            AccountWish("chief", "督办员", "supervisor", area=DISTRICT),
            "区督办人员",
            "一屏观全域，签发督办单，考核、通报",
        ),
        (AccountWish("admin", "管理员", "admin"), "系统管理员", "健康、账号、密钥、名录、二维码、流程"),
        (AccountWish("auditor", "审计员", "auditor"), "审计员", "只看不改"),
    ]
    return found


def _unit(login: str, name: str, unit: str, scene: Scene, words: str) -> tuple[AccountWish, str, str]:
    return AccountWish(login, name, "unit", unit), f"{scene.units[unit]['name']} · {name}", words
