"""From which site a request comes: other sites, open in somebody's browser, must not speak for them."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from service.settings import is_loopback


def from_another_site(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that another site's page sent this; what is no browser says nothing."""
    fetched = headers.get("Sec-Fetch-Site")
    if fetched is not None:
        return fetched not in ("same-origin", "none")
    origin = headers.get("Origin")
    return origin is not None and _authority(origin) != headers.get("Host", "").lower()


def names_this_machine(headers: Mapping[str, str]) -> bool:
    """Whether a request calls this host by a name that no other site can have.

    A site's name may lead to 127.0.0.1; a browser there would take what it gets for that site's own.
    """
    try:
        return is_loopback(urlsplit(f"//{headers.get('Host', '')}").hostname or "")
    except ValueError:
        return False


def passed_on(headers: Mapping[str, str]) -> bool:
    """Whether a proxy says that it passes this on for somebody, who may be anywhere."""
    return "X-Forwarded-For" in headers or "Forwarded" in headers


def _authority(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
