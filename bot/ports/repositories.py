"""What each table of surveys and people can do, as protocols; a unit of work (bot/ports/) brings them together in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.messages import Address, ChatAccount, Member, MemberKind, Preference
from bot.model import (
    Distribution,
    DistributionStats,
    Integration,
    Invitation,
    LinkEntry,
    PersonalLink,
    Survey,
    SurveyDetails,
    User,
)
from bot.ports.records import (
    Absorbed,
    DirectoryReading,
    MailedRow,
    StoredRow,
)


class Integrations(Protocol):
    def save(self, integration: Integration) -> None:
        """Add one, or change what a person sets; of a stored one the pause, and what the bot found out (brand and so on), stay."""
        ...

    def change(self, before: Integration, after: Integration) -> None:
        """Store the settings in which they differ, but for the pause; what others changed meanwhile stays."""
        ...

    def get(self, integration_id: str) -> Integration | None: ...
    def all(self) -> Sequence[Integration]:
        """In the order of their ids."""
        ...

    def set_secret(self, integration_id: str, secret: str) -> None:
        """Store the API token or OAuth client secret, encrypted."""
        ...

    def secret(self, integration_id: str) -> str | None:
        """Decrypt it; None when none was stored. Raises Malformed when it does not open."""
        ...

    def set_push_keys(self, integration_id: str, keys: Sequence[str]) -> None:
        """Store the shared keys that event deliveries may be signed with, encrypted; the newest first, none = push is off."""
        ...

    def push_keys(self, integration_id: str) -> Sequence[str]: ...
    def set_brand(self, integration_id: str, brand_id: str | None) -> None:
        """Of another brand the host is forgotten."""
        ...

    def set_brand_host(self, integration_id: str, host: str | None) -> None: ...
    def set_baseline(self, integration_id: str, at: datetime) -> None: ...
    def set_paused(self, integration_id: str, *, is_paused: bool) -> None: ...
    def set_unauthorized(self, integration_id: str, at: datetime | None) -> None: ...
    def remove(self, integration_id: str, limit: int) -> int:
        """Delete up to `limit` invitations of it, and with the last of them everything else it stored. Returns how many went;
        0 = it is gone.

        Outbox rows stay: what was said is not said again by another integration that sees the same survey.
        """
        ...


class Users(Protocol):
    """The accounts; who is not stored has no rights."""

    def save(self, integration_id: str, users: Sequence[User]) -> Absorbed:
        """Upsert, and remember that they were listed: until `forget_listed`, or until the picture of the look is cleared."""
        ...

    def remove_unlisted(self, integration_id: str) -> int:
        """Delete the accounts that are not remembered as listed; returns how many."""
        ...

    def forget_listed(self, integration_id: str) -> None: ...
    def name(self, integration_id: str, user_id: str) -> str | None:
        """First and last name; None when the account or its name is not known."""
        ...

    def known_as(self, email: str) -> str | None:
        """First and last name of the account with this (lower-cased) e-mail address; None when there is none, or it has no name."""
        ...

    def admin_of(self, email: str) -> Sequence[str]:
        """The integrations that know an active brand administrator with this (lower-cased) e-mail address, and those of the same
        brands; in order.
        """
        ...


class Grants(Protocol):
    """Whose a survey's numbers are (bot/authority.py is the way to it)."""

    def integration_of(self, email: str, survey_id: str) -> str | None:
        """The integration to read a survey from for whoever has this (lower-cased) address; None = it is not theirs, or not there."""
        ...

    def is_theirs(self, email: str, integration_id: str, survey_id: str) -> bool:
        """Whether they own it, or administer its brand; that it was shared with them is not enough."""
        ...

    def owners_of(self, survey_id: str) -> Sequence[str]:
        """The addresses in the active accounts of its owner, as each integration that sees it has them."""
        ...

    def surveys_of(self, email: str) -> Mapping[str, str]:
        """Of the surveys that they own or that were shared with them, the integration of each. Not those that they administer."""
        ...

    def share(self, survey_id: str, person_id: int, now: datetime) -> Sequence[str]:
        """Let somebody see a survey in each integration that sees it now; returns these, none = nobody sees such a survey."""
        ...

    def unshare(self, survey_id: str, person_id: int) -> bool:
        """False when it was not shared with them."""
        ...

    def shared_with(self, survey_id: str) -> Sequence[str]:
        """E-mail addresses, in order."""
        ...


