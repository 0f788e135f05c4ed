"""Requests that only look like Slack's: forged, stale, tampered with, malformed. The same ones for the same seed."""

from __future__ import annotations

import hashlib
import hmac
import json
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from urllib.parse import urlencode

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
_WINDOW_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Attempt:
    #: How it was made, for whoever reads a failure.
    what: str
    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"


@dataclass(frozen=True, kw_only=True)
class Forger:
    """`secret` is the app's own, to sign what is wrong for another reason; `now` is in seconds since 1970."""

    random: Random
    secret: str
    now: int
    response_url: str

    def genuine(self) -> Attempt:
        """Return what Slack itself would send: no two are alike."""
        kind, body = self.random.choice([(FORM, self._command()), (FORM, self._press()), (JSON, self._event())])
        return self._signed("genuine", body, kind)

    def forged(self) -> Attempt:
        ways = (self._headers, self._instants, self._tampered, self._nonsense, self._methods)
        return self.random.choices(ways, weights=(8, 4, 4, 4, 1))[0]()

    def _headers(self) -> Attempt:
        made = self.genuine()
        good = made.headers["X-Slack-Signature"]
        signature = self.random.choice(
            [
                "",
                "v0=",
                good.removeprefix("v0="),
                good.replace("v0=", "v1="),
                good.upper(),
                good[: self.random.randrange(3, len(good))],
                good + self.random.choice(string.hexdigits),
                _flip(good, self.random.randrange(3, len(good)), self.random),
                f" {good[:-1]}",
                "v0=" + "é" * 64,
                "v0=" + "\u0660" * 64,
                _signature("another secret", made.headers["X-Slack-Request-Timestamp"], made.body),
                _signature(self.secret, made.headers["X-Slack-Request-Timestamp"], b""),
                _signature(self.secret, str(self.now - 1), made.body),
                None,
            ]
        )
        if signature is None:
            missing = self.random.sample(["X-Slack-Signature", "X-Slack-Request-Timestamp"], self.random.randint(1, 2))
            return replace(made, what="header missing", headers={k: v for k, v in made.headers.items() if k not in missing})
        lazy = {"X-Slack-Bolt-Lazy-Only": "1", "X-Slack-Bolt-Lazy-Function-Name": "typed"} if self.random.random() < 0.2 else {}
        return replace(made, what=f"signature {signature!r}", headers={**made.headers, "X-Slack-Signature": signature, **lazy})

    def _instants(self) -> Attempt:
        """Signed with the secret, at a time that does not count."""
        away = _WINDOW_SECONDS + self.random.choice([60, 3600, 86_400, 10**9])
        far = str(self.now + self.random.choice([-1, 1]) * away)
        odd = [
            "",
            "0",
            "-1",
            "now",
            "1e9",
            "NaN",
            "inf",
            f"{self.now}.0",
            f"+{self.now}",
            f" {self.now}",
            "9" * 400,
            "9" * 5000,
            "\u0663" * 10,
        ]
        timestamp = self.random.choice([far] * 6 + odd)
        made = self.genuine()
        return self._signed(f"timestamp {timestamp[:20]!r}", made.body, made.headers["Content-Type"], timestamp)

    def _tampered(self) -> Attempt:
        made = self.genuine()
        at = self.random.randrange(len(made.body))
        body = self.random.choice(
            [
                made.body.replace(b"U0ANA", b"U0BEN"),
                made.body + b"&user_id=U0BEN",
                made.body + b" ",
                b"\xef\xbb\xbf" + made.body,
                made.body[:at],
                made.body[:at] + b"\xff" + made.body[at:],
                made.body[:at] + bytes([made.body[at] ^ 1]) + made.body[at + 1 :],
                b"ssl_check=1&token=",
                b'{"type": "url_verification", "challenge": "let me in"}',
                b"{" + b'"a":{' * 30_000,
            ]
        )
        return replace(made, what="body changed", body=body)

    def _nonsense(self) -> Attempt:
        """Signed with the secret, but nothing Slack would send."""
        kind, body = self.random.choice(
            [
                (JSON, ""),
                (JSON, "{"),
                (JSON, "null"),
                (JSON, "[1]"),
                (JSON, '"text"'),
                (JSON, "[" * 60_000),
                (JSON, '{"a":' * 60_000),
                (JSON, "1" * 5000),
                (JSON, '{"authorizations": ["x"]}'),
                (JSON, '{"authorizations": 3}'),
                (JSON, '{"authorizations":[' * 500 + "{}" + "]}" * 500),
                (JSON, '{"type": "event_callback"}'),
                (JSON, '{"type": "event_callback", "event": []}'),
                (JSON, '{"type": "event_callback", "event": {"type": {}}}'),
                (JSON, '{"type": "block_actions", "actions": {}}'),
                (JSON, '{"type": "view_submission", "view": "x"}'),
                (JSON, '{"type": "nothing", "type": "at all"}'),
                (JSON, '{"user": 1, "team": 2, "channel": 3}'),
                (FORM, "payload={"),
                (FORM, "payload=[]"),
                (FORM, "payload=null"),
                (FORM, "payload=%ff"),
                (FORM, "command=&text="),
                (FORM, "=&=&=" * 1000),
                (FORM, "\x00"),
                (JSON, " " * 1_000_001),
            ]
        )
        lately = str(self.now - self.random.randrange(_WINDOW_SECONDS - 60))  # or it would be a replay of the same nonsense
        return self._signed(f"nonsense {body[:40]!r}", body, kind, lately)

    def _methods(self) -> Attempt:
        return replace(
            self.genuine(), what="another method", method=self.random.choice(["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
        )

    def _command(self) -> str:
        fields = {
            "team_id": "T0ACME",
            "channel_id": "C0GENERAL",
            "user_id": "U0ANA",
            "command": "/surveys",
            "text": self.random.choice(["", "help", "list"]),
            "response_url": self.response_url,
            "trigger_id": self._id("Tr"),
        }
        return urlencode(fields)

    def _press(self) -> str:
        payload = {
            "type": "block_actions",
            "team": {"id": "T0ACME"},
            "user": {"id": "U0ANA", "team_id": "T0ACME"},
            "container": {"type": "message", "channel_id": "C0GENERAL", "is_ephemeral": True},
            "response_url": self.response_url,
            "trigger_id": self._id("Tr"),
            "actions": [{"type": "button", "action_id": "surveys.list", "block_id": "b", "value": "{}"}],
        }
        return urlencode({"payload": json.dumps(payload)})

    def _event(self) -> str:
        event = {"type": "app_home_opened", "user": "U0ANA", "tab": "home"}
        return json.dumps({"type": "event_callback", "team_id": "T0ACME", "event_id": self._id("Ev"), "event": event})

    def _id(self, prefix: str) -> str:
        return f"{prefix}{self.random.getrandbits(64):x}"

    def _signed(self, what: str, body: str | bytes, kind: str, timestamp: str | None = None) -> Attempt:
        content = body.encode() if isinstance(body, str) else body
        at = str(self.now) if timestamp is None else timestamp
        headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": at, "X-Slack-Signature": _signature(self.secret, at, content)}
        return Attempt(what=what, body=content, headers=headers)


def _signature(secret: str, timestamp: str, body: bytes) -> str:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()


def _flip(text: str, at: int, random: Random) -> str:
    return text[:at] + random.choice([digit for digit in "0123456789abcdef" if digit != text[at]]) + text[at + 1 :]
