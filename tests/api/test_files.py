"""Files of a grievance: bounded, told by their bytes, seen only by whom they are for, and never changed unnoticed."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from tests import ROOT
from tests.api.test_papers import town_of
from tests.pictures import bomb, jpeg, pdf, png, telling_jpeg
from tests.site import Driver, Town, driving, story
from tests.stories.test_sixth_city import handling

from wuye_loop.queries.verification import verify as audit
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio
MEBIBYTE = 2**20
JPEG, PNG, PDF = jpeg(), png(), pdf()
HTML = b"<script>alert(1)</script>"


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Give a driver in the sixth city; whatever was uploaded, the ledger must still be true."""
    town = town_of(database, tmp_path, rate_files=0.0)  # a test sends more in a second than a person
    async with story(town) as driver:
        yield driver


async def upload(drive: Driver, who: str | None, number: str, content: Any, query: str = "", **headers: str) -> Any:
    """Try to upload a file."""
    path = f"/v1/grievances/{number}/files{query}"
    return await drive.client.post(path, content=content, headers=drive.headers(who) | headers)


async def kept(drive: Driver, who: str, number: str, content: bytes, query: str = "") -> str:
    """Upload a file; return its id."""
    answer = await upload(drive, who, number, content, query)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["file"])


async def fetched(drive: Driver, who: str | None, file: str) -> Any:
    """Try to download a file."""
    return await drive.client.get(f"/v1/files/{file}", headers=drive.headers(who))


def count(town: Town) -> tuple[int, int]:
    """Return how many files and ledger rows there are."""
    return town.scalar("SELECT count(*) FROM attachment"), town.scalar("SELECT count(*) FROM ledger")


async def test_a_file_is_only_for_whom_it_is_meant_and_who_sees_its_grievance(drive: Driver) -> None:
    number = await handling(drive)
    files = {
        "units": await kept(drive, "grid-1", number, PNG),
        "internal": await kept(drive, "desk-centre", number, PDF, "?audience=internal"),
        "public": await kept(drive, "hotline", number, JPEG, "?audience=public"),
    }
    reads = {
        "grid-1": {"units", "public"},
        "desk-centre": {"units", "internal", "public"},
        "supervisor": {"units", "internal", "public"},
        "auditor": {"units", "internal", "public"},
        "hotline": {"public"},
    }
    outside = ("company-2", "grid-2", "fire", "supervisor-2", "auditor-2", "other-hotline")
    for who in (*reads, *outside):
        may = reads.get(who, set())
        for audience, file in files.items():
            answer = await fetched(drive, who, file)
            assert answer.status_code == (200 if audience in may else 404), (who, audience)
            assert (await fetched(drive, who, str(UUID(int=7)))).status_code == 404
        listed = await drive.client.get(f"/v1/grievances/{number}/files", headers=drive.headers(who))
        assert listed.status_code == (200 if who in reads else 404), who
        if who in reads:
            assert {item["file"] for item in listed.json()["items"]} == {files[audience] for audience in may}, who
    assert (await fetched(drive, None, files["public"])).status_code == 401
    assert (await drive.client.get(f"/v1/grievances/{number}/files")).status_code == 401
    (own,) = (await drive.get("hotline", f"/v1/grievances/{number}/files"))["items"]
    assert (own["media_type"], own["audience"]) == ("image/jpeg", "public")
    assert own["size"] == len((await fetched(drive, "hotline", own["file"])).content)
    assert own["at"] == "2026-03-02T01:00:00.000000Z"
    assert own["by"]["kind"] == "hotline"
    assert (await fetched(drive, "admin", "no-id")).status_code == 422
    for who in ("company-2", "grid-2", "fire", "supervisor-2", "other-hotline"):
        assert (await upload(drive, who, number, PNG)).status_code == 404, who
        assert (await upload(drive, who, "WY260302-AAAAAAAA", PNG)).status_code == 404, who
    for who, query in (
        ("admin", ""),
        ("auditor", ""),
        ("grid-1", "?audience=internal"),
        ("hotline", "?audience=units"),
    ):
        assert (await upload(drive, who, number, PNG, query)).status_code == 403, who
    assert (await upload(drive, None, number, PNG)).status_code == 401
    for query in ("?audience=all", "?audience=", "?audiance=internal", "?audience=internal&x=1", "?Audience=internal"):
        assert (await upload(drive, "desk-centre", number, PNG, query)).status_code == 422, query


async def test_a_file_does_nothing_where_it_is_opened(drive: Driver) -> None:
    number = await handling(drive)
    for content, kind in ((JPEG, "image/jpeg"), (PNG, "image/png"), (PDF, "application/pdf")):
        file = await kept(drive, "grid-1", number, content)
        answer = await fetched(drive, "desk-centre", file)
        assert answer.headers["content-type"] == kind
        assert answer.headers["content-disposition"] == "attachment"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers.get_list("content-security-policy") == ["sandbox"]
        assert answer.headers["cache-control"] == "private, no-store"


