"""Where buttons into Qualtrics lead, and why there."""

from __future__ import annotations

from adapters.doctor.check import Check, Level
from bot.deep_links import DeepLinks
from bot.model import Integration


def seen(links: DeepLinks, integration: Integration) -> Check:
    name, told = f"{integration.integration_id}, buttons", integration.brand_host
    if not any("{host}" in template for template in (links.results, links.distributions, links.builder)):
        return Check(name, Level.OK, "buttons lead where SURVEYBOT_LINKS__... says")
    lead = f"buttons lead to {(host := links.host(integration))}"
    if told is None:
        return Check(name, Level.OK, f"{lead}, until a full synchronisation reads the address of the brand out of a survey")
    if told != host:
        fix = f"if that is yours, set SURVEYBOT_LINKS__HOSTS={','.join(sorted({*links.hosts, told}))}"
        return Check(name, Level.WARN, f"{lead}: Qualtrics names {told} instead, which is not below qualtrics.com; {fix}")
    return Check(name, Level.OK, f"{lead}, which Qualtrics names as the brand's")
