"""Nobody but Slack is believed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import pytest
from slack_sdk.signature import SignatureVerifier

from adapters.slack.channel import SlackChannel
from adapters.slack.clients import Clients
from adapters.slack.directory import SlackDirectory
from adapters.slack.inbound import LONGEST_BODY_BYTES, PATH, slack_app
from bot.ports import Store
from store.encryption import Keyring
from tests.adapters.slack.conftest import NOW, SECRET, Bot, settled


class TestSignatures:
    BODY = json.dumps(
        {
            "type": "event_callback",
            "event_id": "Ev1",
            "team_id": "T0ACME",
            "event": {"type": "app_home_opened", "user": "U0ANA", "tab": "home"},
        }
    )

    async def post(self, url: str, secret: str = SECRET, age_seconds: int = 0, leave_out: str = "", body: str = BODY) -> int:
        timestamp = str(int(time.time()) - age_seconds)
        signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
        assert signature is not None
        headers = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature, "Content-Type": "application/json"}
        headers.pop(leave_out, None)
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
            await answer.read()
        await settled()
        return answer.status

    async def test_a_good_signature_is_believed(self, bot: Bot) -> None:
        assert await self.post(bot.url) == 200
        assert "U0ANA" in bot.workspace.homes

    async def test_a_wrong_secret_is_not(self, bot: Bot) -> None:
        assert await self.post(bot.url, secret="another") == 401
        assert bot.workspace.homes == {}

    @pytest.mark.parametrize("age_seconds", [301, -301])
    async def test_a_signature_of_another_time_is_not(self, bot: Bot, age_seconds: int) -> None:
        assert await self.post(bot.url, age_seconds=age_seconds) == 401
        assert bot.workspace.homes == {}

    @pytest.mark.parametrize("header", ["X-Slack-Signature", "X-Slack-Request-Timestamp"])
    async def test_a_missing_header_is_not(self, bot: Bot, header: str) -> None:
        assert await self.post(bot.url, leave_out=header) == 401
        assert bot.workspace.homes == {}

    async def test_another_body_than_the_signed_one_is_not(self, bot: Bot) -> None:
        timestamp = str(int(time.time()))
        signature = SignatureVerifier(SECRET).generate_signature(timestamp=timestamp, body=self.BODY)
        assert signature is not None
        headers = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature, "Content-Type": "application/json"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(bot.url, data=self.BODY.replace("U0ANA", "U0BEN"), headers=headers) as answer,
        ):
            assert answer.status == 401
        assert bot.workspace.homes == {}

    async def test_a_header_of_bolts_own_is_not(self, bot: Bot) -> None:
        headers = {"Content-Type": "application/json", "X-Slack-Bolt-Lazy-Only": "1", "X-Slack-Bolt-Lazy-Function-Name": "opened"}
        async with aiohttp.ClientSession() as session, session.post(bot.url, data=self.BODY, headers=headers) as answer:
            assert answer.status == 401

    async def test_a_body_that_says_it_is_too_long_is_refused_unread(self, bot: Bot) -> None:
        """Not a byte of it was sent when the answer came."""
        address = urlsplit(bot.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        signed = f"X-Slack-Request-Timestamp: {int(time.time())}\r\nX-Slack-Signature: v0={'0' * 64}"
        writer.write(f"POST {PATH} HTTP/1.1\r\nHost: bot\r\n{signed}\r\nContent-Length: {LONGEST_BODY_BYTES + 1}\r\n\r\n".encode())
        async with asyncio.timeout(30):
            assert await reader.readline() == b"HTTP/1.1 413 Request Entity Too Large\r\n"
        writer.close()

    async def test_a_body_that_does_not_say_how_long_it_is_is_refused_once_it_is_too_long(self, bot: Bot) -> None:
        """It never ends, so that who reads all of it never answers."""
        refused = asyncio.Event()

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(LONGEST_BODY_BYTES // 1000 + 1):
                yield b" " * 1000
            await refused.wait()

        signed = {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": f"v0={'0' * 64}"}
        async with aiohttp.ClientSession(headers=signed) as session, asyncio.timeout(30), session.post(bot.url, data=endless()) as answer:
            assert answer.status == 413
            refused.set()

    async def test_the_longest_body_is_believed_when_it_is_signed(self, bot: Bot) -> None:
        long = self.BODY.ljust(LONGEST_BODY_BYTES)
        assert await self.post(bot.url, body=long) == 200
        assert "U0ANA" in bot.workspace.homes

    def test_there_is_no_app_without_a_signing_secret(
        self, clients: Clients, store: Store, directory: SlackDirectory, channel: SlackChannel, keyring: Keyring
    ) -> None:
        with pytest.raises(ValueError, match="signing secret"):
            slack_app(
                clients=clients,
                signing_secret="",
                store=store,
                directory=directory,
                channel=channel,
                keyring=keyring,
                clock=lambda: NOW,
            )

    async def test_the_request_url_is_verified(self, bot: Bot) -> None:
        assert await bot.sender.verify_url()
