"""Where a survey is in Qualtrics' own web pages: what the bot never does itself is done there (reference qualtrics.md 12)."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.model import Integration

#: Recorded on eight public tenants, and on several.
DATA_AND_ANALYSIS = "https://{host}/responses/#/surveys/{survey}"
BUILDER = "https://{host}/survey-builder/{survey}/edit"
_FIELDS = frozenset({"host", "survey", "distribution"})
#: How Qualtrics writes its ids and brands; what is not like that goes into no address.
_ID = re.compile("[A-Za-z0-9_-]{1,60}")
_BRAND = re.compile("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepLinks:
    """Templates of addresses, with `{host}` (the brand's), `{survey}` and `{distribution}` in them.

    Qualtrics publishes none of a survey's distributions, so theirs leads to Data & Analysis of that survey unless it is set.
    """

    #: Names outside qualtrics.com that an operator knows as a brand's.
    hosts: frozenset[str] = frozenset()
    results: str = DATA_AND_ANALYSIS
    distributions: str = DATA_AND_ANALYSIS
    builder: str = BUILDER

    def to_results(self, integration: Integration, survey_id: str) -> str | None:
        """None where an id is none, so that the button is left out."""
        return self._filled(self.results, integration, survey_id)

    def to_distributions(self, integration: Integration, survey_id: str, distribution_id: str = "") -> str | None:
        return self._filled(self.distributions, integration, survey_id, distribution_id)

    def to_builder(self, integration: Integration, survey_id: str) -> str | None:
        return self._filled(self.builder, integration, survey_id)

    def may_lead_to(self, host: str) -> bool:
        """Whether a host that was told from outside is Qualtrics', or one that an operator named: no other goes on a button."""
        return host.endswith(".qualtrics.com") or host in self.hosts

    def host(self, integration: Integration) -> str:
        """Where the brand's pages are: as Qualtrics told, else made of the brand's id, `acme.qualtrics.com`.

        While that is not known, the data centre's, which leads there after signing in.
        """
        if integration.brand_host and self.may_lead_to(integration.brand_host):
            return integration.brand_host
        if integration.brand_id and _BRAND.fullmatch(integration.brand_id):
            return f"{integration.brand_id.lower()}.qualtrics.com"
        return urlsplit(integration.base_url).hostname or "www.qualtrics.com"

    def _filled(self, template: str, integration: Integration, survey_id: str, distribution_id: str = "") -> str | None:
        if not _ID.fullmatch(survey_id) or not re.fullmatch(f"({_ID.pattern})?", distribution_id):
            return None
        return template.format(host=self.host(integration), survey=survey_id, distribution=distribution_id)


DEFAULT = DeepLinks()


def checked_template(template: str) -> str:
    """Return what an operator gave. Raises ValueError with a sentence."""
    try:
        fields = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
        parts = urlsplit(template.replace("{host}", "host.example"))
    except ValueError:
        fields, parts = {"?"}, urlsplit("")
    is_safe = parts.scheme == "https" and re.fullmatch("[a-z0-9.-]+", parts.netloc) and template.split() == [template]
    if not is_safe or not fields <= _FIELDS:
        raise ValueError("must be an https:// address in which {host}, {survey} and {distribution} may stand")
    return template
