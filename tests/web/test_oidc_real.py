"""A real identity system of another make, in a process and an environment of its own: out, in, unmapped, replayed."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.site import town_on
from tests.web.browsing import ORIGIN, Browser, Visitors, browsing

from wuye_loop.store.database import Database

pytestmark = [pytest.mark.anyio, pytest.mark.proof]
WANTED = "django-oauth-toolkit==3.4.1"
FILE = """
login: preferred_username
rules:
  - {when: {groups: market}, role: unit, unit: market}
  - {when: {groups: chief}, role: supervisor, area: "3707"}
"""


@pytest.fixture(scope="module")
def system() -> Iterator[tuple[str, str]]:
    """Give the issuer and the client's secret."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
        python = Path(folder, "bin", "python")
        install = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", WANTED]
        subprocess.run(install, check=True, timeout=300)
        program = Path(__file__).with_name("identity_system.py")
        with subprocess.Popen(
            [python, program, f"{ORIGIN}/login/oidc/back"], stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                port, secret = process.stdout.readline().strip(), process.stdout.readline().strip()
                yield f"http://127.0.0.1:{port}/o", secret
            finally:
                process.terminate()


def time_there(issuer: str) -> datetime:
    """Return what the system says the time is: its tokens go by that."""
    answer = httpx.get(f"{issuer}/.well-known/openid-configuration", trust_env=False)
    return parsedate_to_datetime(answer.headers["date"])


async def through(visitors: Visitors, who: str) -> tuple[Browser, str]:
    """Sign in there as somebody; return the browser before it comes back, and where it is sent."""
    browser = visitors.browser()
    out = await browser.client.get("/login/oidc?to=/search")
    async with httpx.AsyncClient(cookies={"who": who}, trust_env=False) as there:
        answer = await there.get(out.headers["location"])
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith(f"{ORIGIN}/login/oidc/back?")
    return browser, answer.headers["location"]


async def test_people_come_in_by_a_real_identity_system(
    database: Database, system: tuple[str, str], tmp_path: Path
) -> None:
    issuer, secret = system
    path = tmp_path / "people.yaml"
    path.write_text(FILE, encoding="utf-8")
    asked: dict[str, Any] = {
        "oidc_issuer": issuer,
        "oidc_client_id": "wuye",
        "oidc_client_secret": secret,
        "oidc_people": path,
    }
    with town_on(database, start=time_there(issuer), **asked) as town:
        async with browsing(town) as visitors:
            browser, back = await through(visitors, "market7")
            page = await browser.go(back)
            assert browser.path == f"{ORIGIN}/search"
            assert "区market部门 · 某人market7" in page.text
            await browser.send("/logout")
            await browser.go("/search")
            assert "/login" in browser.path
            chief, back = await through(visitors, "chief1")
            await chief.go(back)
            await chief.go("/board")
            stranger, back = await through(visitors, "stranger")
            page = await stranger.go(back, expect=403)
            assert "对照文件里没有您的单位和角色" in page.text
            thief = visitors.browser()
            await thief.go(back, expect=401)  # a code that came to somebody else's browser
            again, back = await through(visitors, "market7")
            kept = dict(again.client.cookies)
            await again.go(back)
            again.client.cookies.update(kept)
            page = await again.go(back, expect=401)  # a code opens once
            assert "不认这一次登录" in page.text
        assert town.scalar("SELECT count(*) FROM account") == 2


async def test_a_client_that_does_not_know_the_secret_gets_nothing(
    database: Database, system: tuple[str, str], tmp_path: Path
) -> None:
    issuer = system[0]
    path = tmp_path / "people.yaml"
    path.write_text(FILE, encoding="utf-8")
    asked: dict[str, Any] = {
        "oidc_issuer": issuer,
        "oidc_client_id": "wuye",
        "oidc_client_secret": "guessed",
        "oidc_people": path,
    }
    with town_on(database, start=time_there(issuer), **asked) as town:
        async with browsing(town) as visitors:
            browser, back = await through(visitors, "market7")
            await browser.go(back, expect=401)
        assert town.scalar("SELECT count(*) FROM account") == 0
