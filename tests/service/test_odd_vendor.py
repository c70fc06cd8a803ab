"""What a vendor answers is believed only when it can be read: anything else is for a person, never cover."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain import effects as x
from domain.values import Window
from service.clients.http import VendorRefused
from service.effects.perform import perform
from service.ports import Claimed

ASSIGN = x.CreateAssignment("9001", "cn_1", "jb_1", ("general",), Window(1_900_000_000, 1_910_000_000))
READ = x.ConfirmPolicy("cn_1", "pl_1", None)


class Vendor:
    """Answers with whatever the test says."""

    ahead_by = 0.0

    async def tell_time(self, *, anew: bool = False) -> None:
        """It is known."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer

    async def create_assignment(self, *_given: Any, **_named: Any) -> dict[str, Any]:
        return self.answer

    async def policy(self, _policy_id: str) -> dict[str, Any]:
        return self.answer


class Nowhere:
    """Nothing was recorded before."""

    async def streams_of(self, _kind: str, _id: str) -> list[str]:
        return []


class Desk:
    store = Nowhere()

    def __init__(self, answer: dict[str, Any]) -> None:
        self.ten99policy = Vendor(answer)

    def there(self) -> int:
        return self.now()

    def now(self) -> int:
        return 1_800_000_000


async def outcome(effect: x.Effect, answer: dict[str, Any]) -> Any:
    created_at = datetime.fromtimestamp(1_800_000_000, UTC)
    claimed = Claimed("engagement:9001", "s", 1, "1099policy", "k", {}, "key", 1, 1, "c", created_at)
    return await perform(effect, claimed, Desk(answer))  # type: ignore[arg-type]


@pytest.mark.parametrize("eligible", [False, {"result": False}, {"result": False, "message": "no"}])
async def test_a_plain_no_is_a_refusal(eligible: Any) -> None:
    told = await outcome(ASSIGN, {"id": "an_1", "policy": "pl_1", "eligible": eligible})
    assert type(told).__name__ == "NoteAssignmentRefused"


@pytest.mark.parametrize("eligible", [{"result": "false"}, {"result": 0}, {"eligible": False}, {}, "yes", 1])
async def test_what_is_neither_yes_nor_no_is_for_a_person(eligible: Any) -> None:
    with pytest.raises(VendorRefused, match="neither"):
        await outcome(ASSIGN, {"id": "an_1", "policy": "pl_1", "eligible": eligible})


@pytest.mark.parametrize("eligible", [True, {"result": True}, None])
async def test_a_plain_yes_is_an_assignment(eligible: Any) -> None:
    told = await outcome(ASSIGN, {"id": "an_1", "policy": "pl_1", "eligible": eligible})
    assert type(told).__name__ == "ConfirmAssignment"


POLICY = {
    "id": "pl_1",
    "created": 1_790_000_000,
    "status": "active",
    "effective_date": 1_790_000_000,
    "expiration_date": 1_800_000_000,
}


async def test_dates_in_milliseconds_are_read_as_the_seconds_they_are() -> None:
    told = await outcome(READ, {**POLICY, "expiration_date": 1_800_000_000_000, "created": 1_790_000_000_000})
    assert [(n.at, n.expires_at) for n in told.news] == [(1_790_000_000, 1_800_000_000)]


@pytest.mark.parametrize(
    "odd",
    [
        {"expiration_date": 10**18},
        {"effective_date": -(10**18)},
        {"effective_date": None},
        {"status": "sleeping"},
        {"status": 7},
        {"id": "pl_2"},
    ],
)
async def test_a_policy_that_cannot_be_read_proves_neither_cover_nor_its_end(odd: dict[str, Any]) -> None:
    with pytest.raises(VendorRefused):
        await outcome(READ, {**POLICY, **odd})


async def test_no_reading_is_from_the_future() -> None:
    told = await outcome(READ, {**POLICY, "created": 1_899_000_000})
    assert told.at == 1_800_000_000


@pytest.mark.parametrize(
    ("shown", "ended", "to_come"),
    [
        ({"cancellation_date": 1_795_000_000}, 1_795_000_000, None),
        ({"expiration_date": 1_795_000_000}, 1_795_000_000, None),
        ({"expiration_date": 1_805_000_000}, 1_800_000_000, 1_805_000_000),
    ],
)
async def test_a_cancellation_read_without_its_date_counts_from_now_at_the_latest(
    shown: dict[str, Any], ended: int, to_come: int | None
) -> None:
    told = await outcome(READ, {**POLICY, "status": "cancelled", **shown})
    over = told.news[-1]
    assert (over.ended_at, over.expires_at, over.canceled, over.read_back) == (ended, to_come, True, True)
