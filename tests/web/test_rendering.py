import re
from importlib.resources import files

import pytest
from tests.site import Town
from tests.web.browsing import browsing

from wuye_loop.web.rendering import environment


def templates() -> list[str]:
    return environment().list_templates()


def test_every_template_compiles() -> None:
    assert len(templates()) > 25
    for name in templates():
        environment().get_template(name)


def test_no_template_runs_or_styles_inline_names_another_host_or_trusts_a_text() -> None:
    for path in templates():
        text = files("wuye_loop.web").joinpath("templates", path).read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|\son\w+=|<script(?! src=)|javascript:", text), path
        assert not re.search(r"https?://(?!\{)", text.replace("http://www.w3.org/2000/svg", "")), path
        assert "|safe" not in text, path
        assert "autoescape" not in text, path


@pytest.mark.anyio
async def test_our_own_files_are_named_by_their_bytes_and_kept_for_ever(town: Town) -> None:
    async with browsing(town) as visitors:
        browser = visitors.browser()
        page = await browser.go("/login")
        policy = browser.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert browser.headers["referrer-policy"] == "same-origin"
        for address in page.assets:
            answer = await browser.client.get(address)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]
            assert answer.headers["content-encoding"] == "gzip"
            plain = await browser.client.get(address, headers={"Accept-Encoding": "identity"})
            assert "content-encoding" not in plain.headers
            assert plain.content == answer.content
            assert plain.headers["vary"] == "Accept-Encoding"
        assert "content-encoding" not in browser.headers  # pages hold secrets
        wrong = re.sub(r"\.[0-9a-f]{12}\.", ".000000000000.", page.assets[1])
        assert (await browser.client.get(wrong)).status_code == 404
        assert (await browser.client.get("/static/..%2Fpages.000000000000.py")).status_code == 404


def test_style_sheets_and_script_stay_small() -> None:
    sizes = {path.name: len(path.read_bytes()) for path in files("wuye_loop.web").joinpath("static").iterdir()}
    assert sizes["resident.css"] <= 8 * 1024
    assert sizes["staff.css"] <= 24 * 1024
    assert sizes["staff.js"] <= 8 * 1024
    assert sizes["resident.js"] <= 3 * 1024
    assert sizes["export.js"] <= 4 * 1024  # beside lists only
    old = files("wuye_loop.web").joinpath("static", "resident.css").read_text(encoding="utf-8")
    assert not re.search(r"var\(|display:\s*(?:grid|flex)|gap:|:has\(", old)


@pytest.mark.anyio
async def test_an_address_that_is_not_there_is_a_page_to_a_browser_and_a_problem_to_a_program(town: Town) -> None:
    async with browsing(town) as visitors:
        client = visitors.browser().client
        page = await client.get("/nowhere", headers={"Accept": "text/html,*/*"})
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "回到首页" in page.text
        for path, accept in (("/nowhere", "*/*"), ("/v1/nowhere", "text/html")):
            answer = await client.get(path, headers={"Accept": accept})
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
