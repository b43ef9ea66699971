import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from wuye_loop import logs

KEY = "wyl_live_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8_0a1b2c3d"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    out = io.StringIO()
    logs.configure("INFO", out)
    yield out
    root.handlers[:], root.level = before


@pytest.mark.parametrize(
    "identity",
    [
        "13812345678",
        "138-1234-5678",
        "+8613812345678",
        "37070219800101123X",
        "6222021234567890123",
        "a.b@example.com",
        "0536-8888123",
        KEY,
    ],
)
def test_what_looks_like_identity_or_a_key_never_reaches_a_line(stream: io.StringIO, identity: str) -> None:
    structlog.get_logger("test").info(
        "called " + identity, nested={"list": [identity, {identity: identity}]}, thing=Exception(identity)
    )
    logging.getLogger("other").warning("called %s", identity)
    assert len(stream.getvalue().splitlines()) == 2
    assert identity not in stream.getvalue()
    assert "***" in stream.getvalue()


def test_numbers_that_are_phones_are_struck_and_others_stay(stream: io.StringIO) -> None:
    structlog.get_logger("test").info("x", phone=13812345678, seq=7, ms=1.5, big=2**70, flag=True, none=None)
    line = json.loads(stream.getvalue())
    assert (line["phone"], line["seq"], line["ms"], line["flag"], line["none"]) == ("***", 7, 1.5, True, None)


def test_ids_and_instants_stay_legible(stream: io.StringIO) -> None:
    kept = ["0190a1b2-1388-7123-8456-13a812345678", "2026-11-21T13:45:00.123456+00:00", "kuiwen@1", "QW20261121-8F3K"]
    structlog.get_logger("test").info("x", kept=kept)
    assert json.loads(stream.getvalue())["kept"] == kept


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("流程文件 /etc/wuye/kuiwen@1.yaml 没有发布：kuiwen@1.yaml:36:26: x", None),
        ("jinan@12.yml", None),
        ("a.b@1.yaml.com", "***"),
        ("zhang@163.com", "***"),
        ("kuiwen@01.yaml", "***"),
    ],
)
def test_the_file_of_a_workflow_is_no_address(stream: io.StringIO, text: str, line: str | None) -> None:
    structlog.get_logger("test").info(text)
    assert json.loads(stream.getvalue())["event"] == (line or text)


def test_an_exception_leaves_its_type_and_frames_and_not_its_words(stream: io.StringIO) -> None:
    def inner() -> None:
        raise ValueError("张三丰 lives at 3-2-501")

    try:
        try:
            inner()
        except ValueError as error:
            raise RuntimeError("张三丰 again") from error
    except RuntimeError:
        structlog.get_logger("test").exception("failed")
        logging.getLogger("other").exception("failed")
    for line in map(json.loads, stream.getvalue().splitlines()):
        assert line["exception"] == ["builtins.RuntimeError", "builtins.ValueError"]
        assert "test_logs.py" in line["frames"][-1]
    assert "张三丰" not in stream.getvalue()


def test_a_line_has_its_instant_in_utc_its_level_and_its_logger(stream: io.StringIO) -> None:
    structlog.get_logger("test").warning("x")
    line = json.loads(stream.getvalue())
    assert line["timestamp"].endswith("Z")
    assert (line["level"], line["logger"], line["event"]) == ("warning", "test", "x")


def test_lone_surrogates_are_logged_as_question_marks(stream: io.StringIO) -> None:
    structlog.get_logger("test").info("x", value="\ud800")
    assert json.loads(stream.getvalue())["value"] == "?"


def test_a_servers_access_lines_are_silent(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").info('127.0.0.1 - "GET /v1/grievances?q=张三 HTTP/1.1" 200')
    logging.getLogger("uvicorn.error").info("Started")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["Started"]
