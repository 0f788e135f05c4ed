"""Who is believed to be Teams."""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Callable
from typing import Any, ClassVar

import jwt
import pytest

from adapters.sandbox.teams.identity import ISSUER, Key
from tests.adapters.teams.conftest import APP_ID, TENANT_ID, People

FORGERIES = 1000


@pytest.fixture(scope="session")
def other_key() -> Key:
    return Key("k1")


class Forger:
    """Makes requests that are wrong in one or more ways, each time others."""

    def __init__(self, people: People, other: Key, seed: int) -> None:
        self._people = people
        self._random = random.Random(seed)
        self._good, self._other = people.client.identity.key, other

    def forge(self) -> tuple[dict[str, Any], str, list[str]]:
        """Return an activity, its Authorization header, and what is wrong."""
        self.activity = self._people.client.activity("message", "ana") | {"text": "list"}
        now = int(time.time())
        self.claims: dict[str, Any] = {"iss": ISSUER, "aud": APP_ID, "serviceurl": self._people.tenant.service_url, "exp": now + 600}
        self.headers: dict[str, Any] = {"kid": self._good.kid}
        self.key: Any = self._good.private
        self.algorithm = "RS256"
        self.scheme = "Bearer "
        self.spoil: Callable[[str], str] = str
        wrongs = self._random.sample(list(self.WRONGS), self._random.choice([1, 1, 1, 2, 3]))
        for wrong in wrongs:
            self.WRONGS[wrong](self, self._random)
        token = jwt.PyJWS().encode(json.dumps(self.claims).encode(), self.key, algorithm=self.algorithm, headers=self.headers)
        return self.activity, self.scheme + self.spoil(token), wrongs

    def _issuer(self, dice: random.Random) -> None:
        tenants = ["d6d49420-f39b-4df7-a1dc-d59a935871db", "f8cdef31-a31e-4b4a-93e4-5f571e91255a", TENANT_ID]
        microsoft = [f"https://sts.windows.net/{tenant}/" for tenant in tenants]
        self.claims["iss"] = dice.choice([*microsoft, "https://evil.example", ISSUER + "/", "", None, 7])
        self.claims |= {"ver": dice.choice(["1.0", "2.0"]), "appid": APP_ID, "azp": APP_ID}
        self.claims = {name: value for name, value in self.claims.items() if value is not None}

    def _audience(self, dice: random.Random) -> None:
        self.claims["aud"] = dice.choice(["22222222-2222-3333-4444-555555555555", "", ISSUER, APP_ID.replace("-", ""), f"{APP_ID} "])
        if dice.random() < 0.3:
            del self.claims["aud"]

    def _time(self, dice: random.Random) -> None:
        now = int(time.time())
        match dice.choice(["expired", "early", "endless", "text"]):
            case "expired":
                self.claims["exp"] = now - dice.randint(301, 10**8)
            case "early":
                self.claims["nbf"] = now + dice.randint(360, 10**8)
            case "endless":
                del self.claims["exp"]
            case _:
                self.claims["exp"] = "soon"

    def _service_url(self, dice: random.Random) -> None:
        self.claims["serviceurl"] = dice.choice(["https://smba.trafficmanager.net/teams/", "https://evil.example/", "", 7])
        if dice.random() < 0.3:
            del self.claims["serviceurl"]

    def _foreign_key(self, _dice: random.Random) -> None:
        """The right name of a key, and another key."""
        self._sign_by_rsa(self._other.private)

    def _unknown_key(self, dice: random.Random) -> None:
        self.headers["kid"] = dice.choice(["k0", "", "k1 ", f"k{dice.randint(2, 10**9)}", "../keys"])

    def _algorithm(self, dice: random.Random) -> None:
        self.algorithm = dice.choice(["none", "HS256", "HS512"])
        self.key = None if self.algorithm == "none" else self._good.public()["n"].encode()

    def _signature(self, dice: random.Random) -> None:
        def spoil(token: str) -> str:
            head, body, signature = token.split(".")
            fake = base64.urlsafe_b64encode(dice.randbytes(256)).rstrip(b"=").decode()
            return ".".join([head, body, dice.choice([fake, "", signature[:-20]])])

        self.spoil = spoil

    def _body(self, dice: random.Random) -> None:
        """Claims changed after they were signed."""

        def spoil(token: str) -> str:
            head, _, signature = token.split(".")
            claims = json.dumps(self.claims | {"exp": int(time.time()) + dice.randint(1000, 10**6)}).encode()
            return ".".join([head, base64.urlsafe_b64encode(claims).rstrip(b"=").decode(), signature])

        self.spoil = spoil

    def _form(self, dice: random.Random) -> None:
        wrong = dice.choice(["", "x", "a.b.c", "..", "Bearer", "\xff", "eyJ" * 500])
        if dice.random() < 0.5:
            self.spoil = lambda _: wrong
        else:
            self.scheme = dice.choice(["", "bearer ", "Basic ", "Bearer  ", "Bearer\t", "Token "])

    def _tenant(self, dice: random.Random) -> None:
        """A good token, and another tenant's activity: Microsoft's tokens are the same for all."""
        self.activity["channelData"] = dice.choice([{"tenant": {"id": "another"}}, {"tenant": {"id": TENANT_ID.upper()}}, {"tenant": {}}])

    def _elsewhere(self, dice: random.Random) -> None:
        """A good token for an address that is not one of Microsoft's: what we send there, our own token included, would be lost."""
        url = dice.choice(
            ["https://evil.example/", "https://127.0.0.1@evil.example/", "file:///127.0.0.1", "//127.0.0.1/", "", "http://[::1"]
        )
        self.activity["serviceUrl"] = self.claims["serviceurl"] = url

    def _channel(self, dice: random.Random) -> None:
        self.activity["channelId"] = dice.choice(["emulator", "webchat", "directline", "", "MSTEAMS"])

    def _sign_by_rsa(self, key: Any) -> None:
        if self.algorithm == "RS256":
            self.key = key

    WRONGS: ClassVar = {
        "issuer": _issuer,
        "audience": _audience,
        "time": _time,
        "service url": _service_url,
        "foreign key": _foreign_key,
        "unknown key": _unknown_key,
        "algorithm": _algorithm,
        "signature": _signature,
        "body": _body,
        "form": _form,
        "tenant": _tenant,
        "elsewhere": _elsewhere,
        "channel": _channel,
    }


