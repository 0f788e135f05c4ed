"""The mass-closure veto: what a picture would close or delete, compared with what is known, and when that is too much to believe."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.listing import LISTS, SURVEYS
from bot.look import EVER, Kind
from bot.model import Survey
from bot.ports import UnitOfWork
from bot.records import Closure, Position

#: The position of a picture that waits for a decision; it goes on (`next`) as a look of that kind.
_VETOED = "vetoed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A picture beside the tables."""

    closures: Sequence[Closure]
    #: Active surveys, and the live distributions of these.
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
    listed: Mapping[str, Collection[str]],
    *,
    counts_missing: bool,
) -> Comparison:
    """`live`: known distributions of active surveys that are not deleted; `listed`: those of each survey whose list was read whole.

    A survey that is missing counts only where the whole list was readable.
    """
    return Comparison(
        closures=[*_surveys(known, picture, counts_missing=counts_missing), *_distributions(known, live, listed)],
        surveys_known=sum(survey.is_active for survey in known),
        distributions_known=sum(map(len, live.values())),
    )


def comparison(uow: UnitOfWork, integration_id: str, kind: Kind) -> Comparison:
    """Compare the picture of a look of that kind with the tables."""
    live: dict[str, set[str]] = {}
    for distribution in uow.distributions.of_active(integration_id):
        if not distribution.is_deleted:
            live.setdefault(distribution.survey_id, set()).add(distribution.distribution_id)
    read_whole = {name.removeprefix(LISTS) for name in uow.positions.finished(integration_id, LISTS)}
    ids = uow.pictures.distribution_ids(integration_id)
    return compare(
        uow.surveys.all(integration_id),
        live,
        uow.pictures.surveys(integration_id),
        {survey_id: ids.get(survey_id, ()) for survey_id in read_whole},
        counts_missing=closes_missing(uow, integration_id, kind),
    )


def closes_missing(uow: UnitOfWork, integration_id: str, kind: Kind) -> bool:
    """Whether a survey that is not in the picture has vanished: not in an incremental look, and not if some record was unreadable."""
    listed = uow.positions.get(integration_id, SURVEYS, EVER)
    return kind is not Kind.INCREMENTAL and listed is not None and not listed.skipped


def closures(uow: UnitOfWork, integration_id: str) -> Sequence[Closure]:
    """What waits for a decision: the difference between a vetoed picture and the tables, as both are now."""
    kind = vetoed(uow, integration_id)
    return () if kind is None else comparison(uow, integration_id, kind).closures


def vetoed(uow: UnitOfWork, integration_id: str) -> Kind | None:
    """The kind of the look whose picture waits for a decision, if one does."""
    waiting = uow.positions.get(integration_id, _VETOED, EVER)
    return None if waiting is None or waiting.next is None else Kind(waiting.next)


def set_vetoed(uow: UnitOfWork, integration_id: str, kind: Kind | None, now: datetime) -> None:
    """Let the picture wait, or (None) not any more."""
    if kind is None:
        uow.positions.clear(integration_id, [_VETOED])
    else:
        uow.positions.save(integration_id, _VETOED, Position(next=kind), now)


def _surveys(known: Sequence[Survey], picture: Sequence[Survey], *, counts_missing: bool) -> Iterator[Closure]:
    shown = {survey.survey_id: survey for survey in picture}
    for survey in known:
        now = shown.get(survey.survey_id)
        is_closing = counts_missing if now is None else not now.is_active
        if survey.is_active and is_closing:
            yield Closure(survey_id=survey.survey_id, survey_name=survey.name, distribution_id=None, is_missing=now is None)


def _distributions(
    known: Sequence[Survey], live: Mapping[str, Collection[str]], listed: Mapping[str, Collection[str]]
) -> Iterator[Closure]:
    for survey in known:
        if survey.survey_id in listed:
            for distribution_id in sorted(set(live.get(survey.survey_id, ())) - set(listed[survey.survey_id])):
                yield Closure(survey_id=survey.survey_id, survey_name=survey.name, distribution_id=distribution_id, is_missing=True)
