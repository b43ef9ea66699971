import dataclasses
import os
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuye_loop.domain.errors import Erased, SealBroken
from wuye_loop.domain.privacy.macs import MacKeys
from wuye_loop.domain.privacy.sealing import KeyRing, Sealed, phone_key
from wuye_loop.domain.privacy.suites import AES, SM, Suite

HERE, ELSEWHERE = UUID(int=1), UUID(int=2)
PLAIN = "张三丰 13812345678".encode()
CHANCE = os.urandom
INDEX, CHAIN = MacKeys.of(b"i" * 32), MacKeys.of(b"c" * 32)
OLD = KeyRing({"k1": b"1" * 32}, "k1", INDEX, CHAIN, CHANCE)
NEW = KeyRing({"k1": b"1" * 32, "k2": b"2" * 32}, "k2", INDEX, CHAIN, CHANCE)
ONLY_NEW = KeyRing({"k2": b"2" * 32}, "k2", INDEX, CHAIN, CHANCE)


def seal(ring: KeyRing, name: str, plain: bytes) -> Sealed:
    return ring.new_key(HERE).seal(name, plain)


def altered(sealed: Sealed, part: str, value: bytes) -> Sealed:
    changes: dict[str, Any] = {part: value}
    return dataclasses.replace(sealed, **changes)


def test_what_was_sealed_opens_again_and_shows_nothing_meanwhile() -> None:
    sealed = seal(OLD, "identity", PLAIN)
    assert OLD.open(HERE, "identity", sealed) == PLAIN
    assert (sealed.key_id, sealed.alg) == ("k1", "A256GCM")
    assert PLAIN[:6] not in sealed.ciphertext


@given(st.binary(max_size=2000))
def test_any_bytes_go_round(plain: bytes) -> None:
    assert OLD.open(HERE, "f", seal(OLD, "f", plain)) == plain


def test_the_same_value_never_looks_the_same_twice() -> None:
    one, two = seal(OLD, "identity", PLAIN), seal(OLD, "identity", PLAIN)
    assert len({one.nonce, two.nonce, one.ciphertext, two.ciphertext, one.wrapped_key, two.wrapped_key}) == 6


def test_a_value_moved_to_another_grievance_or_field_does_not_open() -> None:
    sealed = seal(OLD, "identity", PLAIN)
    with pytest.raises(SealBroken):
        OLD.open(ELSEWHERE, "identity", sealed)
    with pytest.raises(SealBroken):
        OLD.open(HERE, "phone", sealed)


def test_not_even_a_key_wrapped_for_the_other_grievance_moves_a_value_there() -> None:
    sealed = seal(OLD, "identity", PLAIN)
    moved = dataclasses.replace(sealed, wrapped_key=OLD._wrap(ELSEWHERE, OLD._unwrap(HERE, sealed)))
    with pytest.raises(SealBroken):
        OLD.open(ELSEWHERE, "identity", moved)


@pytest.mark.parametrize("part", ["wrapped_key", "nonce", "ciphertext"])
def test_every_flipped_bit_is_noticed(part: str) -> None:
    sealed = seal(OLD, "identity", PLAIN)
    whole: bytes = getattr(sealed, part)
    for place in range(len(whole)):
        for changed in (whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :], whole[:place]):
            if part == "wrapped_key" and not changed:
                continue
            with pytest.raises(SealBroken):
                OLD.open(HERE, "identity", altered(sealed, part, changed))


def test_an_unknown_key_or_algorithm_is_said_in_words() -> None:
    sealed = seal(OLD, "identity", PLAIN)
    with pytest.raises(SealBroken, match="密钥环中没有"):
        OLD.open(HERE, "identity", dataclasses.replace(sealed, key_id="k9"))
    with pytest.raises(SealBroken, match="算法"):
        OLD.open(HERE, "identity", dataclasses.replace(sealed, alg="none"))


def test_without_its_data_key_a_value_is_erased_for_good() -> None:
    sealed = dataclasses.replace(seal(OLD, "identity", PLAIN), wrapped_key=b"")
    with pytest.raises(Erased):
        OLD.open(HERE, "identity", sealed)


