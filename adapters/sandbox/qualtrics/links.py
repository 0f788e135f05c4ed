"""Personal survey links as Qualtrics writes them, and back (recorded in ropensci-qualtRics distribution_history and distribution_links)."""

from __future__ import annotations

from adapters.sandbox.qualtrics.records import Contact, Distribution


def mailed_link(public_url: str, distribution: Distribution, contact: Contact) -> str:
    """The link of `/history`: `Q_CHL=email`, or `gl` when only a link was made and nothing was mailed."""
    if distribution.request_type == "GeneratedInvite":
        return generated_link(public_url, distribution, contact)
    return _link(public_url, distribution, "email", f"EMD_{_key(distribution, contact)}")


def generated_link(public_url: str, distribution: Distribution, contact: Contact) -> str:
    """The link of `/links`: always `Q_CHL=gl`, and the distribution's id without its prefix."""
    return _link(public_url, distribution, "gl", _key(distribution, contact))


def parse_key(key: str) -> tuple[str, str] | None:
    """The distribution id and the contact's lookup id in a `Q_DL` value; None when it is not one."""
    parts = key.removeprefix("EMD_").split("_", 2)
    return (f"EMD_{parts[0]}", parts[2]) if len(parts) == 3 else None


def _key(distribution: Distribution, contact: Contact) -> str:
    distribution_key = distribution.distribution_id.removeprefix("EMD_")
    return f"{distribution_key}_{distribution.survey_id.removeprefix('SV_')}_{contact.lookup_id}"


def _link(public_url: str, distribution: Distribution, channel: str, key: str) -> str:
    if distribution.link_type == "Anonymous":
        return f"{public_url}/jfe/form/{distribution.survey_id}"
    return f"{public_url}/jfe/form/{distribution.survey_id}?Q_CHL={channel}&Q_DL={key}"