class Surveys(Protocol):
    def save(self, integration_id: str, surveys: Sequence[Survey], seen_at: datetime) -> Absorbed:
        """Upsert list entries; `details` of stored rows are kept, and `details_for` too unless `is_active` changed.

        `seen_at` never goes back, so that a run that started earlier and ends later closes nothing.
        """
        ...

    def save_details(self, integration_id: str, survey_id: str, details: SurveyDetails | None, details_for: datetime | None) -> None:
        """Store what was read for a survey's `last_modified`; None = it could not be read, and what is stored stays."""
        ...

    def get(self, survey_ids: Collection[str]) -> Mapping[str, Survey]:
        """By id, whichever integration sees it; where several see it differently an active one, of these one whose details were read."""
        ...

    def of(self, integration_id: str, survey_id: str) -> Survey | None:
        """As one integration sees it."""
        ...

    def all(self, integration_id: str) -> Sequence[Survey]: ...
    def freeze_group_sizes(self, integration_id: str, survey_ids: Collection[str]) -> None:
        """Give those of these surveys that were sent, and have no group size yet, that of their integration: it stays."""
        ...

    def group_sizes(self, integration_id: str, survey_ids: Collection[str]) -> Mapping[str, int]:
        """From how many people on numbers of these surveys are shown (FEATURES D7), whoever sees them; unknown ones are missing."""
        ...

    def set_counted(self, integration_id: str, survey_ids: Collection[str], at: datetime) -> None:
        """Their counts were read then, or later; it never goes back."""
        ...

    def close_unseen(self, integration_id: str, before: datetime) -> int:
        """Mark surveys last seen before `before` as not active (they vanished from the list); returns how many changed."""
        ...


class Distributions(Protocol):
    def save(self, integration_id: str, distributions: Sequence[Distribution]) -> Absorbed:
        """Upsert; what was read about stored rows is kept, and `history_for` cleared where `link_expires_at` or `is_deleted` changed."""
        ...

    def mark_deleted(self, integration_id: str, survey_ids: Collection[str], listed: Collection[str]) -> int:
        """Mark these surveys' distributions that are not `listed` any more as deleted; returns how many changed."""
        ...

    def of_survey(self, integration_id: str, survey_id: str) -> Sequence[Distribution]: ...
    def of_surveys(self, integration_id: str, survey_ids: Collection[str]) -> Mapping[str, Sequence[Distribution]]:
        """By survey, of a page of them; those without any are missing."""
        ...

    def of_active(self, integration_id: str) -> Sequence[Distribution]:
        """Those of all active surveys, deleted ones too."""
        ...

    def set_history_for(
        self, integration_id: str, distribution_id: str, stats: DistributionStats, *, at: datetime, rows_missing: int
    ) -> None:
        """Record that the history was read to its end, for which counts, when, and how many rows it lacked."""
        ...

    def forget_history(self, integration_id: str, survey_id: str) -> None:
        """Clear `history_for` of a survey's distributions: all of them are to be read again."""
        ...


class People(Protocol):
    def ids(self, emails: Collection[str]) -> Mapping[str, int]:
        """Return `person_id` by (lower-cased) e-mail address, adding people who are new."""
        ...

    def find(self, email: str) -> int | None: ...
    def email(self, person_id: int) -> str | None: ...


class Preferences(Protocol):
    """What people chose; who chose nothing wants everything."""

    def get(self, person_id: int) -> Preference: ...
    def save(self, person_id: int, preference: Preference, now: datetime) -> None: ...


class Invitations(Protocol):
    def save_links(self, integration_id: str, distribution_id: str, links: Sequence[LinkEntry], people: Mapping[str, int]) -> Absorbed:
        """Upsert person, link expiry and (where none is stored yet) the link. `people` is by e-mail address."""
        ...

    def save_history(self, integration_id: str, distribution_id: str, rows: Sequence[MailedRow]) -> Absorbed:
        """Upsert status, times, notice and (where the entry has one) the link. A row no link was seen for has no person yet."""
        ...

    def set_person(self, integration_id: str, distribution_id: str, contact_id: str, person_id: int | None, at: datetime) -> None:
        """Record what a look-up of this contact brought (None = no e-mail address), and when."""
        ...

    def without_person(self, integration_id: str, now: datetime, tried_before: datetime, limit: int) -> Sequence[Invitation]:
        """Mailed invitations that can be answered, whose e-mail address is not known and was not looked up since `tried_before`.

        Never tried ones first.
        """
        ...

    def lacking_people(self, integration_id: str) -> Collection[str]:
        """The distributions with mailed invitations whose e-mail address is not known."""
        ...

    def own_expiries(self, integration_id: str, distribution_ids: Collection[str], since: datetime) -> Mapping[str, Sequence[datetime]]:
        """The first and the last expiry after `since` that single links have of their own, by distribution; those without are missing."""
        ...

    def of_contacts(self, integration_id: str, distribution_id: str, contact_ids: Collection[str]) -> Mapping[str, StoredRow]: ...

    def of_people(self, survey_id: str, person_ids: Collection[int]) -> Mapping[int, Sequence[Invitation]]:
        """All invitations to one survey of each of these people, over all integrations and distributions."""
        ...

    def of_person(self, person_id: int, answerable_at: datetime | None = None) -> Sequence[Invitation]:
        """Everything one person was ever sent, over all integrations.

        With `answerable_at`, all that they were sent of those surveys of which they have an invitation that was not answered by then, and
        whose link lives.
        """
        ...

    def link(self, invitation: Invitation) -> PersonalLink | None:
        """Decrypt the link for the person it is stored for; None when there is none. The only way to a personal link."""
        ...

    def due(self, now: datetime, limit: int, held: Collection[str] = ()) -> Sequence[Invitation]:
        """Invitations whose `notice_at` has come, earliest first; those of the integrations that are `held` wait."""
        ...

    def clear_notice(self, invitations: Sequence[Invitation]) -> None: ...

    def reschedule(self, integration_id: str, survey_id: str, ends_at: datetime | None, notice: timedelta, limit: int) -> int:
        """Set `notice_at` of up to `limit` open invitations anew: `notice` before the earlier of link expiry and `ends_at`.

        Returns how many moved; 0 = all are right.
        """
        ...


