import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from tests.site import Town
from tests.web.browsing import ORIGIN, PASSWORD, account, browsing

from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.privacy.access.second_factor import STEP_SECONDS
from wuye_loop.loop.custody import anchors
from wuye_loop.queries.verification import anchored
from wuye_loop.queries.verification.report import Report
from wuye_loop.queries.verification.verify import _register, verify
from wuye_loop.store import registry
from wuye_loop.web.staff import admin

pytestmark = pytest.mark.anyio


async def test_who_signs_in_begins_at_the_work_and_leaves_again(town: Town) -> None:
    async with browsing(town) as visitors:
        browser = visitors.browser()
        page = await browser.go("/inbox")
        assert browser.path.endswith("/login?to=/inbox")
        page = await browser.send("/login", login="market", password=PASSWORD)
        assert browser.path.endswith("/inbox")
        assert "区market部门 · 某人market" in page.text
        await browser.send("/logout")
        await browser.go("/inbox")
        assert "/login" in browser.path


@pytest.mark.parametrize(
    ("role", "wish", "words"),
    [
        ("hotline", {"source": "unit:market"}, "来源不能以"),
        ("hotline", {"unit": "company-1"}, "物业企业不能有热线账号"),
        ("auditor", {"reveal": True}, "审计账号不能查看诉求人身份"),
        ("admin", {"reveal": True}, "系统管理员账号不能查看诉求人身份"),
        ("unit", {"unit": "company-1", "reveal": True}, "物业企业的账号不能查看诉求人身份"),
        ("unit", {"unit": "market", "area": "370701"}, "单位账号不写属地"),
        ("supervisor", {"source": "12345"}, "督办账号没有来源"),
    ],
)
def test_what_no_key_may_be_no_account_is(town: Town, role: str, wish: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        account(town, "new", role, **wish)
    assert town.scalar("SELECT count(*) FROM account WHERE login = 'new'") == 0


async def test_a_wrong_password_an_unknown_login_and_a_disabled_account_read_the_same(town: Town) -> None:
    account(town, "gone", "unit", unit="market")
    town.run(lambda session: session.connection().exec_driver_sql(
        "UPDATE account SET disabled_at = created_at WHERE login = 'gone'"
    ))  # fmt: skip
    async with browsing(town) as visitors:
        told = set()
        for login, password in (("market", "wrong"), ("nobody", PASSWORD), ("gone", PASSWORD)):
            browser = visitors.browser()
            await browser.go("/login")
            page = await browser.send("/login", expect=401, login=login, password=password)
            told.add(next(line for line in page.words if "不对" in line))
        assert len(told) == 1


async def test_after_five_wrong_passwords_the_right_one_has_to_wait_longer_and_longer(town: Town) -> None:
    async with browsing(town) as visitors:
        browser = visitors.browser()
        await browser.go("/login")
        for _ in range(5):
            await browser.send("/login", expect=401, login="market", password="wrong")
        page = await browser.send("/login", expect=401, login="market", password=PASSWORD)
        assert "暂时关闭" in page.text
        town.clock.advance(timedelta(seconds=31))
        await browser.send("/login", expect=401, login="market", password="wrong")
        town.clock.advance(timedelta(seconds=31))
        await browser.send("/login", expect=401, login="market", password=PASSWORD)  # a minute this time
        town.clock.advance(timedelta(seconds=31))
        page = await browser.send("/login", login="market", password=PASSWORD)
        assert "收件箱" in page.text
    whats = [row.what for row in town.rows("SELECT what FROM account_event ORDER BY at, id") if row.what != "created"]
    assert whats == ["refused"] * 4 + ["refused", "locked"] * 2 + ["signed in"]


async def test_the_first_password_has_to_be_changed_before_anything_else(town: Town) -> None:
    account(town, "new", "unit", unit="market", changed=False)
    async with browsing(town) as visitors:
        browser = visitors.browser()
        page = await browser.sign_in("new")
        assert browser.path.endswith("/me")
        await browser.go("/inbox")
        assert browser.path.endswith("/me")
        page = await browser.send("/me/password", expect=422, old=PASSWORD, new="password1234", again="password1234")
        assert "人人都会先试" in page.text
        before = browser.client.cookies["wuye"]
        await browser.send("/me/password", old=PASSWORD, new="blue harbour seven", again="blue harbour seven")
        assert browser.client.cookies["wuye"] != before
        page = await browser.go("/inbox")
        assert "收件箱" in page.heads


async def test_a_session_ends_when_it_is_idle_too_long_and_whatever_happens_after_twelve_hours(town: Town) -> None:
    async with browsing(town) as visitors:
        idle, busy = await visitors.person("market"), await visitors.person("market")
        for _ in range(13):
            town.clock.advance(timedelta(minutes=50))
            await busy.go("/inbox")
        assert busy.path.endswith("/inbox")
        await idle.go("/inbox")
        assert "/login" in idle.path
        town.clock.advance(timedelta(minutes=50))
        await busy.go("/inbox")
        town.clock.advance(timedelta(minutes=50))
        await busy.go("/inbox")
        assert "/login" in busy.path


async def test_a_form_without_the_sessions_token_or_from_another_origin_does_nothing(town: Town) -> None:
    async with browsing(town) as visitors:
        number = await visitors.api.push()
        await visitors.api.act("property-centre", number, "accept")
        browser = await visitors.person("market")
        await browser.go(f"/g/{number}")
        token = browser.page.form("/logout").values["csrf"]
        path = f"/g/{number}/do/sign"
        for data, headers in (
            ({}, {"Origin": ORIGIN}),
            ({"csrf": "guessed"}, {"Origin": ORIGIN}),
            ({"csrf": token}, {"Origin": "https://evil.example"}),
            ({"csrf": token}, {"Origin": "null"}),
            ({"csrf": token}, {}),
        ):
            answer = await browser.client.post(path, data=data, headers=headers)
            assert answer.status_code == 403, (data, headers)
        assert town.grievance(number).state == "assigned"
        answer = await browser.client.post(path, data={"csrf": token}, headers={"Origin": ORIGIN})
        assert answer.status_code == 303
        assert town.grievance(number).state == "handling"


async def test_passwords_come_over_loopback_or_tls_and_over_nothing_else(town: Town) -> None:
    async with browsing(town) as visitors:
        app = visitors.app
        for base, client in (("http://10.0.0.5", "127.0.0.1"), ("http://127.0.0.1", "10.0.0.9")):
            transport = httpx.ASGITransport(app, client=(client, 4000))
            async with httpx.AsyncClient(transport=transport, base_url=base) as far:
                shown = await far.get("/login")
                assert "明文连接" in shown.text
                sent = {"login": "market", "password": PASSWORD}
                answer = await far.post("/login", data=sent, headers={"Origin": base})
                assert answer.status_code == 403
                assert not answer.cookies


async def test_over_tls_the_cookie_is_bound_to_the_host(town: Town) -> None:
    town.site.settings = town.site.settings.model_copy(update={"public_url": "https://wuye.example"})
    async with browsing(town) as visitors:
        client = visitors.browser().client
        data = {"login": "market", "password": PASSWORD}
        refused = await client.post("/login", data=data, headers={"Origin": ORIGIN})
        assert refused.status_code == 403
        answer = await client.post("/login", data=data, headers={"Origin": "https://wuye.example"})
        said = answer.headers["set-cookie"]
        assert said.startswith("__Host-wuye=")
        for word in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"):
            assert word in said


async def test_a_second_factor_is_bound_asked_for_and_never_taken_twice(town: Town) -> None:
    async with browsing(town) as visitors:
        browser = await visitors.person("root")
        await browser.go("/me")
        secret = browser.page.form("/me/totp").values["secret"]
        totp = pyotp.TOTP(secret)
        await browser.send("/me/totp", expect=422, code="000000")
        secret = browser.page.form("/me/totp").values["secret"]
        totp = pyotp.TOTP(secret)
        await browser.send("/me/totp", code=totp.at(town.now))
        other = visitors.browser()
        await other.go("/login")
        await other.send("/login", expect=401, login="root", password=PASSWORD)
        await other.send("/login", expect=401, login="root", password=PASSWORD, code=totp.at(town.now))  # used to bind
        town.clock.advance(timedelta(seconds=STEP_SECONDS))
        await other.send("/login", login="root", password=PASSWORD, code=totp.at(town.now))
        assert "/login" not in other.path


async def test_a_role_that_must_have_a_second_factor_binds_one_first(town: Town) -> None:
    town.site.settings = town.site.settings.model_copy(update={"totp_roles": ("admin",)})
    async with browsing(town) as visitors:
        browser = await visitors.person("root")
        assert browser.path.endswith("/me")
        assert "必须用动态口令" in browser.page.text


async def test_a_person_ends_another_of_the_own_sessions(town: Town) -> None:
    async with browsing(town) as visitors:
        here, there = await visitors.person("market"), await visitors.person("market")
        await here.go("/me")
        (ending,) = [form.action for form in here.page.forms if form.action.startswith("/me/sessions/")]
        await here.send(ending)
        await there.go("/inbox")
        assert "/login" in there.path
        await here.go("/inbox")
        assert here.path.endswith("/inbox")


async def test_the_way_on_after_signing_in_never_leads_elsewhere(town: Town) -> None:
    async with browsing(town) as visitors:
        for to in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
            browser = visitors.browser()
            await browser.go("/login")
            await browser.send("/login", login="market", password=PASSWORD, to=to)
            assert browser.path.startswith(ORIGIN)


async def test_the_demonstrations_door_is_shut_everywhere_else(town: Town) -> None:
    async with browsing(town) as visitors:
        client = visitors.browser().client
        answer = await client.post("/login/demo", data={"login": "market"}, headers={"Origin": ORIGIN})
        assert (answer.status_code, "不是演示" in answer.text) == (403, True)


@pytest.mark.parametrize(
    "forged",
    [
        "UPDATE account SET role = 'admin' WHERE login = 'market'",
        "UPDATE account SET unit_code = 'fire' WHERE login = 'market'",
        "UPDATE account SET disabled_at = NULL, password = 'mine' WHERE login = 'market'",
        "UPDATE account SET area_path = '3707/370701/' WHERE login = 'market'",
        (
            "INSERT INTO account (id, login, name, role, password, created_at)"
            " SELECT gen_random_uuid(), 'ghost', name, role, password, created_at FROM account WHERE login = 'root'"
        ),
    ],
)
async def test_an_account_that_is_forged_by_sql_is_found(town: Town, forged: str) -> None:
    assert verify(town.site.loop, town.database).ok
    town.run(lambda session: session.connection().exec_driver_sql(forged))
    report = verify(town.site.loop, town.database)
    assert not report.ok
    assert any("账号" in words for words in report.problems)


#: What is forged of who came in and how, each with a piece of what is said of it.
COMINGS = {
    "a session put in": (
        ("INSERT INTO account_session SELECT gen_random_uuid(), '\\x00', account_id, 'x', created_at, seen_at, expires_at"
        " FROM account_session LIMIT 1"),
        "会话",
    ),
    "a session for longer": ("UPDATE account_session SET expires_at = expires_at + interval '1 year'", "会话"),
    "a session brought back": ("UPDATE account_session SET ended_at = NULL", "会话"),
    "a session removed": ("DELETE FROM account_session", "会话"),
    "a failure removed": ("DELETE FROM account_event WHERE what = 'refused'", "登录记录"),
    "from elsewhere": ("UPDATE account_event SET address = '10.9.9.9'", "登录记录"),
    "a sign-in put in": (
        "INSERT INTO account_event SELECT gen_random_uuid(), account_id, what, by, address, at FROM account_event LIMIT 1",
        "登录记录",
    ),
    "failures forgotten": ("UPDATE account SET failures = 0, locked_until = NULL", "登录情况"),
}  # fmt: skip


async def test_who_came_in_and_how_is_vouched_for(town: Town) -> None:
    async with browsing(town) as visitors:
        browser = visitors.browser()
        await browser.sign_in("market")
        await browser.send("/logout")
        await browser.go("/login")
        for _ in range(5):
            await browser.send("/login", expect=401, login="market", password="wrong")
        rows = town.scalar("SELECT count(*) FROM register")
        other = await visitors.person("chief")
        here = town.scalar("SELECT count(*) FROM register")
        town.clock.advance(timedelta(minutes=5))
        await other.go("/search")
    assert (here - rows, town.scalar("SELECT count(*) FROM register") - here) == (2, 0)  # a look at a page writes none
    assert verify(town.site.loop, town.database).ok
    for what, (statement, words) in COMINGS.items():
        with town.database.begin() as session:
            before = session.connection().begin_nested()
            session.connection().exec_driver_sql(statement)
            forged = Report()
            _register(session, town.site.loop.chain, forged)
            before.rollback()
        assert any(words in problem for problem in forged.problems), (what, forged.problems)


async def test_anchors_show_that_sign_ins_were_cut_off_the_end(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "anchors.jsonl"
    with town.database.read() as session:
        n, head = town.scalar("SELECT max(n) FROM register"), registry.head(session)
    assert anchors.anchor(town.site.loop, town.database, file) is not None
    async with browsing(town) as visitors:
        await visitors.person("market")
    assert anchors.anchor(town.site.loop, town.database, file) is not None  # of the register alone
    assert anchors.anchor(town.site.loop, town.database, file) is None
    with town.database.begin() as session:  # put back, with the old head, by whoever owns the tables
        connection = session.connection()
        connection.exec_driver_sql("ALTER TABLE register DISABLE TRIGGER USER")
        connection.exec_driver_sql("DELETE FROM register WHERE n > %(n)s", {"n": n})
        connection.exec_driver_sql("UPDATE epoch SET register = %(head)s", {"head": head})
        connection.exec_driver_sql("DELETE FROM account_session")
        connection.exec_driver_sql("DELETE FROM account_event WHERE what = 'signed in'")
    assert verify(town.site.loop, town.database).ok
    report = Report()
    with town.database.read() as session:
        anchored.compare(session, town.site.loop.chain, file, report)
    assert any("登记簿到第" in words for words in report.problems), report.problems


def test_whatever_is_noted_of_an_account_has_its_words_on_the_page() -> None:
    source = Path(admin.__file__).parents[2]
    texts = [path.read_text(encoding="utf-8") for path in source.rglob("*.py")]
    noted = {what for text in texts for what in re.findall(r'\bnote\(session, [\w.]+, "([a-z ]+)"', text)}
    assert noted == set(admin._WHATS)


async def test_whoever_comes_while_a_demonstration_plays_is_told_so_and_shown_in_when_it_is_over(town: Town) -> None:
    async with browsing(town) as visitors:
        visitors.app.state.visitors = {}
        early = visitors.browser()
        page = await early.go("/")
        assert "演示还在演" in page.text
        assert early.headers["refresh"] == "3"
        assert "password" not in early.raw
        visitors.app.state.visitors = None
        page = await early.go("/login")
        assert "refresh" not in early.headers
        assert "口令" in page.text


async def test_time_is_let_pass_in_a_demonstration_alone(town: Town) -> None:
    passed: list[str] = []
    async with browsing(town) as visitors:
        nobody = visitors.browser()
        await nobody.go("/login")
        answer = await nobody.client.post("/login/demo/later", data={"span": "1 workday"}, headers={"Origin": ORIGIN})
        assert answer.status_code == 403
        spans = {"1 workday": "过一个工作日"}
        visitors.app.state.visitors = {
            "district": "某区", "resident": "/r", "voice": "/v/E1", "people": [], "spans": spans, "later": passed.append,
            "units": [("部门", [("market", "区市场监管局")])], "admit": lambda unit: unit,
        }  # fmt: skip
        page = await nobody.go("/login")
        assert "过一个工作日" in page.text
        await nobody.send("/login/demo/later")
        answer = await nobody.client.post("/login/demo/later", data={"span": "9 workdays"}, headers={"Origin": ORIGIN})
        assert answer.status_code == 403
        assert passed == ["1 workday"]
