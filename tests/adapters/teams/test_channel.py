"""Messages to one person: to whom, how, and what remains of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from traceback import format_exception

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from adapters.core import utc_now
from adapters.sandbox.serving import serving
from adapters.sandbox.teams.identity import IdentityProvider
from adapters.sandbox.teams.tenant import BLOCKED, Fault, Hang, LostAnswer, Tenant, Trouble, refusal
from adapters.teams.channel import TeamsChannel
from adapters.teams.connector import Connector
from adapters.teams.pacing import TeamsPace
from adapters.teams.registration import Registration
from bot.errors import Ambiguous, Forbidden, Gone, Rejected, ShutOut, SurveybotError, Throttled, Unauthorized, Unavailable
from bot.messages import Address, Conversation
from bot.page import Page, Text
from bot.ports import Channel, Store
from cards import teams
from store.gates import SqlGates
from tests.adapters.teams.conftest import TENANT_ID, member

PAGE = Page(title="Hello", elements=(Text(("A word.",)),))
ANA = member("ana")


def address(service: Tenant, conversation_id: str = "a:ana") -> Address:
    return Address(workspace_id=TENANT_ID, conversation_id=conversation_id, user_id="ana", service_url=service.service_url)


@pytest.fixture
async def known(service: Tenant, store: Store) -> Address:
    """Ana's personal chat, which the bot has heard from."""
    service.personal("ana")
    await store.write(lambda uow: uow.addresses.save(address(service)))
    return address(service)


async def test_the_first_message_asks_for_the_chat_and_the_next_go_straight_there(channel: TeamsChannel, service: Tenant) -> None:
    sent = [await channel.send(ANA, PAGE) for _ in range(2)]
    calls = [(method, path) for method, path, _ in service.journal]
    activities = ("POST", "/v3/conversations/a:ana/activities")
    assert calls == [("POST", "/v3/conversations"), activities, activities]
    assert [message.message_id for message in sent] == list(service.personal("ana").messages)
    assert {message.channel_id for message in sent} == {"a:ana"}


async def test_a_message_says_everything_in_its_summary(channel: TeamsChannel, service: Tenant, known: Address) -> None:
    sent = await channel.send(ANA, PAGE)
    activity = service.personal("ana").messages[sent.message_id]
    assert (activity["type"], activity["summary"]) == ("message", "Hello\nA word.")
    assert activity["attachments"][0]["contentType"] == "application/vnd.microsoft.card.adaptive"


async def test_nobody_of_another_tenant_is_written_to(channel: TeamsChannel, service: Tenant) -> None:
    with pytest.raises(Rejected):
        await channel.send(replace(ANA, workspace_id="another"), PAGE)
    assert service.journal == []


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (refusal(403, "BotNotInConversationRoster"), ShutOut),
        (refusal(403, "ConversationBlockedByUser"), ShutOut),
        (refusal(403, "ForbiddenOperationException"), ShutOut),
        (BLOCKED, ShutOut),
        (refusal(403, "BotDisabledByAdmin"), Unauthorized),
        (refusal(403, "InvalidBotApiHost"), Unauthorized),
        (refusal(403, "Other"), Forbidden),
        (refusal(401, "Unauthorized"), Unauthorized),
        (refusal(400, "BadSyntax"), Rejected),
        (refusal(413, "MessageSizeTooBig"), Rejected),
        (refusal(412, "PreconditionFailed"), Unavailable),
        (Fault(429, retry_after_s=7), Throttled),
        (Fault(429), Throttled),
        (Fault(500), Ambiguous),
        (Fault(502), Unavailable),
        (Fault(503, retry_after_s=3), Unavailable),
        (Fault(504), Unavailable),
        (LostAnswer(), Ambiguous),
    ],
    ids=repr,
)
async def test_a_failed_send_is_one_call_and_says_what_is_to_be_done(
    channel: TeamsChannel, service: Tenant, known: Address, trouble: Trouble, expected: type[SurveybotError]
) -> None:
    service.troubles.append(trouble)
    with pytest.raises(SurveybotError) as raised:
        await channel.send(ANA, PAGE)
    assert type(raised.value) is expected
    assert len(service.journal) == 1
    if isinstance(raised.value, Unavailable) and isinstance(trouble, Fault):
        assert raised.value.retry_after == (trouble.retry_after_s or (5 if trouble.status == 429 else None))


