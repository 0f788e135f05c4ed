"""How a simulated tenant can fail on purpose: refusals, broken and short answers, slowness, switched while it runs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(slots=True, kw_only=True)
class Faults:
    """Replace `tenant.faults` by one of these; a fresh `Faults()` is a healthy tenant. What is not None strikes together."""

    #: Answer with this HTTP status (429, 500, 503, 504...) instead of working.
    status: int | None = None
    #: How many calls are struck; None = all until this is replaced.
    times: int | None = None
    #: How many calls go well before the first is struck: so one page in the middle fails.
    after: int = 0
    #: `Retry-After` beside `status`: seconds, or a text as it stands (a date, garbage).
    retry_after: int | str | None = None
    #: How many further answers are cut off in the middle, with status 200.
    broken_json_next: int = 0
    #: The answer comes this much later.
    slow_seconds: float = 0.0
    #: Close the connection instead of answering (only over a real socket: `serving`).
    hangs_up: bool = False
    #: What stands in `nextPage`: `loop` = the page's own address, `relative` = the right one without scheme and host, else this text.
    next_page: str | None = None
    #: Histories end after so many rows, whoever was mailed (quirk Q9).
    history_rows: int | None = None
    #: Contacts (`CID_...`) that `/links` lacks (quirk Q10).
    links_lack: Collection[str] = ()
    #: Only calls whose path (below `/API/v3`) or template begins so are touched: `/distributions`, `/distributions/{id}/history`.
    prefix: str = "/"

    def strikes(self, path: str, template: str) -> bool:
        """Whether this call is one of those to fail; counts it."""
        if self.times == 0 or not (path.startswith(self.prefix) or template.startswith(self.prefix)):
            return False
        if self.after:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def breaks(self) -> bool:
        """Whether this answer is to be cut off; counts it."""
        is_broken = self.broken_json_next > 0
        self.broken_json_next -= is_broken
        return is_broken

    def spoiled(self, page: str, following: str | None) -> str | None:
        """What to write as `nextPage` of the page at that address, when the right one is `following`."""
        match self.next_page:
            case None:
                return following
            case "loop":
                return page
            case "relative":
                return following and urlsplit(following)._replace(scheme="", netloc="").geturl()
            case text:
                return text
