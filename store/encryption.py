"""Personal links and secrets at rest: AES-256-GCM, bound to the row they belong to.

Layout: one byte with the length of the key's id, the id, 12 bytes of nonce, ciphertext and tag. The row's identity is associated data,
so a ciphertext copied into another row does not open (reference performance.md 7.6).

The nonce is synthetic: HMAC-SHA256 over identity and text, under a key derived from the encryption key by HKDF. The same text in the
same row gives the same bytes, so an upsert can see that nothing changed. GCM breaks when one nonce serves two different inputs; here
different inputs get nonces as good as random, which NIST SP 800-38D (8.3) allows for 2^32 of them under one key, and equal inputs give
an equal ciphertext, which tells only that a row's link did not change. The idea is that of RFC 5297 and RFC 8452.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.errors import Malformed

_KEY_BYTES = 32
_NONCE_BYTES = 12
_ENTRY = re.compile(r"([A-Za-z0-9_-]{1,32}):(\S+)")
_FORM = "`id:key`, the id of letters, digits, - and _, the key 32 bytes in base64 (`openssl rand -base64 32`)"


@dataclass(frozen=True, slots=True)
class _Key:
    #: How everything begins that it encrypts: the length of its id, and the id.
    mark: bytes
    cipher: AESGCM = field(repr=False)
    #: Keyed once, copied for every text: that is most of an HMAC's cost.
    nonces: HMAC = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys in use. The first one encrypts; all of them decrypt, so a new key is put in front of the old one."""

    _keys: tuple[_Key, ...] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """Read `id:base64key,id2:base64key`. Raises ValueError with a sentence that holds no part of any key."""
        keys = tuple(_parse(number, entry.strip()) for number, entry in enumerate(text.split(","), start=1))
        if len({key.mark for key in keys}) < len(keys):
            raise ValueError("two encryption keys have the same id")
        return cls(keys)

    @property
    def key_ids(self) -> Sequence[str]:
        return [key_id_of(key.mark) for key in self._keys]

    @property
    def mark(self) -> bytes:
        """How everything begins that the first key encrypted."""
        return self._keys[0].mark

    def encrypt(self, plaintext: str, identity: str) -> bytes:
        key, data, row = self._keys[0], plaintext.encode(), identity.encode()
        mac = key.nonces.copy()
        mac.update(len(row).to_bytes(4) + row + data)
        nonce = mac.finalize()[:_NONCE_BYTES]
        return key.mark + nonce + key.cipher.encrypt(nonce, data, row)

    def decrypt(self, data: bytes, identity: str) -> str:
        """Raises Malformed for an unknown key, a changed or shortened text, and a text that was written for another row."""
        end = len(mark_of(data))
        key = next((key for key in self._keys if key.mark == data[:end]), None)
        if key is None:
            raise Malformed("what is stored was encrypted with a key that is not configured, or is damaged")
        nonce, sealed = data[end : end + _NONCE_BYTES], data[end + _NONCE_BYTES :]
        try:
            return key.cipher.decrypt(nonce, sealed, identity.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise Malformed("what is stored does not open: wrong key, or a damaged or moved row") from error


def mark_of(data: bytes) -> bytes:
    """How everything begins that this key encrypted."""
    return data[: 1 + data[0]] if data else b""


def key_id_of(mark: bytes) -> str:
    """The key's id, for a person to read."""
    return mark[1:].decode("ascii", "replace")


def _parse(number: int, entry: str) -> _Key:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise ValueError(f"encryption key {number} does not have the form {_FORM}")
    try:
        secret = base64.b64decode(found[2], validate=True)
    except binascii.Error:
        raise ValueError(f"encryption key {number} is not base64; the form is {_FORM}") from None
    if len(secret) != _KEY_BYTES:
        raise ValueError(f"encryption key {number} has {len(secret)} bytes instead of {_KEY_BYTES}; the form is {_FORM}")
    nonce_key = HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"surveybot: nonces of stored links").derive(secret)
    name = found[1].encode()
    return _Key(bytes([len(name)]) + name, AESGCM(secret), HMAC(nonce_key, SHA256()))
