"""The mass-closure veto: what a picture would close or delete, compared with what is known, and when that is too much to believe.

Only what can still be answered counts, among what is known and among what would be closed: nobody misses the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from bot import rules
from bot.model import Survey
from bot.ports import UnitOfWork
from bot.ports.records import Closure, Position
from bot.syncing.listing import SURVEYS, listed
from bot.syncing.look import EVER, Kind

#: The position of a picture that waits for a decision; `next` tells the kind of its look, and when it was taken.
_VETOED = "vetoed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A picture beside the tables."""

    closures: Sequence[Closure]
    #: Surveys, and distributions of these, that can be answered.
    surveys_known: int
    distributions_known: int

    def veto(self, share: float) -> str | None:
        """Return why this must not be applied; None = it may be. A single closure never is too much."""
        surveys = sum(closure.distribution_id is None for closure in self.closures)
        distributions = len(self.closures) - surveys
        too_much = (
            f"{number:,} of {known:,} known {what}"
            for number, known, what in (
                (surveys, self.surveys_known, "active surveys"),
                (distributions, self.distributions_known, "distributions"),
            )
            if number > 1 and number > share * known
        )
        told = " and ".join(too_much)
        return f"It would close {told}; more than {share:.0%} need approval." if told else None


def compare(
    known: Sequence[Survey],
    live: Mapping[str, Collection[str]],
    picture: Sequence[Survey],
    lists: Mapping[str, Collection[str]],
    *,
    counts_missing: bool,
) -> Comparison:
    """`known` and `live`: surveys and distributions that can be answered; `lists`: those of each survey whose list was read whole.

    A survey that is missing counts only where the whole list was readable.
    """
    return Comparison(
        closures=[*_surveys(known, picture, counts_missing=counts_missing), *_distributions(known, live, lists)],
        surveys_known=len(known),
        distributions_known=sum(map(len, live.values())),
    )


def comparison(uow: UnitOfWork, integration_id: str, kind: Kind, at: datetime) -> Comparison:
    """Compare the picture of a look of that kind, which began `at`, with the tables."""
    known = {survey.survey_id: survey for survey in uow.surveys.all(integration_id) if _takes_answers(survey, None, at)}
    live: dict[str, set[str]] = {}
    for distribution in uow.distributions.of_active(integration_id):
        survey = known.get(distribution.survey_id)
        if survey is not None and not distribution.is_deleted and _takes_answers(survey, distribution.link_expires_at, at):
            live.setdefault(distribution.survey_id, set()).add(distribution.distribution_id)
    ids = uow.pictures.distribution_ids(integration_id)
    return compare(
        list(known.values()),
        live,
        uow.pictures.surveys(integration_id),
        {survey_id: ids.get(survey_id, ()) for survey_id, is_whole in listed(uow, integration_id).items() if is_whole},
        counts_missing=closes_missing(uow, integration_id, kind),
    )


def closes_missing(uow: UnitOfWork, integration_id: str, kind: Kind) -> bool:
    """Whether a survey that is not in the picture has vanished: not in an incremental look, and not if some record was unreadable."""
    listed = uow.positions.get(integration_id, SURVEYS, EVER)
    return kind is not Kind.INCREMENTAL and listed is not None and not listed.skipped


def closures(uow: UnitOfWork, integration_id: str) -> Sequence[Closure]:
    """What waits for a decision: the difference between a vetoed picture and the tables, as both are now."""
    waiting = _waiting(uow, integration_id)
    return () if waiting is None else comparison(uow, integration_id, *waiting).closures


def name_of(waiting: Sequence[Closure]) -> str:
    """A short name of what waits, to be approved by: another one as soon as anything else would be closed."""
    said = (f"{it.survey_id} {it.distribution_id} {it.is_missing}" for it in waiting)
    return sha256("\n".join(said).encode()).hexdigest()[:8]


def vetoed(uow: UnitOfWork, integration_id: str) -> Kind | None:
    """The kind of the look whose picture waits for a decision, if one does."""
    waiting = _waiting(uow, integration_id)
    return None if waiting is None else waiting[0]


def set_vetoed(uow: UnitOfWork, integration_id: str, kind: Kind | None, at: datetime) -> None:
    """Let the picture of a look of that kind, which began `at`, wait; None = it does not any more."""
    if kind is None:
        uow.positions.clear(integration_id, [_VETOED])
    else:
        uow.positions.save(integration_id, _VETOED, Position(next=f"{kind} {at.isoformat()}"), at)


def _waiting(uow: UnitOfWork, integration_id: str) -> tuple[Kind, datetime] | None:
    waiting = uow.positions.get(integration_id, _VETOED, EVER)
    if waiting is None or waiting.next is None:
        return None
    kind, _, at = waiting.next.partition(" ")
    return Kind(kind), datetime.fromisoformat(at)


def _takes_answers(survey: Survey, link_expires_at: datetime | None, now: datetime) -> bool:
    closes_at = rules.deadline(link_expires_at, survey)
    return _is_open(survey) and (closes_at is None or closes_at > now)


def _is_open(survey: Survey) -> bool:
    return survey.is_active and not (survey.details is not None and survey.details.is_deleted)


def _surveys(known: Sequence[Survey], picture: Sequence[Survey], *, counts_missing: bool) -> Iterator[Closure]:
    shown = {survey.survey_id: survey for survey in picture}
    for survey in known:
        now = shown.get(survey.survey_id)
        if counts_missing if now is None else not _is_open(now):
            yield Closure(survey_id=survey.survey_id, survey_name=survey.name, distribution_id=None, is_missing=now is None)


def _distributions(known: Sequence[Survey], live: Mapping[str, Collection[str]], lists: Mapping[str, Collection[str]]) -> Iterator[Closure]:
    for survey in known:
        if survey.survey_id in lists:
            for distribution_id in sorted(set(live.get(survey.survey_id, ())) - set(lists[survey.survey_id])):
                yield Closure(survey_id=survey.survey_id, survey_name=survey.name, distribution_id=distribution_id, is_missing=True)
