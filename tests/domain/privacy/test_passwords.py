from datetime import timedelta

import pytest

from wuye_loop.domain.privacy.access import passwords


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "至少 10"),
        ("x" * 201, "最多 200"),
        ("aaaaaaaaaabb", "重复"),
        ("password1234", "先试"),
        ("wang.fang.2026", "用户名或姓名"),
    ],
)
def test_weak_passwords_are_told_why(password: str, words: str) -> None:
    assert words in (passwords.weakness(password, "wang.fang", "王芳") or "")


def test_a_long_password_is_taken_though_it_holds_a_common_word() -> None:
    assert passwords.weakness("my password is a long sentence", "wang", "王芳") is None


def test_a_hash_fits_its_password_alone_and_is_argon2id() -> None:
    kept = passwords.hashed("correct horse battery", bytes(range(16)))
    assert kept.startswith("$argon2id$")
    assert passwords.fits(kept, "correct horse battery")
    assert not passwords.fits(kept, "correct horse batterz")
    assert not passwords.fits("no hash", "correct horse battery")


def test_the_wait_begins_with_the_fifth_failure_and_doubles_to_an_hour() -> None:
    assert [passwords.wait_after(n) for n in (0, 4)] == [None, None]
    assert [passwords.wait_after(n) for n in (5, 6, 7, 40)] == [
        timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120), timedelta(hours=1),
    ]  # fmt: skip
