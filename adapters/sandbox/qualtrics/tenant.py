"""A simulated Qualtrics brand: what is in it, and everything that can happen to its surveys and invitations."""

from __future__ import annotations

import string
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from random import Random

from adapters.sandbox.qualtrics import events
from adapters.sandbox.qualtrics.credentials import Credentials
from adapters.sandbox.qualtrics.faults import Faults
from adapters.sandbox.qualtrics.limits import Limits
from adapters.sandbox.qualtrics.links import mailed_link
from adapters.sandbox.qualtrics.records import Contact, Directory, Distribution, MailingList, Recipient, Rows, Subscription, Survey, User
from adapters.sandbox.qualtrics.status import FINISHED, WAITING, change

_ID_CHARACTERS = string.ascii_letters + string.digits
_NOW = timedelta(0)


class Tenant:
    """One brand in memory: three users, two directories, one mailing list, nobody in it (`seed.founded` fills it).

    The same seed makes the same ids; times are relative to the clock (aware, UTC). Methods that name something unknown raise LookupError.
    """

    def __init__(self, clock: Callable[[], datetime], *, public_url: str, seed: int = 7) -> None:
        self.clock = clock
        #: Where this tenant's survey pages are reachable, without a trailing slash.
        self.public_url = public_url.rstrip("/")
        self.brand_id = "sandbox"
        #: Where the brand says that its web pages are; its surveys are answered at `public_url`.
        self.brand_url = f"https://{self.brand_id}.qualtrics.com"
        self.datacenter = "iad1"
        #: Where its API is at home: calls to other data centres are told so, and led there by `nextPage` (quirk Q6).
        self.home_url = f"https://{self.datacenter}.qualtrics.com"
        self.credentials = Credentials(clock)
        #: None: every call is let through.
        self.limits: Limits | None = None
        #: How the tenant fails at the moment.
        self.faults = Faults()
        #: Calls so far by path template, refused ones included: `/distributions/{id}/history` (below `/API/v3`), `/oauth2/token`.
        self.calls: Counter[str] = Counter()
        self._random = Random(seed)
        self._scheduled: list[Distribution] = []
        self.subscriptions: Rows[Subscription] = Rows()
        #: Events that wait for a `deliveries.Courier`, oldest first.
        self.deliveries: deque[events.Delivery] = deque()
        #: Two survey owners, then the brand admin.
        self.users: Rows[User] = Rows()
        self.directories: Rows[Directory] = Rows()
        self.surveys: Rows[Survey] = Rows()
        #: Which survey a distribution belongs to, by the distribution's id.
        self.survey_ids: Rows[str] = Rows()
        self._found()
        self.add_list("All employees")

    # What happens in Qualtrics.

    def create_survey(
        self, name: str, *, owner_id: str | None = None, is_active: bool = True, is_anonymized: bool = False, is_readable: bool = True
    ) -> str:
        now = self.clock()
        survey = Survey(
            survey_id=self.new_id("SV"),
            name=name,
            owner_id=owner_id or self.users[0].user_id,
            created_at=now,
            modified_at=now,
            is_active=is_active,
            is_anonymized=is_anonymized,
            is_readable=is_readable,
        )
        self.surveys.add(survey.survey_id, survey)
        return survey.survey_id

    def send_survey(
        self,
        survey_id: str | None = None,
        *,
        name: str | None = None,
        emails: Collection[str] | None = None,
        expires_in: timedelta | None = timedelta(days=7),
        remind: bool = False,
        send_in: timedelta = _NOW,
        list_id: str | None = None,
        link_type: str = "Individual",
    ) -> str:
        """Mail a survey, now or `send_in` later (or earlier); the distribution's id. Without `survey_id`, a new active survey.

        It goes to `emails` (an unknown address becomes a new contact), else to everyone on the list (the main one) with an address.
        `remind` sends a reminder at once too.
        """
        survey = self.survey(survey_id or self.create_survey(name or "How are you doing?"))
        mailing_list = self._list(list_id)
        if emails is None:
            contacts = [contact for contact in mailing_list.contacts if contact.email]
        else:
            contacts = [next(self._contacts(email), None) or self.add_contact(email) for email in emails]
        distribution = self._distribute(survey, "Invite", contacts, expires_in=expires_in, send_in=send_in)
        distribution.mailing_list_id, distribution.link_type = mailing_list.mailing_list_id, link_type
        distribution.contact_id = contacts[0].lookup_id if len(contacts) == 1 else None
        self._scheduled.append(distribution)
        self.settle()
        if remind:
            self.remind(distribution.distribution_id)
        return distribution.distribution_id

    def remind(self, distribution_id: str) -> str:
        """Mail again, with new links, everybody of a distribution who has not answered; the reminder's id."""
        return self._follow_up(distribution_id, "Reminder", WAITING)

    def thank(self, distribution_id: str) -> str:
        """Thank everybody who answered; the thank-you's id."""
        return self._follow_up(distribution_id, "ThankYou", FINISHED)

    def test_mail(self, survey_id: str) -> str:
        """The author mails the survey to themselves: a distribution without recipients (quirk Q2)."""
        return self._distribute(self.survey(survey_id), "TestEmail", ()).distribution_id

    def generate_links(self, survey_id: str) -> str:
        """Make personal links for the main list, and mail none: `sentAt` is set all the same (quirk Q3). They live 60 days."""
        mailing_list = self._list(None)
        survey = self.survey(survey_id)
        distribution = self._distribute(survey, "GeneratedInvite", mailing_list.contacts, expires_in=timedelta(days=60))
        distribution.mailing_list_id = mailing_list.mailing_list_id
        for row in distribution.recipients:
            row.sent_at = distribution.send_at
        return distribution.distribution_id

    def move(self, who: str, survey_id: str, status: str) -> None:
        """Put a person's (e-mail address or `CID_...`) latest invitation to a survey into a status, as if it happened now."""
        distribution, row = self._latest(who, survey_id)
        self.change(distribution, row, status)

    def change(self, distribution: Distribution, row: Recipient, status: str, at: datetime | None = None) -> None:
        """Put one row into a status, now or then: its times, ids, the distribution's counts and the survey's response count follow."""
        before = row.status
        change(distribution, row, status, at or self.clock())
        if row.started_at and row.session_id is None:
            row.session_id = self.new_id("FS")
            self._publish(events.started(distribution, row, row.started_at))
        if status in FINISHED and status != before:
            self._record(distribution, row)

    def answer_anonymously(self, survey_id: str) -> None:
        """Somebody with the anonymous link answers: nobody can tell who."""
        survey = self.survey(survey_id)
        survey.responses += 1
        self._publish(events.answered(survey, self.new_id("R"), self.clock()))

    def activate(self, survey_id: str) -> None:
        self._switch(survey_id, is_active=True)

    def deactivate(self, survey_id: str) -> None:
        self._switch(survey_id, is_active=False)

    def share(self, survey_id: str, user_id: str) -> None:
        """Let another user see a survey and what was sent of it."""
        self.survey(survey_id).shared_with.add(user_id)

    def set_end(self, survey_id: str, ends_at: datetime | None) -> None:
        self._touch(survey_id).ends_at = ends_at

    def delete(self, survey_id: str) -> None:
        """Delete a survey: it leaves every list, but its metadata still answers (quirk Q11)."""
        survey = self._touch(survey_id)
        survey.is_active, survey.deleted_at = False, survey.modified_at

    def delete_distribution(self, distribution_id: str) -> None:
        """It leaves the list, its history and links are not found any more, and its personal links are dead."""
        distribution = self.distribution(distribution_id)
        distribution.deleted_at = self.clock()
        self._scheduled = [scheduled for scheduled in self._scheduled if scheduled is not distribution]

    def settle(self) -> None:
        """Send what is due by now. Everything that reads the tenant from outside calls this first."""
        now = self.clock()
        due = [distribution for distribution in self._scheduled if distribution.send_at <= now]
        for distribution in due:
            self._scheduled.remove(distribution)
            for row in distribution.recipients:
                change(distribution, row, "Skipped" if row.contact.unsubscribed else "Success", distribution.send_at)

    # What is there.

    def survey(self, survey_id: str) -> Survey:
        survey = self.surveys.get(survey_id)
        if survey is None:
            raise LookupError(f"no survey {survey_id}")
        return survey

    def distribution(self, distribution_id: str) -> Distribution:
        survey_id = self.survey_ids.get(distribution_id)
        found = self.survey(survey_id).distributions.get(distribution_id) if survey_id else None
        if found is None or found.deleted_at:
            raise LookupError(f"no distribution {distribution_id}")
        return found

    @property
    def contacts(self) -> Rows[Contact]:
        """Everybody in the default directory."""
        return self.directories[0].contacts

    def emails(self) -> list[str]:
        """Everybody's address, lower-cased, each once, in the directory's order."""
        return list(dict.fromkeys(contact.email.lower() for contact in self.contacts if contact.email))

    def personal_link(self, who: str, survey_id: str) -> str:
        """The link of a person's (e-mail address or `CID_...`) latest invitation: a credential."""
        distribution, row = self._latest(who, survey_id)
        return mailed_link(self.public_url, distribution, row.contact)

    # How it is put together.

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{''.join(self._random.choices(_ID_CHARACTERS, k=15))}"

    def add_contact(
        self,
        email: str | None,
        first_name: str | None = None,
        last_name: str | None = None,
        *,
        list_id: str | None = None,
        unsubscribed: bool = False,
    ) -> Contact:
        """A new contact of the default directory, on one mailing list; an address may be there already."""
        mailing_list = self._list(list_id)
        contact = Contact(
            contact_id=self.new_id("CID"),
            lookup_id=self.new_id("CGC"),
            mailing_list_id=mailing_list.mailing_list_id,
            first_name=first_name,
            last_name=last_name,
            email=email,
            external_reference=None,
            created_at=self.clock(),
            unsubscribed=unsubscribed,
        )
        self.contacts.add(contact.contact_id, contact)
        mailing_list.contacts.add(contact.contact_id, contact)
        return contact

    def add_list(self, name: str) -> str:
        """A new mailing list of the default directory; its id."""
        mailing_list = MailingList(mailing_list_id=self.new_id("CG"), name=name, owner_id=self.users[0].user_id, created_at=self.clock())
        self.directories[0].lists.add(mailing_list.mailing_list_id, mailing_list)
        return mailing_list.mailing_list_id

    def _found(self) -> None:
        accounts = (("Olivia", "Owner", "UT_FULLUSER"), ("Omar", "Nasser", "UT_FULLUSER"), ("Brigitte", "Admin", "UT_BRANDADMIN"))
        for first, last, user_type in accounts:
            user = User(
                user_id=self.new_id("UR"),
                email=f"{first}.{last}@example.com".lower(),
                first_name=first,
                last_name=last,
                user_type=user_type,
                created_at=self.clock() - timedelta(days=800),
            )
            self.users.add(user.user_id, user)
        for name, is_default in (("Employees", True), (None, False)):
            directory = Directory(directory_id=self.new_id("POOL"), name=name, is_default=is_default)
            self.directories.add(directory.directory_id, directory)

    def _list(self, list_id: str | None) -> MailingList:
        """A mailing list of the default directory; without an id the first."""
        lists = self.directories[0].lists
        found = lists.get(list_id) if list_id else next(iter(lists), None)
        if found is None:
            raise LookupError(f"no mailing list {list_id}")
        return found

    def _contacts(self, who: str) -> Iterator[Contact]:
        wanted = who.lower()
        return (contact for contact in self.contacts if wanted in {contact.contact_id.lower(), (contact.email or "").lower()})

    def _distribute(
        self,
        survey: Survey,
        request_type: str,
        contacts: Iterable[Contact],
        *,
        expires_in: timedelta | None = None,
        send_in: timedelta = _NOW,
    ) -> Distribution:
        send_at = self.clock() + send_in
        written_at = min(send_at, self.clock())
        distribution = Distribution(
            distribution_id=self.new_id("EMD"),
            survey_id=survey.survey_id,
            owner_id=survey.owner_id,
            request_type=request_type,
            created_at=written_at,
            modified_at=written_at,
            send_at=send_at,
            expires_at=None if expires_in is None else send_at + expires_in,
            subject=survey.name,
        )
        for contact in contacts:
            distribution.recipients.add(contact.contact_id, Recipient(contact=contact, status="Pending"))
        survey.created_at = min(survey.created_at, written_at)
        survey.distributions.add(distribution.distribution_id, distribution)
        self.survey_ids.add(distribution.distribution_id, survey.survey_id)
        return distribution

    def _follow_up(self, parent_id: str, request_type: str, statuses: Collection[str]) -> str:
        self.settle()
        parent = self.distribution(parent_id)
        contacts = [row.contact for row in parent.recipients if row.status in statuses]
        distribution = self._distribute(self.survey(parent.survey_id), request_type, contacts)
        distribution.parent_id, distribution.expires_at = parent_id, parent.expires_at
        self._scheduled.append(distribution)
        self.settle()
        return distribution.distribution_id

    def _latest(self, who: str, survey_id: str) -> tuple[Distribution, Recipient]:
        """The mailed row a person was given last; a generated link counts when nothing was mailed."""
        self.settle()
        now = self.clock()
        contact_ids = [contact.contact_id for contact in self._contacts(who)]
        rows = [
            (distribution, row)
            for distribution in self._asking(survey_id)
            for contact_id in contact_ids
            if (row := distribution.recipients.get(contact_id)) is not None
        ]
        if not rows:
            raise LookupError(f"nobody of that name was invited to {survey_id}")
        # `max` takes the first of equals, so later rows go first.
        return max(reversed(rows), key=lambda pair: (pair[0].request_type != "GeneratedInvite", pair[0].send_at <= now, pair[0].send_at))

    def _asking(self, survey_id: str) -> Iterator[Distribution]:
        """A survey's distributions that ask for an answer, ready to be changed."""
        distributions = self.survey(survey_id).distributions
        ids = [listed.distribution_id for listed in distributions if listed.request_type != "ThankYou" and listed.deleted_at is None]
        return (distribution for distribution_id in ids if (distribution := distributions.get(distribution_id)) is not None)

    def _record(self, distribution: Distribution, row: Recipient) -> None:
        """A row's response: first recorded, or partial until now. An anonymised one is tied to nobody (reference 10)."""
        survey = self.survey(distribution.survey_id)
        if row.response_id is None:
            row.response_id = "Anonymous" if survey.is_anonymized else self.new_id("R")
            survey.responses += 1
        is_partial = row.status == "SurveyPartiallyFinished"
        if survey.is_anonymized:
            event = events.answered(survey, self.new_id("R"), self.clock(), is_partial=is_partial)
        else:
            event = events.answered(survey, row.response_id, self.clock(), invited=(distribution, row), is_partial=is_partial)
        self._publish(event)

    def _switch(self, survey_id: str, *, is_active: bool) -> None:
        was_active = self.survey(survey_id).is_active
        survey = self._touch(survey_id)
        survey.is_active = is_active
        if was_active != is_active:
            self._publish(events.switched(survey))

    def _publish(self, event: events.Event) -> None:
        """Queue an event for whoever subscribes to it now."""
        wanting = [subscription for subscription in self.subscriptions if subscription.wants(event.topic)]
        self.deliveries.extend(events.delivery(subscription, event, self.brand_id) for subscription in wanting)

    def _touch(self, survey_id: str) -> Survey:
        survey = self.survey(survey_id)
        survey.modified_at = self.clock()
        return survey
