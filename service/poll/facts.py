"""A polled fact: what the vendor says when asked, in the words its webhook would have used."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson

from service.ingest.webhooks import dedupe_key
from service.ports import POLLED, Delivery

Source = Literal["upwork", "1099policy"]


@dataclass(frozen=True, slots=True)
class Fact:
    """``body`` has an id, a type and data like a webhook's; ``about`` names the vendor's object.

    ``said_at`` is the vendor's own time of it in epoch seconds, None where it gives none. ``webhook``:
    whether there is one for such a fact at all.
    """

    source: Source
    body: dict[str, Any]
    about: str
    said_at: int | None
    webhook: bool = True

    @property
    def type(self) -> str:
        return str(self.body.get("type"))

    def is_late(self, since: int, until: int) -> bool:
        """Whether a webhook should have brought it, to those who have listened ``since``, by ``until``.

        What has no time is taken for late: the events of the same sweep, which have theirs, did not bring it.
        """
        return self.webhook and (self.said_at is None or since <= self.said_at <= until)

    def delivery(self, now: datetime) -> Delivery:
        """With the key that a webhook of this body has, so that the two are one."""
        raw = orjson.dumps(self.body)
        return Delivery(self.source, dedupe_key(None, raw), raw, {}, POLLED, now)
