from datetime import UTC, datetime, timedelta
from uuid import UUID

import pyotp
import pytest
from tests.domain.privacy.test_sealing import CHAIN, CHANCE, INDEX

from wuye_loop.domain.errors import SealBroken
from wuye_loop.domain.privacy.access import second_factor
from wuye_loop.domain.privacy.sealing import KeyRing

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
ACCOUNT = UUID(int=7)
RING = KeyRing({"k1": b"1" * 32}, "k1", INDEX, CHAIN, CHANCE)
ROTATED = KeyRing({"k1": b"1" * 32, "k2": b"2" * 32}, "k2", INDEX, CHAIN, CHANCE)
OTHER = KeyRing({"k2": b"2" * 32}, "k2", INDEX, CHAIN, CHANCE)


def test_the_codes_of_this_step_and_its_neighbours_are_taken_once_each() -> None:
    totp = pyotp.TOTP(SECRET)
    step = int(NOW.timestamp()) // 30
    for shift in (-1, 0, 1):
        code = totp.at(NOW + timedelta(seconds=30 * shift))
        assert second_factor.taken_step(SECRET, code, NOW, 0) == step + shift
        assert second_factor.taken_step(SECRET, code, NOW, step + shift) is None
    assert second_factor.taken_step(SECRET, totp.at(NOW + timedelta(seconds=90)), NOW, 0) is None
    assert second_factor.taken_step(SECRET, "", NOW, 0) is None
    assert second_factor.taken_step("short", "000000", NOW, 0) is None
    assert second_factor.taken_step("not base32 !", "000000", NOW, 0) is None


def test_a_sealed_secret_opens_for_its_account_alone() -> None:
    sealed = second_factor.seal(RING, ACCOUNT, SECRET)
    assert SECRET.encode() not in sealed
    assert second_factor.opened(ROTATED, ACCOUNT, sealed) == SECRET
    for ring, account, text in ((OTHER, ACCOUNT, sealed), (RING, UUID(int=8), sealed), (RING, ACCOUNT, sealed[:-1])):
        with pytest.raises(SealBroken):
            second_factor.opened(ring, account, text)
