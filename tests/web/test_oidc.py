"""Signing in through an identity system, which here is a transport that signs with a key of its own; the proof has a real one."""

import base64
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from structlog.testing import capture_logs
from tests.site import Town, town_on
from tests.web.browsing import PASSWORD, Browser, Visitors, account, browsing

from wuye_loop.app import create_app
from wuye_loop.cli.checkup import identity_system
from wuye_loop.edge.sign_in import enter_as
from wuye_loop.ports import unmoved
from wuye_loop.queries.verification.verify import verify
from wuye_loop.settings import SettingsError
from wuye_loop.store.database import Database
from wuye_loop.store.keys import outside

pytestmark = pytest.mark.anyio
ISSUER = "https://id.city.example/realm"
FILE = """
login: preferred_username
rules:
  - {when: {groups: market}, role: unit, unit: market}
  - {when: {groups: chiefs}, role: supervisor, area: "3707"}
  - {when: {groups: roots}, role: admin}
  - {when: {groups: auditors}, role: auditor}
  - {when: {groups: gone}, role: unit, unit: nowhere}
"""


@dataclass
class City:
    """An identity system: what it says of whoever signs in, and what it gets wrong."""

    now: Any
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "7", "preferred_username": "wang", "name": "王工"})
    wrong: dict[str, Any] = field(default_factory=dict)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1"}))
    signs: ECKey | None = None
    down: bool = False
    asked: dict[str, str] = field(default_factory=dict)
    said_more: dict[str, Any] = field(default_factory=dict)
    doors: dict[str, Any] = field(default_factory=dict)  # that are elsewhere
    other_keys: list[dict[str, Any]] = field(default_factory=list)
    shown: tuple[str | None, str | None] = (None, None)  # of the secret: in the header, in the form

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("refused")
        path = request.url.path.removeprefix("/realm")
        if path == "/.well-known/openid-configuration":
            doors = {name: f"{ISSUER}/{name}" for name in (
                "authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint",
            )}  # fmt: skip
            return httpx.Response(200, json={"issuer": ISSUER, **doors, **self.doors})
        if path == "/jwks_uri":
            mine = KeySet([self.key]).as_dict(private=False)["keys"]
            return httpx.Response(200, json={"keys": [*self.other_keys, *mine]})
        if path == "/userinfo_endpoint":
            return httpx.Response(200, json={"sub": self.claims["sub"], **self.said_more})
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        self.shown = (request.headers.get("authorization"), form.get("client_secret"))
        proof = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        if form["code"] != "good" or proof != self.asked["code_challenge"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        now = int(self.now().timestamp())
        body = {"iss": ISSUER, "aud": "wuye", "iat": now, "exp": now + 300, "nonce": self.asked["nonce"], **self.claims}
        signer = self.signs or self.key
        token = jwt.encode({"alg": "ES256", "kid": signer.kid}, body | self.wrong, signer)
        return httpx.Response(200, json={"id_token": token, "access_token": "a", "token_type": "Bearer"})


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Iterator[Town]:
    path = tmp_path / "people.yaml"
    path.write_text(FILE, encoding="utf-8")
    with town_on(database, oidc_issuer=ISSUER, oidc_client_id="wuye", oidc_people=path) as made:
        account(made, "market", "unit", unit="market")
        yield made


@asynccontextmanager
async def city(town: Town, **groups: Any) -> Any:
    async with browsing(town) as visitors:
        made = City(lambda: town.now)
        made.claims |= groups
        visitors.app.state.oidc.transport = httpx.MockTransport(made.answer)
        yield visitors, made


async def through(visitors: Visitors, made: City, to: str = "/", *, expect: int = 200, code: str = "good") -> Browser:
    """Go to the identity system by the link on the door, and come back."""
    browser = visitors.browser()
    page = await browser.go(f"/login?to={to}")
    (link,) = [one for one in page.links if one.startswith("/login/oidc?")]
    out = await browser.client.get(link)
    assert out.status_code == 303
    there = urlsplit(out.headers["location"])
    made.asked = {name: values[0] for name, values in parse_qs(there.query).items()}
    assert made.asked["code_challenge_method"] == "S256"
    assert made.asked["redirect_uri"] == "http://127.0.0.1/login/oidc/back"
    await browser.go(f"/login/oidc/back?code={code}&state={made.asked['state']}", expect=expect)
    return browser


async def test_who_is_vouched_for_and_mapped_comes_in_as_an_account_that_no_password_opens(town: Town) -> None:
    async with city(town, groups=["market"]) as (visitors, made):
        browser = await through(visitors, made, "/team")
        assert browser.path.endswith("/team")
        assert "区market部门 · 王工" in browser.page.text
        page = await browser.go("/me")
        assert "您用统一身份认证登录" in page.text
        await browser.send("/logout")
        await browser.go("/inbox")
        assert "/login" in browser.path
        out = await browser.client.get("/login/oidc/out")
        assert out.headers["location"].startswith(f"{ISSUER}/end_session_endpoint?client_id=wuye&")
        await browser.go("/login")
        await browser.send("/login", expect=401, login="wang", password=PASSWORD)
        await through(visitors, made)
    rows = [(row.what, row.by) for row in town.rows(
        "SELECT e.what, e.by FROM account_event e JOIN account a ON a.id = e.account_id WHERE a.login = 'wang' ORDER BY e.at, e.id"
    )]  # fmt: skip
    assert rows == [("created", "统一身份认证"), ("signed in", "wang"), ("signed out", "wang"), ("signed in", "wang")]
    assert verify(town.site.loop, town.database).ok
    town.run(lambda session: session.connection().exec_driver_sql(
        "UPDATE account SET subject = 'https://id.city.example/realm 8' WHERE login = 'wang'"
    ))  # fmt: skip
    assert not verify(town.site.loop, town.database).ok


async def test_who_is_not_mapped_or_whose_unit_is_not_there_is_refused_in_words(town: Town) -> None:
    async with city(town, groups=["strangers"]) as (visitors, made):
        browser = await through(visitors, made, expect=403)
        assert "对照文件里没有您的单位和角色" in browser.page.text
        made.claims["groups"] = ["gone"]
        browser = await through(visitors, made, expect=422)
        assert "没有这个单位" in browser.page.text
        made.claims |= {"groups": ["market"], "preferred_username": "market"}
        browser = await through(visitors, made, expect=409)
        assert "已是另一个账号" in browser.page.text
    assert town.scalar("SELECT count(*) FROM account") == 1


@pytest.mark.parametrize(("wrong", "words"), [
    ({"nonce": "another"}, "不是给这一次登录的"),
    ({"aud": "somebody else"}, "不是给这一次登录的"),
    ({"iss": "https://evil.example"}, "不是给这一次登录的"),
    ({"exp": 1}, "已经过期"),
    ({"aud": ["wuye", "other"], "azp": "other"}, "不是给这一次登录的"),
    ({"sub": ""}, "没有说是谁"),
])  # fmt: skip
async def test_a_token_that_is_not_for_this_sign_in_opens_nothing(
    town: Town, wrong: dict[str, Any], words: str
) -> None:
    async with city(town, groups=["market"]) as (visitors, made):
        made.wrong = wrong
        browser = await through(visitors, made, expect=401)
        assert words in browser.page.text
    assert town.scalar("SELECT count(*) FROM account_session") == 0


async def test_another_key_opens_nothing_and_a_new_key_of_the_system_is_looked_up(town: Town) -> None:
    async with city(town, groups=["market"]) as (visitors, made):
        made.signs = ECKey.generate_key("P-256", {"kid": "1"})
        browser = await through(visitors, made, expect=401)
        assert "签名核对不上" in browser.page.text
        made.key = made.signs = ECKey.generate_key("P-256", {"kid": "2"})
        visitors.app.state.oidc._keys_at -= 31
        browser = await through(visitors, made)
        assert browser.path.endswith("/inbox")


async def test_a_key_of_another_kind_beside_the_one_that_signs_keeps_nobody_out(town: Town) -> None:
    async with city(town, groups=["market"]) as (visitors, made):
        same = made.key.as_dict(private=False)
        made.other_keys = [same | {"crv": "SM2", "kid": "sm2"}, {"kty": "RSA", "kid": "half"}, {"kid": "what"}]
        browser = await through(visitors, made)
        assert browser.path.endswith("/inbox")


@pytest.mark.parametrize("door", ["http://id.city.example/userinfo", "https://[id", 7])
async def test_a_door_that_others_could_read_or_that_is_none_is_not_asked(town: Town, door: object) -> None:
    async with city(town, groups=["market"]) as (visitors, made):
        made.doors = {"userinfo_endpoint": door}
        page = await visitors.browser().go("/login/oidc", expect=503)
        assert "对不上" in page.text


async def test_an_answer_that_comes_byte_by_byte_is_not_waited_for(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async def dripping() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" "
            await anyio.sleep(0.02)

    async def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=dripping())

    monkeypatch.setattr("wuye_loop.web.oidc.provider._SECONDS", 0.1)
    async with city(town) as (visitors, _):
        visitors.app.state.oidc.transport = httpx.MockTransport(answer)
        page = await visitors.browser().go("/login/oidc", expect=503)
        assert "没有答复" in page.text


@pytest.mark.parametrize(("taken", "shown"), [
    (None, (f"Basic {base64.b64encode(b'wuye:a+%2B%25').decode()}", None)),
    (["client_secret_post", "private_key_jwt"], (None, "a +%")),
    (["client_secret_post", "client_secret_basic"], (f"Basic {base64.b64encode(b'wuye:a+%2B%25').decode()}", None)),
])  # fmt: skip
async def test_the_secret_is_shown_in_the_way_that_is_taken(
    town: Town, taken: list[str] | None, shown: tuple[str | None, str | None]
) -> None:
    async with city(town, groups=["market"]) as (visitors, made):
        visitors.app.state.oidc.secret = "a +%"
        made.doors = {"token_endpoint_auth_methods_supported": taken}
        await through(visitors, made)
        assert made.shown == shown


async def test_what_was_refused_is_logged_without_who_it_was(town: Town) -> None:
    async with city(town, groups=["strangers"]) as (visitors, made):
        with capture_logs() as logs:
            await through(visitors, made, expect=403)
            made.wrong = {"nonce": "another"}
            await through(visitors, made, expect=401)
    told = [one for one in logs if one["event"] == "oidc_refused"]
    assert [(one["status"], one["cause"], one["address"]) for one in told] == [
        (403, None, "127.0.0.1"), (401, "InvalidClaimError", "127.0.0.1"),
    ]  # fmt: skip
    assert not any("王工" in str(one) or "wang" in str(one) for one in logs)


async def test_a_login_that_changes_to_somebody_elses_is_refused_and_nothing_changes(town: Town) -> None:
    async with city(town, groups=["market"]) as (visitors, made):
        await through(visitors, made)
        made.claims |= {"preferred_username": "market", "groups": ["chiefs"]}
        refused = await through(visitors, made, expect=409)
        assert "已是另一个账号" in refused.page.text
        made.claims["preferred_username"] = "wang.gong"
        changed = await through(visitors, made)
        assert changed.path.endswith("/board")
    assert [row.login for row in town.rows("SELECT login FROM account WHERE subject IS NOT NULL")] == ["wang.gong"]


async def test_who_has_one_of_the_three_powers_by_another_account_is_mapped_to_no_second(town: Town) -> None:
    account(town, "auditor", "auditor", name="王工")
    async with city(town, groups=["market"]) as (visitors, made):
        await through(visitors, made)
        made.claims["groups"] = ["roots"]
        refused = await through(visitors, made, expect=409)
        assert "三权分立" in refused.page.text
        made.claims["groups"] = ["auditors"]
        await through(visitors, made)


async def test_who_comes_in_several_times_at_once_has_one_account(town: Town) -> None:
    async with city(town, groups=["market"]) as (visitors, made), anyio.create_task_group() as together:
        for _ in range(6):
            together.start_soon(_admit, town, visitors.app.state.oidc.rules.of(made.claims))
    assert town.scalar("SELECT count(*) FROM account WHERE login = 'wang'") == 1


async def _admit(town: Town, mapped: Any) -> None:
    known = partial(outside.admitted, subject="x 7", mapped=mapped, now=town.now, ids=town.site.loop.ids)
    await enter_as(town.site, known, "127.0.0.1")


async def test_an_answer_that_this_browser_did_not_ask_for_or_that_refuses_opens_nothing(town: Town) -> None:
    async with city(town, groups=["market"]) as (visitors, made):
        browser = await through(visitors, made, expect=401, code="stolen")
        assert "不认这一次登录" in browser.page.text
        stranger = visitors.browser()
        await stranger.go(f"/login/oidc/back?code=good&state={made.asked['state']}", expect=401)
        assert "不是从本系统的登录页开始的" in stranger.page.text
        await browser.go(f"/login/oidc/back?error=access_denied&state={made.asked['state']}", expect=401)
        assert "没有放行" in browser.page.text
        made.said_more = {"sub": "8"}
        browser = await through(visitors, made, expect=401)
        assert "不是同一个人" in browser.page.text
        made.said_more, made.down = {}, True
        browser = await through(visitors, made, expect=503)
        assert "没有答复" in browser.page.text


async def test_who_is_mapped_otherwise_changes_with_a_row_and_has_to_come_in_again(town: Town) -> None:
    async with city(town, groups=["market"]) as (visitors, made):
        first = await through(visitors, made)
        made.claims |= {"groups": ["chiefs"], "name": "王科长"}
        second = await through(visitors, made)
        assert second.path.endswith("/board")
        await first.go("/inbox")
        assert "/login" in first.path
        made.claims["groups"] = ["roots"]
        await through(visitors, made)
        made.claims["groups"] = ["auditors"]
        refused = await through(visitors, made, expect=409)
        assert "三权分立" in refused.page.text
        town.run(lambda session: session.connection().exec_driver_sql(
            "UPDATE account SET disabled_at = created_at WHERE login = 'wang'"
        ))  # fmt: skip
        refused = await through(visitors, made, expect=403)
        assert "已经停用" in refused.page.text
    whats = [row.what for row in town.rows("SELECT what FROM account_event WHERE by = '统一身份认证' ORDER BY at, id")]
    assert whats == ["created", "remapped", "remapped"]


async def test_claims_that_only_the_userinfo_door_tells_count_too_and_those_that_are_signed_count_more(
    town: Town,
) -> None:
    async with city(town) as (visitors, made):
        made.said_more = {"groups": ["market"], "name": "别名"}
        browser = await through(visitors, made)
        assert "区market部门 · 王工" in browser.page.text


async def test_the_session_ends_as_others_do_and_the_way_back_stays_within_our_pages(town: Town) -> None:
    async with city(town, groups=["market"]) as (visitors, made):
        browser = await through(visitors, made, "//evil.example/inbox")
        assert browser.path == "http://127.0.0.1/inbox"
        town.clock.advance(timedelta(hours=13))
        await browser.go("/inbox")
        assert "/login" in browser.path


async def test_what_the_system_signs_is_judged_by_a_clock_that_no_rehearsal_has_moved(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with city(town, groups=["market"]) as (visitors, made):
        monkeypatch.setattr(town.clock, "_instant", None)  # it runs with the machine from here on
        town.clock.advance(timedelta(days=9))
        made.now = lambda: unmoved(town.clock)
        assert (await through(visitors, made)).path.endswith("/inbox")


async def test_without_the_extra_everybody_signs_in_with_a_password_and_the_doctor_says_what_is_missing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert create_app(town.site).state.oidc is None
    assert "没有装可选组件 oidc" in identity_system(town.site.settings).words
    async with browsing(town) as visitors:
        browser = await visitors.person("market")
        assert browser.path.endswith("/inbox")
        await browser.go("/login/oidc", expect=404)


def test_the_doctor_reads_the_file_and_says_which_address_to_register(town: Town) -> None:
    settings = town.site.settings
    assert "WUYE_PUBLIC_URL" in identity_system(settings).words
    public = settings.model_copy(update={"public_url": "https://wuye.example"})
    assert "5 条；登记的回到地址应是 https://wuye.example/login/oidc/back" in identity_system(public).words
    assert settings.oidc_people is not None
    settings.oidc_people.write_text("rules: [{when: {a: b}, role: mayor}]", encoding="utf-8")
    assert "role 只能写" in identity_system(public).words
    with pytest.raises(SettingsError, match="role 只能写"):
        create_app(town.site)
    settings.oidc_people.unlink()
    assert identity_system(public).level == "wrong"
