"""A stored link opens in its own row, with its own key, unchanged; and in no other case."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Malformed
from store.encryption import Keyring


def entry(key_id: str, fill: int) -> str:
    return f"{key_id}:{base64.b64encode(bytes([fill]) * 32).decode()}"


OLD, NEW = entry("old", 1), entry("new", 2)
KEYRING = Keyring.parse(OLD)
URL = "https://brand.qualtrics.com/jfe/form/SV_1?Q_DL=secret"


@given(st.text(), st.text())
def test_what_was_encrypted_for_a_row_opens_in_that_row(plaintext: str, identity: str) -> None:
    assert KEYRING.decrypt(KEYRING.encrypt(plaintext, identity), identity) == plaintext


@given(st.text(), st.text(), st.text())
def test_in_another_row_it_does_not_open(plaintext: str, identity: str, other: str) -> None:
    if identity != other:
        with pytest.raises(Malformed):
            KEYRING.decrypt(KEYRING.encrypt(plaintext, identity), other)


@given(st.data())
def test_one_changed_bit_anywhere_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(KEYRING.encrypt(URL, "row"))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Malformed):
        KEYRING.decrypt(bytes(sealed), "row")


@pytest.mark.parametrize("length", range(len(KEYRING.encrypt("https://q", "row"))))
def test_a_shortened_text_does_not_open(length: int) -> None:
    with pytest.raises(Malformed):
        KEYRING.decrypt(KEYRING.encrypt("https://q", "row")[:length], "row")


@given(st.binary())
def test_noise_does_not_open(noise: bytes) -> None:
    with pytest.raises(Malformed):
        KEYRING.decrypt(noise, "row")


def test_another_key_does_not_open_it_also_under_the_same_id() -> None:
    sealed = KEYRING.encrypt(URL, "row")
    for keys in (NEW, entry("old", 3)):
        with pytest.raises(Malformed):
            Keyring.parse(keys).decrypt(sealed, "row")


def test_a_new_key_in_front_writes_and_the_old_one_still_reads() -> None:
    both = Keyring.parse(f"{NEW}, {OLD}")
    assert both.decrypt(KEYRING.encrypt(URL, "row"), "row") == URL
    assert Keyring.parse(NEW).decrypt(both.encrypt(URL, "row"), "row") == URL


def test_the_same_text_gives_the_same_bytes_in_the_same_row_alone() -> None:
    sealed = KEYRING.encrypt(URL, "row")
    assert KEYRING.encrypt(URL, "row") == sealed
    nonces = {KEYRING.encrypt(text, row)[4:16] for text in ("", "a", URL) for row in ("row", "row2", "")}
    assert len(nonces) == 9


def test_identity_and_text_cannot_be_shifted_into_each_other() -> None:
    assert KEYRING.encrypt("bc", "a")[4:16] != KEYRING.encrypt("c", "ab")[4:16]


def test_the_ciphertext_holds_no_part_of_the_text() -> None:
    assert b"qualtrics" not in KEYRING.encrypt(URL, "row")


def test_no_repr_shows_a_key() -> None:
    assert repr(KEYRING) == str(KEYRING) == "Keyring()"
    assert repr(KEYRING._keys) == r"(_Key(mark=b'\x03old'),)"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "encryption key 1 does not have the form"),
        ("c2VjcmV0", "encryption key 1 does not have the form"),
        (f"{OLD},", "encryption key 2 does not have the form"),
        ("bad id:c2VjcmV0", "encryption key 1 does not have the form"),
        ("old:c2Vj*mV0", "encryption key 1 is not base64"),
        ("old:c2VjcmV0", "encryption key 1 has 6 bytes instead of 32"),
        (f"{OLD},{OLD}", "two encryption keys have the same id"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_sentence_that_does_not_repeat_it(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as refused:
        Keyring.parse(text)
    assert "c2Vj" not in str(refused.value)
    assert refused.value.__cause__ is None
