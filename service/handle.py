"""handle: load, decide, react, append. The only way anything is written to a stream."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

from msgspec import Struct
from msgspec.structs import replace

from domain import codec
from domain import commands as c
from domain import events as e
from domain.decide import decide, decide_freelancer
from domain.effects import Wanted
from domain.errors import CoverdError
from domain.evolve import Entry, evolve_freelancer
from domain.ids import engagement_stream, freelancer_stream
from domain.react import react
from domain.rules import Rules
from domain.state import Engagement, Freelancer
from service.ports import (
    Append,
    Appended,
    Claimed,
    DeliveryDone,
    EffectDone,
    EffectParkedMark,
    Lookup,
    Outcome,
    Store,
)

Head = TypeVar("Head", Engagement, Freelancer)

TRIES = 5
"""How often a writer that lost the race to another process reloads and decides again."""


LEASE_SECONDS = 60.0
"""How long a crash holds an effect up. A call that outlasts it is made again under the same key, and only one
of the two outcomes counts."""


class Hands(Protocol):
    """Who performs effects in this process."""

    def reserve(self, effects: Sequence[Wanted]) -> Sequence[str]:
        """The kinds of these that it will perform at once: of all that are due, or of none."""
        ...

    def take(self, held: Sequence[str], claimed: Sequence[Claimed], engagement: Engagement) -> None:
        """Perform what was claimed of the ``held``, and let go of the rest. The engagement wants it."""
        ...


class Contended(CoverdError):
    """Stream {stream_id} was written by others each time this command was tried; try again."""


class Origin(Struct, frozen=True, gc=False):
    """Where a command comes from: what caused it, the delivery or request it all began with, and who acts."""

    cause: str
    correlation: str
    actor: str


class Handled(Struct, frozen=True, gc=False):
    """``new`` is false when nothing was written, as when the same cause was handled before. ``after`` is the
    state it led to; where nothing was written, what is there."""

    new: bool
    events: tuple[e.Event, ...]
    after: Engagement


class Handler:
    """Turns commands into appended events. ``on_effects`` and ``on_append`` are told after the commit.

    ``on_append`` is given the ids by which the stream can be found from now on. Effects go to ``hands`` where
    any are free, and ``on_effects`` is told the kinds where some are left.
    """

    def __init__(
        self,
        store: Store,
        rules: Callable[[], Rules],
        *,
        on_effects: Callable[[Sequence[str]], None] = lambda _kinds: None,
        on_append: Callable[[Sequence[Lookup]], None] = lambda _found: None,
        hands: Hands | None = None,
        remember: int = 4096,
    ) -> None:
        self._store = store
        self._rules = rules
        self.hands = hands
        self.on_effects = on_effects
        self.on_append = on_append
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._heads: OrderedDict[str, Engagement] = OrderedDict()
        self._freelancers: OrderedDict[str, Freelancer] = OrderedDict()
        self._remember = remember

    async def load(self, engagement_id: str) -> Engagement:
        """The engagement as it stands in the store now; version 0 when nothing is known of it."""
        head = await self._store.head(engagement_stream(engagement_id))
        if head.version == 0:
            return Engagement(engagement_id)
        return self._keep(head.stream_id, codec.engagement_from(head.status))

    def remembered(self, stream_id: str) -> Engagement | None:
        """The engagement as this process last saw it, if it does remember."""
        return self._heads.get(stream_id)

    async def engagement(
        self,
        engagement_id: str,
        command: c.EngagementCommand,
        origin: Origin,
        settles: EffectDone | EffectParkedMark | None = None,
        delivery: DeliveryDone | None = None,
    ) -> Handled:
        """Decide ``command`` and append what it means; ``delivery`` is settled with it where that is new.

        Raises `NotKnown`, `Refused`, `Contended` or `StoreUnavailable`; then nothing was written.
        """
        stream_id = engagement_stream(engagement_id)
        async with self._turn(stream_id):
            return await self._decided(engagement_id, stream_id, command, origin, settles, delivery)

    def _turn(self, stream_id: str) -> asyncio.Lock:
        """Writers of one process take turns on a stream; those of others are met by its version."""
        return self._turns.setdefault(stream_id, asyncio.Lock())

    async def _decided(
        self,
        engagement_id: str,
        stream_id: str,
        command: c.EngagementCommand,
        origin: Origin,
        settles: EffectDone | EffectParkedMark | None,
        delivery: DeliveryDone | None,
    ) -> Handled:
        presumed = Engagement(engagement_id) if isinstance(command, c.AcceptOffer) else None
        for _ in range(TRIES):
            before = self._heads.get(stream_id) or presumed or await self.load(engagement_id)
            presumed = None
            try:
                decision = decide(before, command, self._rules())
            except CoverdError:
                fresh = await self.load(engagement_id)
                if fresh.version == before.version:
                    raise
                continue
            effects = react(before, decision.after)
            if not decision.events and settles is None:
                fresh = await self.load(engagement_id)
                if fresh.version == before.version:
                    return Handled(False, (), before)
                continue
            found = lookups(decision.events, origin)
            appended = await self._appended(
                decision.after,
                Append(
                    stream_id=stream_id,
                    expected=before.version,
                    cause=origin.cause,
                    correlation=origin.correlation,
                    actor=origin.actor,
                    effective_at=command.at,
                    events=decision.events,
                    state=decision.after.state,
                    status=codec.status_data(decision.after),
                    effects=effects,
                    lookups=found,
                    settles=settles,
                    delivery=delivery,
                ),
            )
            if appended.outcome == "conflict":
                self._heads.pop(stream_id, None)
                continue
            if appended.outcome != "appended":
                return Handled(False, (), await self.load(engagement_id))
            self._keep(stream_id, decision.after)
            born = (("engagement", engagement_id),) if before.version == 0 else ()
            due = [w for w in effects if w.due_at is None or w.due_at <= command.at]
            if len(due) > len(appended.taken):
                self.on_effects([type(wanted.effect).__name__ for wanted in due])
            self.on_append((*born, *found))
            return Handled(True, decision.events, decision.after)
        raise Contended(stream_id=stream_id)

    async def _appended(self, after: Engagement, append: Append) -> Appended:
        """Append, and hand over what it asks for where hands are free; ``after`` is the state it leads to."""
        hands = self.hands
        held = hands.reserve(append.effects) if hands and append.effects else ()
        if hands is None or not held:
            return await self._store.append(append)
        taken: tuple[Claimed, ...] = ()
        try:
            appended = await self._store.append(replace(append, take_for=LEASE_SECONDS))
            taken = appended.taken
        finally:
            hands.take(held, taken, after)
        return appended

    async def load_freelancer(self, freelancer_id: str) -> Freelancer:
        """The freelancer's own stream now; version 0 when nothing is known of them."""
        head = await self._store.head(freelancer_stream(freelancer_id))
        if head.version == 0:
            return Freelancer(freelancer_id)
        return self._keep_freelancer(codec.freelancer_from(head.status))

    async def freelancer(
        self, freelancer_id: str, command: c.FreelancerCommand, origin: Origin
    ) -> Freelancer:
        """The same for a freelancer's stream; answers the state after it."""
        for _ in range(TRIES):
            before = self._freelancers.get(freelancer_id) or await self.load_freelancer(freelancer_id)
            events = decide_freelancer(before, command)
            if not events:
                fresh = await self.load_freelancer(freelancer_id)
                if fresh.version == before.version:
                    return before
                continue
            after = before
            for event in events:
                after = evolve_freelancer(after, Entry(after.version + 1, command.at, event))
            outcome = await self._append_freelancer(before, command, origin, events, after)
            if outcome == "appended":
                self.on_append(())
                return self._keep_freelancer(after)
            self._freelancers.pop(freelancer_id, None)
            if outcome == "duplicate":
                return await self.load_freelancer(freelancer_id)
        raise Contended(stream_id=freelancer_stream(freelancer_id))

    async def _append_freelancer(
        self,
        before: Freelancer,
        command: c.FreelancerCommand,
        origin: Origin,
        events: tuple[e.FreelancerEvent, ...],
        after: Freelancer,
    ) -> Outcome:
        appended = await self._store.append(
            Append(
                stream_id=freelancer_stream(before.freelancer_id),
                expected=before.version,
                cause=origin.cause,
                correlation=origin.correlation,
                actor=origin.actor,
                effective_at=command.at,
                events=events,
                state="known",
                status=codec.status_data(after),
                lookups=lookups(events, origin),
            )
        )
        return appended.outcome

    def _keep_freelancer(self, freelancer: Freelancer) -> Freelancer:
        return _kept(self._freelancers, freelancer.freelancer_id, freelancer, self._remember)

    def _keep(self, stream_id: str, engagement: Engagement) -> Engagement:
        return _kept(self._heads, stream_id, engagement, self._remember)