async def test_no_forgery_is_believed(people: People, other_key: Key) -> None:
    """A thousand, each wrong in one to three ways; all are refused as such, none as a fault of ours, and nothing is remembered of them."""
    forger, seen = Forger(people, other_key, seed=5), set[str]()
    assert (await people.client.say("ana", "list")).status_code == 202
    journal = len(people.tenant.journal)
    for _ in range(FORGERIES):
        activity, header, wrongs = forger.forge()
        answer = await people.client.post(activity, header=header)
        assert answer.status_code in {401, 403}, wrongs
        seen.update(wrongs)
    assert seen == set(Forger.WRONGS)
    assert len(people.tenant.journal) == journal
    assert len(people.seen("ana")) == 1
    assert people.client.identity.looks <= 2
    assert (await people.client.say("ana", "list")).status_code == 202


async def test_without_a_token_nobody_is_heard(people: People) -> None:
    answer = await people.client.post(people.client.activity("message", "ana"), header=None)
    assert answer.status_code == 401


async def test_a_new_signing_key_is_learnt_at_its_first_token(people: People, other_key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK alone would refuse it for a day."""
    identity = people.client.identity
    assert (await people.client.say("ana", "help")).status_code == 202
    identity.key = Key("k2", other_key.private)
    assert (await people.client.say("ana", "help")).status_code == 202
    assert identity.looks == 2


async def test_while_the_keys_cannot_be_had_teams_is_asked_to_deliver_again(people: People) -> None:
    people.client.identity.is_down = True
    activity = people.client.activity("message", "ana") | {"text": "help"}
    assert (await people.client.post(activity)).status_code == 503
    people.client.identity.is_down = False
    assert (await people.client.post(activity)).status_code == 202
    assert len(people.seen("ana")) == 1