async def test_what_is_no_picture_and_no_pdf_is_refused_whatever_it_says_it_is(drive: Driver) -> None:
    number = await handling(drive)
    before = count(drive.town)
    refused: list[tuple[bytes, int]] = [
        (b"", 422), (HTML, 415), (b"MZ", 415), (b"PK\x03\x04", 415), (b"GIF89a", 415), (b"<svg", 415),
        (b"\n" + PDF, 415), (b"\0" * 100, 415), (JPEG[:2], 415), (PNG[:7], 415), (b"%PDF", 415),
        (b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n' + PNG, 415),
    ]  # fmt: skip
    for content, status in refused:
        for kind in ("image/png", "application/json", "text/html; charset=utf-7", "multipart/form-data; boundary=x"):
            answer = await upload(drive, "grid-1", number, content, **{"Content-Type": kind})
            assert answer.status_code == status, (content[:20], kind, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
    for content in (JPEG[:3], JPEG + HTML, PNG + HTML, PDF + HTML, bomb(60_000), PNG[:-20]):
        answer = await upload(drive, "grid-1", number, content)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/bad-input"), content[:20]
    assert count(drive.town) == before


async def test_the_bytes_that_were_sent_are_kept_nowhere(drive: Driver) -> None:
    number = await handling(drive)
    sent = telling_jpeg(6)
    for content in (sent, form_of(("file", "a.jpg", sent))):
        headers = {"Content-Type": "multipart/form-data; boundary=x"} if content is not sent else {}
        answer = await upload(drive, "grid-1", number, content, **headers)
        got = await fetched(drive, "grid-1", answer.json()["file"])
        assert b"Secret" not in got.content
        assert len(got.content) == answer.json()["size"]
    assert drive.town.scalar("SELECT count(*) FROM attachment WHERE position('Secret'::bytea in content) > 0") == 0


def form_of(*parts: tuple[str, str | None, bytes]) -> bytes:
    """Return a multipart form of (field, file name or None, content)."""
    written = []
    for name, filename, content in parts:
        file = f'; filename="{filename}"' if filename is not None else ""
        written.append(
            f'--x\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"
        )
    return b"".join(written) + b"--x--\r\n"


FORM = {"Content-Type": "multipart/form-data; boundary=x"}


async def test_a_form_is_taken_beside_bare_bytes(drive: Driver) -> None:
    number = await handling(drive)
    sent = form_of(("file", "电梯现场.HEIC", png(7)), ("audience", None, b"internal"))
    answer = await upload(drive, "desk-centre", number, sent, **FORM)
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert (said["media_type"], said["audience"], said["name"]) == ("image/png", "internal", "电梯现场.png")
    assert (await fetched(drive, "grid-1", said["file"])).status_code == 404
    got = await fetched(drive, "desk-centre", said["file"])
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''" + quote("电梯现场.png")
    same = await upload(drive, "desk-centre", number, png(7), "?audience=internal")
    assert same.json()["file"] == said["file"]
    plain = await upload(drive, "grid-1", number, png(8), "?name=" + quote("一层.png"))
    assert plain.json()["name"] == "一层.png"
    (one,) = (await drive.get("grid-1", f"/v1/grievances/{number}/files"))["items"]
    assert one["name"] == "一层.png"


async def test_a_form_that_is_not_one_file_is_refused_in_words(drive: Driver) -> None:
    number = await handling(drive)
    before = count(drive.town)
    for sent, status in (
        (form_of(("audience", None, b"units")), 422),
        (form_of(("file", "a", PNG), ("more", "b", PNG)), 422),
        (form_of(("file", "a", PNG), ("note", None, b"x")), 422),
        (form_of(("file", "a", PNG), ("audience", None, b"all")), 422),
        (form_of(("file", "a", PNG), ("audience", None, b"units"), ("audience", None, b"units")), 422),
        (form_of(("file", "a", PNG), ("audience", None, b"\xff")), 422),
        (form_of(*[("file", "a", PNG)] * 9), 415),
        (form_of(("file", "a", PNG))[:-10], 415),
        (form_of(("file", "a", HTML)), 415),
        (form_of(("file", "a", b"")), 422),
        (b"--y--", 415),
    ):
        answer = await upload(drive, "grid-1", number, sent, **FORM)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), sent[:80]
    for kind in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "y" * 300):
        answer = await upload(drive, "grid-1", number, form_of(("file", "a", PNG)), **{"Content-Type": kind})
        assert answer.status_code == 415, kind
    answer = await upload(
        drive, "grid-1", number, form_of(("file", "a", PNG), ("audience", None, b"units")), "?audience=units", **FORM
    )
    assert answer.status_code == 422
    assert count(drive.town) == before


async def test_a_name_in_a_file_name_is_struck_like_any_text(drive: Driver) -> None:
    number = await handling(drive, complainant={"name": "张三丰", "phone": "13812345678"})
    answer = await upload(drive, "grid-1", number, form_of(("file", "张三丰13812345678.jpg", JPEG)), **FORM)
    assert answer.status_code == 201, answer.text
    shown = answer.text + (await fetched(drive, "grid-1", answer.json()["file"])).headers["content-disposition"]
    stored = str(drive.town.scalar("SELECT name FROM attachment"))
    stored += str(drive.town.rows("SELECT facts FROM ledger WHERE action = 'upload'"))
    for secret in ("张三丰", "13812345678", quote("张三丰")):
        assert secret not in shown + stored