def _kept(heads: OrderedDict[str, Head], key: str, head: Head, most: int) -> Head:
    """Remember a head, and forget the one that was not met for longest. A newer one stays: this one was read
    while that was written. Gives the one that is remembered."""
    known = heads.get(key)
    if known is None or known.version <= head.version:
        heads[key] = known = head
    heads.move_to_end(key)
    if len(heads) > most:
        heads.popitem(last=False)
    return known


def lookups(events: tuple[e.Event, ...], origin: Origin) -> tuple[Lookup, ...]:
    """The ids by which a stream can be found again: every vendor id its events name, and the delivery's."""
    found: list[Lookup] = []
    for event in events:
        match event:
            case e.OfferAccepted() | e.ContractActivated():
                found += [("offer", event.offer_id or ""), ("freelancer", event.freelancer_id or "")]
            case e.TermsRead(terms):
                found += [("freelancer", terms.freelancer_id or ""), ("term", terms.term_id or "")]
            case e.ContractorReady(contractor_id) | e.ContractorLinked(contractor_id):
                found.append(("contractor", contractor_id))
            case e.JobCreated(job_id):
                found.append(("job", job_id))
            case e.QuoteCreated(quote_id):
                found.append(("quote", quote_id))
            case e.SessionOpened(session_id):
                found.append(("session", session_id))
            case e.AssignmentCancelled(assignment_id) | e.AssignmentChanged(assignment_id):
                found.append(("assignment", assignment_id))
            case e.AssignmentCreated():
                found += [("assignment", event.assignment_id), ("policy", event.policy_id or "")]
            case e.PolicyActivated() | e.PolicyExpired() | e.PolicyCanceled():
                found.append(("policy", event.policy_id))
            case e.CertificateUploaded() | e.CertificateValidated() | e.CertificateFlagged():
                found.append(("certificate", event.certificate_id))
            case _:
                pass  # names no id of its own
    if origin.actor.startswith(("webhook:", "poll:")) and events:
        found.append(("delivery", origin.cause))
    return tuple(dict.fromkeys((kind, id) for kind, id in found if id))
