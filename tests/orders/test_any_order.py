"""Whatever the order, the doubles and the delays: every flow ends as it does when the world is polite."""

from collections.abc import AsyncIterator, Callable, Iterator
from random import Random
from typing import Any

import pytest
from orders.flows import FLOWS, Flow, Script, written
from orders.harness import POLITE, Clock, Manners, Outcome, played

from service.store.postgres import PostgresStore

SEED = "any order"
CASES = 4620
CASES_ON_POSTGRES = 297
"""A number and the seed make a case: the same on every machine and every run."""

OBJECTS = ("create_job", "create_quote", "open_session", "create_assignment", "upload_certificate")

ASKED_WHEN_LOST = ("read_assignments",)
"""A reading that only an answer which was lost, or may have been, makes necessary."""

LOOKED_UP = ("find_contractor", "policies_of")
"""Readings that an effect repeats when a later call of its fails."""


def rude(random: Random, ends: bool) -> Manners:
    """Manners of every kind. Without metadata, news whose call never happened lead nowhere for ever."""
    causal = random.random() < 0.6
    return Manners(
        shuffled=True,
        causal=causal,
        metadata=random.random() < 0.5 or (ends and not causal),
        same_again=random.choice([0.0, 0.4]),
        told_again=random.choice([0.0, 0.0, 0.3]),
        left_in_the_inbox=random.choice([0.0, 0.0, 0.3]),
        effects_wait=random.choice([0.0, 0.6, 1.0]),
        crash=random.choice([0.0, 0.0, 0.2]),
        trouble=random.choice([0.0, 0.0, 0.4]),
        in_flight=random.choice([0.0, 0.3]),
    )


def differences(flow: Flow, manners: Manners, polite: Outcome, rudely: Outcome) -> Iterator[str]:
    """In what one outcome is not what it must be, the polite one given.

    Fewer calls are right where the end comes first (contract, section 8), and an application nobody
    needs any more, because news of its policy came first, is not opened.
    """
    if set(rudely.inbox) - {"applied"}:
        yield f"the inbox holds {dict(rudely.inbox)}"
    if rudely.unheard and not flow.ends:
        yield f"{rudely.unheard} news were never said"
    for call in polite.calls.keys() | rudely.calls.keys():
        if call[1] in ASKED_WHEN_LOST or (manners.trouble and call[1] in LOOKED_UP):
            continue
        was, now = polite.calls[call], rudely.calls[call]
        fewer_is_right = flow.ends or (call[1] == "open_session" and not manners.causal)
        if now > was or (now < was and not fewer_is_right):
            yield f"{call}: {now} calls, {was} in the polite order"
    for id, was, now in zip(flow.engagements, polite.engagements, rudely.engagements, strict=True):
        made = [polite.calls[id, method] == rudely.calls[id, method] for method in OBJECTS]
        apart = {"session"} if manners.trouble or not manners.causal else set()
        if flow.ends and (not all(made) or rudely.unheard):
            apart = was.keys() - {"state", "ended_at", "attention"}
            for at, told in now["answers"].items():
                if told[0] and not was["answers"][at][0]:
                    yield f"{id}: covered at {at}: {told}"
        for name in was.keys() - apart:
            if was[name] != now[name]:
                yield f"{id}: {name}: {_apart(was[name], now[name])}"


def _apart(was: Any, now: Any) -> str:
    if not isinstance(was, dict):
        return f"{now}, politely {was}"
    return "; ".join(f"{k}: {now.get(k)}, politely {was[k]}" for k in was if was[k] != now.get(k))


Player = Callable[[Flow, Manners, Random], Any]


async def assert_same_end(make: Callable[[Script], str], number: int, play: Player) -> None:
    seed = f"{SEED} {number}"
    random = Random(seed)
    flow = written(make, f"e{number}x")
    manners = rude(random, flow.ends)
    politely, _ = await played(flow, POLITE, Random(seed))
    outcome, log = await play(flow, manners, random)
    found = list(differences(flow, manners, politely, outcome))
    if found:
        story = "\n".join([*found, f"{manners}", *log])
        pytest.fail(f"seed {seed!r}, flow {flow.name}:\n{story}", pytrace=False)


@pytest.mark.parametrize("make", FLOWS, ids=lambda make: make.__name__)
async def test_a_polite_flow_ends_where_the_guide_says(make: Callable[[Script], str]) -> None:
    flow = written(make, "e")
    outcome, log = await played(flow, POLITE, Random(0))
    assert outcome.engagements[-1]["state"] == flow.state, log
    assert set(outcome.inbox) == {"applied"}


@pytest.mark.slow
@pytest.mark.parametrize("make", FLOWS, ids=lambda make: make.__name__)
async def test_any_order_of_a_flow_ends_as_the_polite_one(make: Callable[[Script], str]) -> None:
    first, step = FLOWS.index(make), len(FLOWS)
    for number in range(first, CASES, step):
        await assert_same_end(make, number, played)


@pytest.fixture
async def shared(database_url: str) -> AsyncIterator[Player]:
    """Plays every case on one Postgres store."""
    clock = Clock(0)
    store = await PostgresStore.open(database_url, clock)

    async def play(flow: Flow, manners: Manners, random: Random) -> Any:
        return await played(flow, manners, random, store, clock)

    yield play
    await store.close()


@pytest.mark.slow
async def test_any_order_on_postgres_ends_as_the_polite_one(shared: Player) -> None:
    for number in range(CASES_ON_POSTGRES):
        await assert_same_end(FLOWS[number % len(FLOWS)], number, shared)
