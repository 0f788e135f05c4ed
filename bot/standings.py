"""How far each person is with a survey, by name: off unless an operator allows it, and the survey keeps names (FEATURES D3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from bot.model import Anonymity, Distribution, Integration, LinkType, Survey


class Standing(StrEnum):
    ANSWERED = "answered"
    #: Their session was closed, too.
    BEGUN = "begun"
    NOT_BEGUN = "not begun"


class Standings(Protocol):
    """People who were mailed and whose e-mail address is known; each counts once, as far as they are with any of their links."""

    def counts(self, integration_id: str, survey_id: str) -> Mapping[Standing, int]:
        """True counts, not to be shown."""
        ...

    def emails(self, integration_id: str, survey_id: str, standing: Standing, *, skip: int, limit: int) -> Sequence[str]:
        """In order. Qualtrics' own address of each; whether they have an account here is not looked at."""
        ...


def keeps_names(survey: Survey, distributions: Iterable[Distribution]) -> bool:
    """Whether it is known of a survey that its answers carry names: everybody was sent a link of their own, and nothing is anonymised.

    What is not known is taken for anonymous.
    """
    asking = [each for each in distributions if each.request_type in {"Invite", "Reminder"} and each.stats.sent]
    is_identified = survey.details is not None and survey.details.anonymity is Anonymity.IDENTIFIED
    return is_identified and bool(asking) and all(each.link_type is LinkType.INDIVIDUAL for each in asking)


def nameable(
    integration: Integration, survey: Survey, distributions: Iterable[Distribution], counts: Mapping[Standing, int], k: int
) -> Mapping[Standing, int]:
    """Of the standings whose people may be named, how many there are: of a survey that keeps names, k at least, who leave k others.

    Whoever knows who was mailed knows who is in no list: so these are nobody or k at least as well, or the shortest list is left out.
    """
    if not integration.shows_people or not keeps_names(survey, distributions):
        return {}
    total = sum(counts.values())
    named = {standing: counts[standing] for standing in Standing if k <= counts.get(standing, 0) <= total - k}
    if named and 0 < total - sum(named.values()) < k:
        del named[min(named, key=lambda it: named[it])]
    return named