async def test_a_post_opens_a_thread_of_a_channel_until_the_bot_is_removed(channel: TeamsChannel, service: Tenant, store: Store) -> None:
    """Also in a channel that was never heard from; a deleted one, and one of another tenant, are no places."""
    port: Channel = channel
    general = Conversation(workspace_id=TENANT_ID, channel_id="19:general@thread.tacv2")
    sent = await port.post(general, PAGE, "key")
    assert (sent.channel_id, list(service.conversations[general.channel_id].messages)) == (general.channel_id, [sent.message_id])
    heard = Address(workspace_id=TENANT_ID, conversation_id=general.channel_id, user_id=None, service_url=service.service_url)
    await store.write(lambda uow: uow.addresses.save(heard))
    service.troubles.append(refusal(403, "BotNotInConversationRoster"))
    asked = len(service.journal)
    for _ in range(2):
        with pytest.raises(ShutOut):
            await port.post(general, PAGE, "key")
    assert len(service.journal) == asked + 1, "it is not tried until the bot is heard from there"
    for place, expected in ((replace(general, channel_id="19:deleted"), Gone), (replace(general, workspace_id="another"), Rejected)):
        with pytest.raises(expected):
            await port.post(place, PAGE, "key")


async def test_who_has_blocked_the_bot_is_not_tried_again(channel: TeamsChannel, service: Tenant, known: Address, store: Store) -> None:
    service.troubles.append(BLOCKED)
    for _ in range(2):
        with pytest.raises(ShutOut):
            await channel.send(ANA, PAGE)
    assert len(service.journal) == 1
    assert await store.write(lambda uow: uow.addresses.save(known)), "they write to the bot again"
    await channel.send(ANA, PAGE)


async def test_a_deleted_chat_is_made_anew_once(channel: TeamsChannel, service: Tenant, store: Store) -> None:
    await store.write(lambda uow: uow.addresses.save(address(service, "a:old")))
    sent = await channel.send(ANA, PAGE)
    assert sent.channel_id == "a:ana"
    assert [path for _, path, _ in service.journal] == [
        "/v3/conversations/a:old/activities",
        "/v3/conversations",
        "/v3/conversations/a:ana/activities",
    ]
    await channel.send(ANA, PAGE)
    assert len(service.journal) == 4


async def test_after_a_429_nobody_sends_or_edits_until_teams_said_so(
    channel: TeamsChannel, service: Tenant, known: Address, database_url: str
) -> None:
    """In no process."""
    service.troubles.append(Fault(429, retry_after_s=60))
    gates = SqlGates(database_url)
    other = TeamsPace(gates, utc_now, TENANT_ID, per_minute=60_000)
    for wait in (channel.send(ANA, PAGE), channel.turn(ANA), channel.send(ANA, PAGE), other.turn(), other.edit_turn()):
        with pytest.raises(Throttled) as told:
            await wait
        assert told.value.retry_after is not None
        assert 55 < told.value.retry_after <= 60
    await gates.close()
    assert len(service.journal) == 1


async def test_one_token_is_asked_for_and_a_refused_one_is_not_used_again(
    channel: TeamsChannel, service: Tenant, known: Address, identity: IdentityProvider
) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(channel.send(ANA, PAGE))
    assert identity.tokens == ["token-1"]
    identity.tokens[:] = ["token-9"]  # as if it had been revoked
    with pytest.raises(Unauthorized):
        await channel.send(ANA, PAGE)
    await channel.send(ANA, PAGE)
    assert len(identity.tokens) == 2


async def test_without_a_token_nothing_is_sent(registration: Registration, service: Tenant, identity: IdentityProvider) -> None:
    connector = Connector(replace(registration, password="wrong"))
    with pytest.raises(Unauthorized):
        await connector.open_chat(service.service_url, "ana")
    await connector.aclose()
    identity.is_down = True
    connector = Connector(registration)
    with pytest.raises(Unavailable):
        await connector.open_chat(service.service_url, "ana")
    await connector.aclose()
    assert service.journal == []


