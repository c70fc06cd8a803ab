"""What a store keeps about the vendors themselves, for all processes; held by the same contract suite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

from service.vendors.breaker import ALL, Breaker, Failure, Patience
from service.vendors.rate import Rate

Act = Literal["pause", "resume"]


@dataclass(frozen=True, slots=True)
class VendorAct:
    """What a person decided about a vendor, or one ``operation`` of it; ``number`` counts its acts from 1."""

    vendor: str
    number: int
    act: Act
    actor: str
    reason: str
    at: datetime
    operation: str = ALL


IN_VAIN = 12
"""How often a call was tried when it counts as tried in vain: half an hour, as a rule."""


@dataclass(frozen=True, slots=True)
class InVain:
    """``count`` calls of one kind that were tried in vain and are tried again; of the oldest ``since`` when
    it is wanted, its stream, and what came of it last."""

    vendor: str
    operation: str
    count: int
    since: datetime
    stream_id: str
    error: str


@dataclass(frozen=True, slots=True)
class SealedToken:
    """The latest shared token of a name; ``number`` 0 and nothing sealed where there was none yet."""

    number: int
    sealed: bytes | None
    until: datetime | None


class VendorStore(Protocol):
    """A part of `service.ports.Store`. Every method may raise `StoreUnavailable`."""

    async def take_turns(self, name: str, want: int, rate: Rate, now: datetime | None) -> Sequence[float]:
        """Up to ``want`` turns to ask this vendor, in seconds from ``now`` (None: by the store's own clock).

        Fewer, or none, where they would lie beyond the rate's horizon. They count as taken, used or not.
        """
        ...

    async def turns_taken(self, name: str, day: date) -> int:
        """How many turns were taken on this day (UTC), of the latest day any was."""
        ...

    async def breakers(self) -> Sequence[Breaker]:
        """Every operation that failed since it last succeeded, by vendor and operation."""
        ...

    async def vendor_failed(
        self, vendor: str, operation: str, failure: Failure, patience: Patience
    ) -> Breaker:
        """Count a failure; what stands there now."""
        ...

    async def close_breakers(self, vendor: str, operations: Sequence[str] | None = None) -> Sequence[str]:
        """Forget the failures of these operations (None: all of the vendor's); those that were open."""
        ...

    async def take_probe(self, vendor: str, operation: str, now: datetime, until: datetime) -> bool:
        """Whether the operation is due and the trying is the caller's; others keep away ``until`` then."""
        ...

    async def give_probe_back(self, vendor: str, operation: str, now: datetime) -> None:
        """Nothing could be tried: somebody else may."""
        ...

    async def add_act(
        self, vendor: str, act: Act, actor: str, reason: str, cause: str, operation: str = ALL
    ) -> bool:
        """Keep what a person decided, for good. False when this cause was kept before."""
        ...

    async def acts_of(self, vendor: str, limit: int) -> Sequence[VendorAct]:
        """The newest first."""
        ...

    async def pauses(self) -> Sequence[VendorAct]:
        """What is paused now, by vendor and operation: the act that paused it."""
        ...

    async def hold_back(self, kinds: Sequence[str], now: datetime, until: datetime) -> None:
        """What is due of these kinds of effects waits ``until`` then; no attempt is counted."""
        ...

    async def waiting_by_channel(self) -> Mapping[str, int]:
        """How many effects wait or are under way."""
        ...

    async def any_waits(self, kinds: Sequence[str]) -> bool:
        """Whether any effect of these kinds waits or is under way."""
        ...

    async def in_vain(self) -> Sequence[InVain]:
        """Each kind of call of which some were tried `IN_VAIN` times, by vendor and operation."""
        ...

    async def shared_token(self, name: str) -> SealedToken: ...

    async def take_token_turn(
        self, name: str, number: int, owner: str, now: datetime, until: datetime
    ) -> bool:
        """Whether token ``number`` is still the latest and fetching another is this owner's; others keep away
        ``until`` then."""
        ...

    async def keep_token(self, name: str, owner: str, sealed: bytes, until: datetime) -> None:
        """It is the latest now, unless the owner's turn has passed to somebody else."""
        ...

    async def give_token_turn_back(self, name: str, owner: str) -> None: ...