async def test_a_file_may_have_eight_mebibytes_and_not_a_byte_more(drive: Driver) -> None:
    number = await handling(drive)
    most = JPEG + bytes(8 * MEBIBYTE - len(JPEG))
    await kept(drive, "grid-1", number, most)
    before = count(drive.town)
    assert (await upload(drive, "grid-1", number, most + b"\0")).status_code == 413
    form = form_of(("file", "a.jpg", most))
    assert (await upload(drive, "desk-centre", number, form, **FORM)).status_code == 201
    before = count(drive.town)
    assert (
        await upload(drive, "desk-centre", number, form_of(("file", "a.jpg", most + b"\0")), **FORM)
    ).status_code == 413
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(480):
            taken += 65_536
            yield PNG + bytes(65_536 - len(PNG))

    assert (await upload(drive, "grid-1", number, endless())).status_code == 413
    assert count(drive.town) == before


async def test_only_a_file_may_be_large(drive: Driver) -> None:
    number = await handling(drive)
    body = b'{"note": "' + b"x" * 300_000 + b'"}'
    for path in (
        f"/v1/grievances/{number}/actions/files",
        f"/v1/grievances/{number}/tasks/files",
        f"/v1/tasks/{UUID(int=7)}/actions/files",
        f"/v1/grievances/{number}/actions/urge",
        "/v1/documents",
        "/v1/files",
    ):
        for who in ("hotline", None):
            headers = drive.headers(who) | {"Content-Type": "application/json"}
            answer = await drive.client.post(path, content=body, headers=headers)
            assert answer.status_code == 413, (path, who, answer.status_code)


async def test_the_same_file_sent_twice_is_one_file(drive: Driver) -> None:
    number = await handling(drive)
    answers = await asyncio.gather(*(upload(drive, "grid-1", number, PNG) for _ in range(6)))
    assert Counter(answer.status_code for answer in answers) == {201: 6}
    assert len({answer.content for answer in answers}) == 1
    assert drive.town.scalar("SELECT count(*) FROM attachment") == 1
    assert drive.town.actions(number).count("upload") == 1
    other = await kept(drive, "desk-centre", number, PNG, "?audience=internal")  # for others: another file
    assert other != answers[0].json()["file"]
    assert (await fetched(drive, "grid-1", other)).status_code == 404


async def test_a_grievance_takes_thirty_files_even_when_they_come_at_once(drive: Driver) -> None:
    number = await handling(drive)
    answers = await asyncio.gather(*(upload(drive, "grid-1", number, png(n)) for n in range(40)))
    assert Counter(answer.status_code for answer in answers) == {201: 30, 413: 10}
    assert drive.town.scalar("SELECT count(*) FROM attachment") == 30
    assert drive.town.actions(number).count("upload") == 30


async def test_a_form_takes_only_files_of_its_own_grievance(drive: Driver) -> None:
    number, other = await handling(drive), await handling(drive, "a2")
    strange = await kept(drive, "grid-1", other, PNG)
    own = await kept(drive, "grid-1", number, PNG)
    for files in ([strange], [own, strange], [own, own], [], "x", ["x"], [own.upper(), own], [None], [{"id": own}]):
        await drive.open("grid-1", number, "unreasonable", {"reason": "x", "evidence": files}, expect=422)
    await drive.open("grid-1", number, "unreasonable", {"reason": "x", "evidence": [own]})


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE attachment SET content = content || 'x'::bytea",
        "UPDATE attachment SET content = content || 'x'::bytea, sha256 = encode(sha256(content || 'x'::bytea), 'hex')",
        "DELETE FROM attachment",
        "UPDATE attachment SET grievance_id = (SELECT id FROM grievance WHERE external_id = 'a2')",
        "UPDATE attachment SET audience = 'public'",
        "UPDATE attachment SET name = 'x'",
    ],
)
async def test_a_changed_file_is_found_by_verification(database: Database, tmp_path: Path, tampering: str) -> None:
    town = town_of(database, tmp_path)
    async with driving(town) as drive:
        number = await handling(drive)
        await handling(drive, "a2")
        await kept(drive, "grid-1", number, PNG)
        assert audit.verify(town.site.loop, town.database).ok
        town.run(lambda session: session.connection().exec_driver_sql(tampering))
        assert audit.verify(town.site.loop, town.database).drift >= 1


async def test_what_names_its_owner_and_holds_no_picture_is_refused_and_leaves_nothing(drive: Driver) -> None:
    number = await handling(drive)
    before = count(drive.town)
    answer = await upload(drive, "grid-1", number, (ROOT / "tests" / "cases" / "50-exif-owner.jpg").read_bytes())
    assert answer.status_code in (415, 422), answer.text
    assert "13912345678" not in answer.text
    assert count(drive.town) == before