class Members(Protocol):
    def save(self, members: Sequence[Member]) -> Absorbed:
        """Upsert; a known `dm_channel_id` is kept when the new value has none."""
        ...

    def get(self, workspace_id: str, user_id: str) -> Member | None: ...
    def kinds(self, workspace_id: str, user_ids: Sequence[str]) -> Mapping[str, MemberKind]:
        """What those of them are that are known."""
        ...

    def by_email(self, email: str) -> Sequence[Member]: ...
    def accounts(self, email: str) -> Sequence[ChatAccount]:
        """As `by_email`, as ways to their owner."""
        ...

    def is_used_since(self, member: Member, since: datetime) -> bool: ...
    def set_used(self, member: Member, now: datetime) -> None:
        """Its owner has just done something with the bot there."""
        ...

    def set_dm_channel(self, workspace_id: str, user_id: str, channel_id: str) -> None: ...
    def seen(self, workspace_id: str, user_ids: Sequence[str], now: datetime) -> None:
        """The platform told of them, whether or not anything about them has changed."""
        ...

    def seen_since(self, workspace_id: str, user_ids: Sequence[str], since: datetime) -> Sequence[Member]: ...
    def disown(self, workspace_id: str, members: Sequence[Member]) -> None:
        """These members' addresses are those of no other accounts there."""
        ...

    def disown_unseen(self, workspace_id: str, since: datetime) -> None:
        """Nor are the addresses of members whom the platform told of since those of accounts that it did not."""
        ...

    def deactivate_unseen(self, workspace_id: str, since: datetime) -> int:
        """Those the platform has not told of since are taken for deactivated. Returns how many more there are."""
        ...

    def counts(self, *, within: str | None = None, outside: str | None = None) -> Mapping[str, int]:
        """How many accounts by kind; among the members, `no e-mail` and `unconfirmed e-mail`. Of one workspace, or of all but one."""
        ...


class DirectoryReadings(Protocol):
    def get(self, workspace_id: str) -> DirectoryReading | None: ...
    def save(self, reading: DirectoryReading) -> None: ...
    def forget(self, workspace_id: str) -> None: ...


class Addresses(Protocol):
    def save(self, address: Address) -> bool:
        """Upsert. True where the conversation is new or was closed until now."""
        ...

    def close(self, workspace_id: str, conversation_id: str) -> None: ...
    def personal(self, workspace_id: str, user_id: str) -> Address | None:
        """Somebody's personal chat with the bot; a closed one where there is no other."""
        ...

    def get(self, workspace_id: str, conversation_id: str) -> Address | None: ...
    def open_after(self, workspace_id: str, conversation_id: str) -> Address | None:
        """The open one that comes next by its id."""
        ...

    def shut_out(self, workspace_id: str) -> Sequence[str]:
        """The user ids of those whose chats with the bot are closed."""
        ...

    def service_url(self, workspace_id: str) -> str | None:
        """Any of a workspace's, for somebody who was never heard from."""
        ...

    def counts(self) -> Mapping[str, int]:
        """How many personal chats are `open`, `closed`, or were never there because the person has `never added` the bot."""
        ...


class Inbox(Protocol):
    def first_time(self, key: str, now: datetime) -> bool:
        """Remember an incoming event's id; False when it was seen before. Survives restarts; forgets after a day."""
        ...
