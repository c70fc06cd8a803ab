"""How long the server waits for the other side, for each thing it may dawdle over."""

from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds."""

    head: float = 10.0
    """From the first byte of a request's head to its last."""
    body: float = 10.0
    """For a body of text."""
    upload: float = 60.0
    """For a certificate."""
    idle: float = 75.0
    """Between requests; longer than the sixty seconds after which most proxies give up."""
    unread: float = 60.0
    """While the other side takes none of what is sent to it."""
    refused_body: float = 3.0
    """While it still sends a body that was answered already."""


PATIENCE = web.AppKey("patience", Patience)
"""Where the application keeps it."""


def patience_of(request: web.Request) -> Patience:
    return request.app.get(PATIENCE) or Patience()