async def test_hung_sends_are_ambiguous_and_hold_up_nobody_for_longer_than_their_time_out(
    registration: Registration, service: Tenant, known: Address, store: Store, pace: TeamsPace
) -> None:
    """As many hang as there may be calls at a time."""
    hasty = Connector(registration, at_once=2, timeouts_seconds=(10, 2))
    channel = TeamsChannel(hasty, registration, store, pace)
    service.troubles.extend([Hang(60)] * 2)
    async with asyncio.timeout(30):
        results = await asyncio.gather(*(channel.send(ANA, PAGE) for _ in range(3)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Ambiguous", "Ambiguous", "MessageRef"]
    await hasty.aclose()


async def test_an_address_where_nobody_listens_is_a_message_not_sent(channel: TeamsChannel, service: Tenant, store: Store) -> None:
    await store.write(lambda uow: uow.addresses.save(replace(address(service), service_url="http://127.0.0.1:1/")))
    with pytest.raises(Unavailable):
        await channel.send(ANA, PAGE)


async def test_a_connection_is_used_again_unless_nothing_went_over_it_for_long(
    registration: Registration, identity: IdentityProvider
) -> None:
    ports: list[int] = []

    async def take(request: Request) -> Response:
        assert request.client is not None
        ports.append(request.client.port)
        return JSONResponse({"id": "1"}, 201)

    async with serving(Starlette(routes=[Route("/v3/conversations/a:1/activities", take, methods=["POST"])])) as url:
        for idle_seconds, connections in ((60.0, 1), (-1.0, 3)):
            ports.clear()
            connector = Connector(registration, at_once=1, idle_seconds=idle_seconds)
            for _ in range(3):
                await connector.send(url, "a:1", teams.message(PAGE))
            await connector.aclose()
            assert len(set(ports)) == connections


@pytest.mark.parametrize(
    "body",
    [b'{"id": "\xff"}', b'{"id": "1", "more": ' + b"[" * 100_000, b'{"id": "' + b"1" * 9 * 2**20 + b'"}'],
    ids=["no UTF-8", "nested", "long"],
)
async def test_an_answer_that_nobody_can_read_is_one_that_was_lost(
    registration: Registration, identity: IdentityProvider, body: bytes
) -> None:
    async with serving(Response(body, 201)) as url:
        connector = Connector(registration)
        with pytest.raises(Ambiguous):
            await connector.send(url, "a:1", teams.message(PAGE))
        with pytest.raises(Unavailable):
            await connector.member(url, "a:1", "ana")
        await connector.aclose()


async def test_without_certificates_to_trust_nothing_is_sent(
    registration: Registration, identity: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is a token asked for, nor, with one at hand, Teams; and a proxy that is none is no way."""
    connector, fresh = Connector(registration), Connector(registration)
    url = "http://127.0.0.1:1/"
    with pytest.raises(Unavailable):
        await connector.send(url, "a:1", teams.message(PAGE))  # by now it has a token
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
    with pytest.raises(Unavailable):
        await connector.send(f"{url}elsewhere/", "a:1", teams.message(PAGE))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file.pem")
    for it in (connector, fresh):
        with pytest.raises(Unavailable):
            await it.send(f"{url}anywhere/", "a:1", teams.message(PAGE))
    for it in (connector, fresh):
        await it.aclose()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", b"\x05\r\n\r\n"])
async def test_what_a_proxy_lets_through_no_further_was_not_sent_and_nobody_reads_its_password(
    registration: Registration, identity: IdentityProvider, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    async def refuse(asked: asyncio.StreamReader, told: asyncio.StreamWriter) -> None:
        await asked.readuntil(b"\r\n\r\n")
        told.write(answer)
        told.close()

    connector = Connector(registration)
    async with await asyncio.start_server(refuse, "127.0.0.1") as proxy:
        with pytest.raises(Unavailable):
            await connector.send("http://127.0.0.1:1/", "a:1", teams.message(PAGE))  # by now it has a token
        monkeypatch.setenv("https_proxy", f"http://us:geheim@127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
        with pytest.raises(Unavailable) as raised:
            await connector.send("https://teams.example/", "a:1", teams.message(PAGE))
    assert "geheim" not in "".join(format_exception(raised.value))
    await connector.aclose()


async def test_the_proxy_of_the_environment_is_the_way_to_teams(
    registration: Registration, identity: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that the SDKs of Microsoft and Slack take, named with or without its scheme."""
    asked: list[str] = []

    async def carry(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await JSONResponse({"id": "1"})(scope, receive, send)

    async with serving(carry) as url:
        for proxy in (url, url.removeprefix("http://")):
            monkeypatch.setenv("http_proxy", proxy)
            connector = Connector(registration)
            assert await connector.open_chat("http://teams.example/", "ana") == "1"
            await connector.aclose()
    assert asked == ["http://teams.example/v3/conversations"] * 2
