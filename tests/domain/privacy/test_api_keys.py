import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuye_loop.domain.privacy.access import api_keys

KEY = api_keys.mint(bytes(range(32)))


def test_a_key_has_its_brand_43_characters_and_a_checksum() -> None:
    brand, kind, rest = KEY.split("_", 2)
    secret, checksum = rest.rsplit("_", 1)
    assert (brand, kind, len(secret), len(checksum), len(KEY)) == ("wyl", "live", 43, 8, 61)


@given(st.binary(min_size=32, max_size=32))
def test_every_minted_key_is_well_formed(chance: bytes) -> None:
    assert api_keys.well_formed(api_keys.mint(chance))


@given(st.integers(0, len(KEY) - 1), st.characters(codec="ascii"))
def test_no_key_with_one_changed_character_is_well_formed(place: int, letter: str) -> None:
    changed = KEY[:place] + letter + KEY[place + 1 :]
    assert api_keys.well_formed(changed) == (changed == KEY)


@pytest.mark.parametrize("text", ["", KEY[:-1], KEY + "0", KEY + "\n", "wyl_live_", "张三", "\ud800", KEY.upper()])
def test_other_texts_are_not_well_formed(text: str) -> None:
    assert not api_keys.well_formed(text)


def test_what_is_stored_is_the_sha256_and_what_is_shown_is_the_beginning() -> None:
    assert api_keys.digest(KEY) == hashlib.sha256(KEY.encode()).digest()
    assert api_keys.prefix(KEY) == KEY[:15]
    assert len(api_keys.digest("\ud800")) == 32


def test_a_key_is_made_of_32_bytes_and_nothing_less() -> None:
    with pytest.raises(ValueError, match="32"):
        api_keys.mint(b"short")
