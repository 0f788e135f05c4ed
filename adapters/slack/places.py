"""Where an answer is shown in Slack, and who can see it there: only the private places take a private page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, assert_never

import stamina
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from adapters.privacy import check_reader
from adapters.slack.errors import fields, translated
from bot.errors import Rejected, Unavailable
from bot.messages import Member, Surface
from bot.page import AnyPage, Page, PrivatePage
from bot.ports import Store
from cards import slack

#: Nothing was done: somebody waits, and the next attempt may reach them.
_NOT_HANDLED = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A person's Home tab with the bot."""

    user_id: str
    #: Of the view they look at: where something newer stands by now, nothing is shown. None = whatever stands there.
    hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Modal:
    """A window over everything else, which the person opened who sees it. As in a channel, others may look over their shoulder."""

    #: Slack's id, or ours while Slack has not told its own.
    view_id: str | None = None
    external_id: str | None = None
    #: As above.
    hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A message that only the person who asked sees, in a conversation where others look on."""

    channel_id: str
    #: Good for five answers within 30 minutes (reference slack.md 2).
    response_url: str
    #: Whether it takes the place of the (ephemeral) message whose button was pressed.
    replaces: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateReply:
    """The same in the direct message between the person and the bot."""

    reply: Reply


Place = Home | Modal | Reply | PrivateReply


def surface(place: Place) -> Surface:
    match place:
        case Home():
            return Surface.HOME
        case PrivateReply():
            return Surface.PRIVATE
        case Modal() | Reply():
            return Surface.SHARED


async def open_modal(client: AsyncWebClient, trigger_id: str, page: Page) -> Modal:
    """Open a window at once: the trigger is good for three seconds, and once. Raises Rejected when they are over."""
    with translated("views.open"):
        view = fields(await client.views_open(trigger_id=trigger_id, view=slack.modal(page)))["view"]
        return Modal(view_id=view["id"], hash=view["hash"])


async def fill(client: AsyncWebClient, modal: Modal, view: dict[str, Any]) -> None:
    """Show what `window` has drawn. Raises Superseded as `show` does."""
    with translated("views.update", repeatable=True):
        await client.views_update(view_id=modal.view_id, external_id=modal.external_id, view=view, hash=modal.hash)


def window(page: AnyPage, carried: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Draw for a window, with what it is to carry. Raises TypeError for a private page."""
    if isinstance(page, PrivatePage):
        raise TypeError("a private page is not shown where others look on")
    return slack.modal(page, carried)


async def show(client: AsyncWebClient, store: Store, place: Place, page: Page | PrivatePage, reader: Member | None = None) -> None:
    """Show the page. Shows nothing and raises, for a private page: Rejected when it is not the reader's, TypeError where others look on.

    Raises Superseded where something newer stands by now.
    """
    await check_reader(store, reader, page)
    match place:
        case Home():
            await _publish(client, place, page)
        case Modal():
            await fill(client, place, window(page))
        case PrivateReply():
            await _respond(client, place.reply, slack.message(page))
        case Reply():
            if isinstance(page, PrivatePage):
                raise TypeError("a private page is not shown where others look on")
            await _respond(client, place, _shared(page))
        case _:
            assert_never(place)


def _shared(page: Page) -> dict[str, Any]:
    """Draw for a place that others look on: by its type, no private page comes here."""
    return slack.message(page)


async def _publish(client: AsyncWebClient, home: Home, page: Page | PrivatePage) -> None:
    view = slack.home(page)
    with translated("views.publish", repeatable=True):
        await client.views_publish(user_id=home.user_id, view=view, hash=home.hash)


async def _respond(client: AsyncWebClient, reply: Reply, card: dict[str, Any]) -> None:
    webhook = AsyncWebhookClient(
        reply.response_url, timeout=client.timeout, proxy=client.proxy, ssl=client.ssl, session=client.session, retry_handlers=[]
    )
    body = {"response_type": "ephemeral", "replace_original": reply.replaces, "unfurl_links": False, "unfurl_media": False, **card}
    async for attempt in stamina.retry_context(on=Unavailable, attempts=3, wait_initial=1.0, wait_max=3.0):
        with attempt:
            with translated("response_url", repeatable=reply.replaces):
                answer = await webhook.send_dict(body)
            if answer.status_code != HTTPStatus.OK:
                refusal = Unavailable if answer.status_code in _NOT_HANDLED else Rejected
                raise refusal(f"response_url answered {answer.status_code}")