def test_what_one_key_seals_dies_together_and_opens_for_its_own_grievance_only() -> None:
    key = OLD.new_key(HERE)
    name, phone = key.seal("name", b"n"), key.seal("phone", b"p")
    assert phone.wrapped_key == name.wrapped_key
    assert NEW.open(HERE, "phone", phone) == b"p"
    with pytest.raises(SealBroken):
        NEW.open(ELSEWHERE, "phone", phone)


def test_a_packed_word_is_one_form_of_its_text_and_opens_under_a_key_wrapped_anew() -> None:
    key = OLD.new_key(HERE)
    assert key.pack("words", PLAIN) == key.pack("words", PLAIN) != key.pack("words", b"another")
    assert key.pack("words", PLAIN) != OLD.new_key(HERE).pack("words", PLAIN)
    kept = NEW.data_key(HERE, key.seal("x", b""))
    assert kept.unpack("words", key.pack("words", PLAIN)) == PLAIN
    for broken in (
        "",
        "a",
        "a====",
        "x" + key.pack("words", PLAIN)[1:],
        key.pack("other", PLAIN),
        key.pack("words", PLAIN)[:-4],
    ):
        with pytest.raises(SealBroken):
            key.unpack("words", broken)


def test_a_digest_cannot_be_guessed_at_without_the_key() -> None:
    key, other = OLD.new_key(HERE), OLD.new_key(HERE)
    assert key.made(PLAIN, key.digest(PLAIN))
    assert not other.made(PLAIN, key.digest(PLAIN))
    assert not key.made(b"another", key.digest(PLAIN))
    assert not key.made(PLAIN, "")


@pytest.mark.parametrize("suite", [AES, SM], ids=lambda suite: suite.name)
def test_either_suite_opens_what_the_other_sealed(suite: Suite) -> None:
    ring = dataclasses.replace(OLD, suite=suite, index=dataclasses.replace(INDEX, suite=suite))
    other = dataclasses.replace(OLD, suite=SM if suite is AES else AES)
    key = ring.new_key(HERE)
    sealed, packed = key.seal("identity", PLAIN), key.pack("words", PLAIN)
    assert sealed.alg == suite.alg
    assert other.open(HERE, "identity", sealed) == PLAIN
    assert other.data_key(HERE, sealed).unpack("words", packed) == PLAIN
    assert ring.blind("13812345678") in other.blinds("13812345678")
    assert other.rewrap(HERE, sealed).wrapped_key[:1] == other.suite.mark.encode()


def test_rotation_wraps_the_key_anew_and_leaves_the_value() -> None:
    old = seal(OLD, "identity", PLAIN)
    new = NEW.rewrap(HERE, old)
    assert (new.key_id, new.ciphertext, new.nonce) == ("k2", old.ciphertext, old.nonce)
    assert ONLY_NEW.open(HERE, "identity", new) == PLAIN
    assert NEW.rewrap(HERE, new) is new
    with pytest.raises(SealBroken):
        OLD.open(HERE, "identity", new)


@pytest.mark.parametrize(
    "spelling",
    ["13812345678", "138 1234 5678", "+86-138-1234-5678", "8613812345678", "１３８１２３４５６７８", "008613812345678"],
)
def test_every_spelling_of_a_phone_has_one_blind_index(spelling: str) -> None:
    assert OLD.blind(spelling) == OLD.blind("13812345678")
    assert OLD.blind(spelling) != OLD.blind("13812345679")


def test_the_blind_index_needs_the_ring() -> None:
    other = dataclasses.replace(OLD, index=MacKeys.of(b"j" * 32))
    assert OLD.blind("13812345678") != other.blind("13812345678")
    assert NEW.blind("13812345678") == OLD.blind("13812345678")
    assert phone_key("0536-888 8123") == "05368888123"


def test_a_ring_shows_no_key_and_refuses_short_ones() -> None:
    assert "111" not in repr(OLD)
    with pytest.raises(ValueError, match="32"):
        KeyRing({"k": b"short"}, "k", INDEX, CHAIN, CHANCE)
    with pytest.raises(ValueError, match="active"):
        KeyRing({"k": b"1" * 32}, "other", INDEX, CHAIN, CHANCE)


def test_a_sealed_value_is_plain_columns() -> None:
    assert [field.name for field in dataclasses.fields(Sealed)] == [
        "key_id",
        "alg",
        "wrapped_key",
        "nonce",
        "ciphertext",
    ]
