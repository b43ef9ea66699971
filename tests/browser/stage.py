"""A demonstration that has been played and goes on serving, and a browser that looks at it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests import ROOT

from wuye_loop import postgres

_ADDRESS = re.compile(r"请用浏览器打开 (http://127\.0\.0\.1:\d+)/ 各个角色")
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@contextmanager
def played(days: int = 30) -> Iterator[str]:
    """Play so many days, and give the address at which the demonstration goes on serving."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as data:
        command = [sys.executable, "-P", "-m", "wuye_loop", "demo", "--data", data, "--port", "0", "--days", str(days)]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
        )  # fmt: skip
        assert process.stdout is not None
        try:
            found = next((match for line in process.stdout if (match := _ADDRESS.search(line))), None)
            assert found is not None, "the demonstration ended without an address"
            yield found[1]
        finally:
            process.terminate()
            process.wait(60)
            process.stdout.close()
            postgres.remove(Path(data))  # with what of it lies elsewhere


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give the distribution's own Chromium."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        assert path is not None, "chromium is not installed"
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Looker:
    """Somebody at a real browser; what goes wrong on the way is kept: errors, refusals, foreign hosts, broken policies."""

    address: str
    context: BrowserContext
    page: Page
    trouble: list[str] = field(default_factory=list)
    sent: int = 0
    requests: int = 0

    def go(self, path: str) -> Page:
        """Open an address and wait until all of it is there."""
        self.sent = self.requests = 0
        self.page.goto(f"{self.address}{path}", wait_until="load")
        return self.page

    def enter(self, login: str) -> Page:
        """Go in by the demonstration's door."""
        self.context.clear_cookies()
        self.go("/login")
        self.page.locator(f"form:has(input[value={login}]) button").click()
        self.page.wait_for_load_state("load")
        return self.page


@contextmanager
def looking(
    browser: Browser, address: str, size: dict[str, int], *, script: bool = True, language: str = "zh-CN", **more: Any
) -> Iterator[Looker]:
    """Give somebody at a screen of this size."""
    viewport: Any = size
    context = browser.new_context(viewport=viewport, java_script_enabled=script, locale=language, **more)
    looker = Looker(address, context, context.new_page())

    def answered(response: Any) -> None:
        looker.requests += 1
        if not response.url.startswith((address, "data:")):
            looker.trouble.append(f"foreign host: {response.url}")
        if response.status >= 400 and "/favicon" not in response.url:
            looker.trouble.append(f"{response.status} {response.url.removeprefix(address)}")

    looker.page.on("response", answered)
    looker.page.on("pageerror", lambda error: looker.trouble.append(f"script: {error}"))
    looker.page.on("console", lambda line: _told(looker, line))
    try:
        yield looker
    finally:
        context.close()


def _told(looker: Looker, line: Any) -> None:
    if line.type == "error" and "Failed to load resource" not in line.text:
        looker.trouble.append(f"console: {line.text}")
