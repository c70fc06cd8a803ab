"""Was it covered on that day, and what did we believe then? Asked over HTTP of a back-dated cancellation."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from service.demo import flows

DAY = timedelta(days=1)


async def ask(world: Any, engagement_id: str, **query: str) -> dict[str, Any]:
    asked = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    told: dict[str, Any] = await world.drive.service.get(f"/v1/engagements/{engagement_id}/coverage?{asked}")
    return told


def text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


async def test_a_back_dated_cancellation_changes_what_was_true_but_not_what_we_knew(world: Any) -> None:
    engagement_id = await flows.first_time(world.drive)
    shown = await world.drive.status(engagement_id)
    begins = datetime.fromisoformat(shown["coverage"]["policy"]["starts_at"])
    believed_at = text(datetime.now(UTC))
    third_day = text(begins + 3 * DAY)
    assert (await ask(world, engagement_id, at=third_day))["covered"] is True

    await world.drive.policy(engagement_id, "cancel", cancellation_date=int((begins + DAY).timestamp()))
    await world.drive.until_event(engagement_id, "PolicyCanceled")

    now = await ask(world, engagement_id, at=third_day)
    then = await ask(world, engagement_id, at=third_day, known_at=believed_at)
    first_day = await ask(world, engagement_id, at=text(begins + DAY / 2))
    assert (now["covered"], then["covered"], first_day["covered"]) == (False, True, True)
    assert "cancelled" in now["reason"]
    assert now["evidence"] != then["evidence"]
    assert now["gaps"][0]["from"] == text(begins + DAY)


async def test_a_day_is_answered_all_part_or_none_in_its_own_zone(world: Any) -> None:
    engagement_id = await flows.first_time(world.drive)
    shown = await world.drive.status(engagement_id)
    begins = datetime.fromisoformat(shown["coverage"]["policy"]["starts_at"])
    first = begins.date()
    told = [
        (await ask(world, engagement_id, at=str(day), tz=zone))["day"]
        for day, zone in (
            (first, "UTC"),
            (first - DAY, "UTC"),
            (first - DAY, "America/New_York"),
            (first, "Asia/Tokyo"),
        )
    ]
    assert told == ["all", "none", "part", "part"]


async def test_a_date_without_a_zone_and_a_time_without_an_offset_are_refused(world: Any) -> None:
    engagement_id = await flows.first_time(world.drive)
    for query in ("at=2026-03-02", "at=2026-03-02T10:00:00", "at=2026-02-30&tz=UTC", "at=2026-03-02&tz=Mars"):
        url = f"{world.service.url}/v1/engagements/{engagement_id}/coverage?{query}"
        async with world.session.get(url) as response:
            assert response.status == 400, query
            assert response.content_type == "application/problem+json"


async def test_a_history_can_be_read_a_few_events_at_a_time(world: Any) -> None:
    engagement_id = await flows.first_time(world.drive)
    versions: list[int] = []
    cursor: str | None = "0"
    while cursor is not None:
        page = await world.drive.service.get(
            f"/v1/engagements/{engagement_id}/events?limit=3&cursor={cursor}"
        )
        assert len(page["items"]) <= 3
        versions += [event["version"] for event in page["items"]]
        cursor = page["next"]
    assert versions == list(range(1, len(versions) + 1))
    assert len(versions) > 6
    behind = await world.drive.service.get(f"/v1/engagements/{engagement_id}/events?cursor={versions[-1]}")
    assert behind == {"items": [], "next": None}


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
async def test_the_history_of_what_nobody_has_heard_of_is_not_found(world: Any, accept: str) -> None:
    url = f"{world.service.url}/v1/engagements/nobody/events"
    async with world.session.get(url, headers={"Accept": accept}) as response:
        assert response.status == 404
        assert response.content_type == "application/problem+json"
