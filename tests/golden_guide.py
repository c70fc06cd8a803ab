"""The guide's printed examples, and the guide's own engagement driven to where it makes each call."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from story import (
    CONTRACTOR,
    FRONTEND,
    JOB,
    NOW,
    RETURNING,
    Story,
    activated,
    contract_read,
    given,
    offer,
    quoted,
    returning,
)

from domain import codec
from domain.commands import EngagementCommand
from domain.state import Freelancer
from domain.values import Terms
from service.clients.ten99policy import Ten99Policy
from service.clients.upwork import Upwork
from service.config import EXAMPLE, Config, parse
from service.effects.perform import Desk, perform
from service.ports import Claimed

GUIDE = Path(__file__).parent / "golden" / "guide"

CONTRACT = {
    "id": "9001",
    "title": "Frontend Developer",
    "description": "Build dashboard UI and integrate GraphQL APIs",
    "hourlyRate": {"amount": 75.00},
    "fixedBudget": None,
    "category": {"name": "Web, Mobile & Software Dev"},
    "startDate": "2025-12-01T22:40:00Z",
    "endDate": "2026-03-02T10:40:00Z",
    "attachments": [],
}
FREELANCER = {
    "id": "fl_12345",
    "displayName": "Ava Nguyen",
    "location": {"country": "US", "region": "CA", "locality": "San Francisco"},
}


def printed(name: str) -> Any:
    """A body as the guide prints it."""
    return orjson.loads((GUIDE / f"{name}.json").read_bytes())


def document(name: str) -> str:
    """A GraphQL document as the guide prints it."""
    return (GUIDE / f"{name}.graphql").read_text().strip()


@dataclass
class NoStreams:
    """A freelancer nobody has met before."""

    async def load_freelancer(self, freelancer_id: str) -> Freelancer:
        return Freelancer(freelancer_id)

    async def freelancer(self, freelancer_id: str, *_: Any) -> Freelancer:
        return Freelancer(freelancer_id, version=1, contractor_id="cn_FoA42zQ")


async def carry_out(
    story: Story, step: str, client: Ten99Policy, config: Config | None = None, upwork: Upwork | None = None
) -> EngagementCommand:
    """Perform a step the story asks for as the worker would: payload stored, taken up, key and all."""
    wanted = story.want(step)
    payload = orjson.loads(orjson.dumps(codec.effect_data(wanted.effect)))
    kind = type(wanted.effect).__name__
    chosen = config or parse(EXAMPLE)
    desk = Desk(
        store=None,  # type: ignore[arg-type]  # these steps keep nothing
        handler=NoStreams(),  # type: ignore[arg-type]
        upwork=upwork,  # type: ignore[arg-type]
        ten99policy=client,
        config=lambda: chosen,
        clock=lambda: datetime.fromtimestamp(NOW, UTC),
    )
    claimed = Claimed(
        stream_id="engagement:9001",
        step=step,
        generation=wanted.generation,
        channel="1099policy",
        kind=kind,
        payload=payload,
        key=wanted.key,
        attempt=1,
        fence=1,
        correlation="d_1",
        created_at=datetime.fromtimestamp(NOW, UTC),
    )
    return await perform(codec.effect_from(kind, payload), claimed, desk)


RULES = parse(EXAMPLE).rules


def read(terms: Terms = FRONTEND) -> Story:
    """Offer accepted and contract read: contractor and job are asked for."""
    return given(offer(), contract_read(terms), rules=RULES)


def with_job() -> Story:
    return read().given(CONTRACTOR, JOB)


def to_assign() -> Story:
    """A returning contractor whose contract has become active."""
    return returning(RETURNING).given(activated())


def to_open_session() -> Story:
    return quoted()
