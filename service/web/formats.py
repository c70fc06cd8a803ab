"""How values read on a page: instants in UTC, money to the cent, and vendors' words kept harmless."""

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

from service.clock import rfc3339

LONGEST = 600
"""Characters of a vendor's words that a page shows."""


def moment(value: datetime | int) -> datetime | None:
    """An instant in UTC; None for a number of seconds that no calendar holds."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def instant(value: datetime | int) -> str:
    """``24 Nov 2026, 06:01:45 UTC``."""
    at = moment(value)
    return f"second {value} since 1970" if at is None else f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


def spoken(value: datetime | int) -> str:
    """``2 March 2026, 00:00 UTC``: for sentences; the seconds only where there are any."""
    at = moment(value)
    if at is None:
        return instant(value)
    return f"{at.day} {at:%B %Y}, {at:%H:%M:%S} UTC" if at.second else f"{at.day} {at:%B %Y, %H:%M} UTC"


def machine_time(value: datetime | int) -> str | None:
    """An instant for a ``<time>`` element's ``datetime``; None where there is no such date."""
    return None if moment(value) is None else rfc3339(value)


def usd(cents: int) -> str:
    """``$75.00``: exact, from integer cents."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}${whole:,}.{rest:02d}"


def wage(cents: int, wage_type: str) -> str:
    """``$75.00/hour`` or ``$5,000.00 flat fee``."""
    return f"{usd(cents)}/hour" if wage_type == "hourly" else f"{usd(cents)} flat fee"


def clip(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


_MAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")


def without_mail(value: object) -> object:
    """Text with every e-mail address hidden: vendors quote them in titles and refusals."""
    if type(value) is str and "@" in value:
        return _MAIL.sub("(e-mail hidden)", value)
    return value


def web_link(url: str | None) -> str | None:
    """``url`` if a browser may be sent there: http or https with a host, else None."""
    if url is None or any(ord(c) <= 0x20 for c in url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and host else None
