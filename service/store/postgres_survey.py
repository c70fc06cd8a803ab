"""What is measured of the store: backlogs by a look into their indexes, and counts kept for all processes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from domain.ids import bucket_of
from service.ports import Backlog
from service.store import rows
from service.store.arrivals import beginning
from service.store.tables import Tables

NAME = "engagements"
PLACE = bucket_of(NAME), NAME

MOST = 1000
"""How many of what is due are counted at most: beyond that only their age matters."""


class PostgresSurvey(Tables):
    """Not part of `service.ports.Store`: nothing but the metrics asks it."""

    async def inbox_due(self, now: datetime) -> Backlog:
        row = await self._row("inbox_due", now, MOST)
        return Backlog(row["due"], row["since"]) if row else Backlog(0, None)

    async def outbox_due(self, now: datetime) -> Mapping[str, Backlog]:
        """By channel, for those that have any."""
        found = await self._rows("outbox_due", now, MOST)
        return {row["channel"]: Backlog(row["due"], row["since"]) for row in found}

    async def webhooks_since(self, since: datetime) -> Mapping[str, datetime]:
        """When the last webhook of each source came, for those that sent any since then."""
        found = await self._rows("webhooks_lately", ["upwork", "1099policy"], beginning(since))
        return {row["source"]: row["received_at"] for row in found}

    async def take_survey(self, now: datetime, until: datetime) -> bool:
        """Whether the counts are due and it is the caller who counts; others keep away ``until`` then."""
        return await self._value("take_survey", *PLACE, now, until) is not None

    async def keep_survey(self, counts: dict[str, Any], taken_at: datetime, due_at: datetime) -> None:
        await self._value("keep_survey", *PLACE, taken_at, rows.text(counts), due_at)

    async def survey(self) -> tuple[datetime, dict[str, Any]] | None:
        """When the counts were taken, and they."""
        row = await self._row("survey", *PLACE)
        return (row["taken_at"], orjson.loads(row["counts"])) if row else None
