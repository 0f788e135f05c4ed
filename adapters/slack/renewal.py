"""New tokens for old before these end: by one process at a time, since a refresh token is spent by its use.

https://docs.slack.dev/authentication/using-token-rotation: an access token lives 12 hours, and to its own end also after a renewal.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from slack_sdk.errors import SlackApiError, SlackTokenRotationError
from slack_sdk.oauth.installation_store import Bot
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator

from adapters.slack.errors import translated
from bot.errors import Gone, SurveybotError, Unauthorized, Unavailable, loggable
from bot.installations import Tokens
from bot.leasing import held
from bot.ports import Store, UnitOfWork
from bot.ports.records import Lease
from bot.uninterrupted import to_its_end

#: How long before its end a token is renewed.
AHEAD = timedelta(hours=2)
#: Longer than a call can take.
_LEASE = timedelta(seconds=30)
_DEAD = frozenset({"invalid_refresh_token", "token_revoked", "token_expired", "account_inactive", "invalid_auth", "invalid_grant"})
_OUR_FAULT = frozenset({"bad_client_secret", "invalid_client_id"})
#: How often it is looked whether another process has done it, and for how long.
_LOOK_SECONDS, _PATIENCE = 0.2, 75

log = logging.getLogger(__name__)


def is_due(tokens: Tokens, now: datetime) -> bool:
    return tokens.expires_at is not None and tokens.expires_at - now < AHEAD


def is_over(tokens: Tokens, now: datetime) -> bool:
    return tokens.expires_at is not None and tokens.expires_at <= now


@dataclass(slots=True, kw_only=True)
class Renewal:
    store: Store
    clock: Callable[[], datetime]
    #: This process among all.
    owner: str
    rotator: AsyncTokenRotator
    #: Received, but the database did not take them: the old ones are spent.
    _unsaved: dict[Tokens, Tokens] = field(default_factory=dict[Tokens, Tokens])

    def has_newer(self, tokens: Tokens) -> bool:
        """Whether these were renewed here, which the database does not know yet: others may have met a refusal of the spent ones since."""
        return tokens in self._unsaved

    async def renewed(self, workspace_id: str) -> Tokens:
        """Return tokens that are not due; old ones that still live while another process is at it. Not to be called twice at a time.

        Raises Gone (no longer installed), Unauthorized (Slack refuses to renew), Unavailable.
        """
        for _ in range(_PATIENCE):
            lease, tokens = await self.store.write(lambda uow: self._take(uow, workspace_id))
            if tokens is None:
                raise Gone("the app is not installed in this workspace")
            if lease is Lease.TAKEN:
                return await to_its_end(self._renew(workspace_id, tokens))  # received tokens are the only ones
            if not is_over(tokens, self.clock()):
                return tokens
            await asyncio.sleep(_LOOK_SECONDS)
        raise Unavailable("another process is renewing the token of this workspace")

    def _take(self, uow: UnitOfWork, workspace_id: str) -> tuple[Lease, Tokens | None]:
        lease, tokens = uow.leases.take(_name(workspace_id), self.owner, _LEASE), uow.installations.tokens(workspace_id)
        return lease, tokens

    async def _renew(self, workspace_id: str, old: Tokens) -> Tokens:
        async with held(self.store, _name(workspace_id), self.owner, _LEASE):
            if not is_due(old, self.clock()):
                return old
            try:
                new = self._unsaved[old] = self._unsaved.get(old) or await self._exchange(old)
            except _Refused as error:
                log.error("slack.token_refused", extra={"workspace": workspace_id, **loggable(error)})  # noqa: TRY400 - it says it all
                await self._replace(workspace_id, old, None)
                raise
            kept = await self._replace(workspace_id, old, new)
            del self._unsaved[old]
            log.info("slack.token_renewed", extra={"workspace": workspace_id})
            return kept

    async def _replace(self, workspace_id: str, old: Tokens, new: Tokens | None) -> Tokens:
        """Return what is stored afterwards: neither new tokens nor a refusal of old ones (None) count once the app was installed again."""
        now = self.clock()

        def replace(uow: UnitOfWork) -> Tokens:
            stored = uow.installations.tokens(workspace_id)
            if stored is None:
                raise Gone("the app is not installed in this workspace")
            if stored != old:
                return stored
            if new is None:
                uow.installations.set_broken(workspace_id, now)
                return old
            uow.installations.renew(workspace_id, new)
            return new

        return await self.store.write(replace)

    async def _exchange(self, tokens: Tokens) -> Tokens:
        # The SDK looks at the end of the token once more, by a clock of its own: 0 is long ago.
        old = Bot(
            bot_token=tokens.access, bot_refresh_token=tokens.refresh, bot_token_expires_at=0, bot_id="", bot_user_id="", installed_at=0.0
        )
        try:
            with translated("oauth.v2.access", repeatable=True):
                new = await self.rotator.perform_bot_token_rotation(bot=old)
                if new is None or not new.bot_token or not new.bot_token_expires_at:
                    raise ValueError("no token")
                return Tokens(
                    access=new.bot_token, refresh=new.bot_refresh_token, expires_at=datetime.fromtimestamp(new.bot_token_expires_at, UTC)
                )
        except SlackTokenRotationError as error:
            raise _refusal(error.api_error) from error


def _refusal(error: SlackApiError) -> SurveybotError:
    """A name nobody foresaw may pass; only a refusal of this very token asks for a new installation."""
    try:
        with translated("oauth.v2.access", repeatable=True):
            raise error
    except Unavailable as unavailable:
        return unavailable
    except SurveybotError as other:
        name = error.response.get("error")
        if name in _OUR_FAULT:
            return Unauthorized(f"{name}: see SURVEYBOT_SLACK__CLIENT_ID and SURVEYBOT_SLACK__CLIENT_SECRET")
        if name in _DEAD:
            return _Refused(f"Slack refuses to renew the token ({name}); the app must be installed there again")
        return Unavailable(str(other))


class _Refused(Unauthorized):
    """Nothing but a new installation helps."""


def _name(workspace_id: str) -> str:
    return f"slack-token:{workspace_id}"
