"""What each fate looks like from outside, and that in the end everything was done once."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from vendor_errors.ledger import PREFIXES
from vendor_errors.rows import Fate
from vendor_errors.stages import Stage

from domain import commands as c
from domain.assignments import canceled_at
from domain.attention import attention
from domain.state import Engagement
from service.ports import EffectRow

KEY = "Idempotency-Key"


async def _effect(stage: Stage) -> EffectRow:
    return (await stage.scene.effects("9001"))[stage.row.operation]


async def _again(stage: Stage) -> None:
    effect, row = await _effect(stage), stage.row
    assert (effect.status, effect.attempt) == ("waiting", 1)
    assert effect.wake_at is not None
    waits = (effect.wake_at - stage.scene.clock()).total_seconds()
    assert row.at_least <= waits <= max(1.0, row.at_least * 2)
    stage.scene.clock.move(max(waits, row.later))
    await _done(stage)
    assert len(_keys(stage)) <= 1, "the same key on every try"


async def _a_new_key(stage: Stage) -> None:
    for seconds in (2, 4):
        stage.scene.clock.move(seconds)
        await stage.work()
    await _done(stage)
    first, *others = [asked.headers[KEY] for asked in stage.asked]
    assert [first, f"{first}-r2"][: len(others)] == others
    assert stage.row.made or len(others) == 2


async def _for_a_person(stage: Stage) -> None:
    effect = await _effect(stage)
    assert (effect.status, effect.attempt) == ("parked", 1)
    (item,) = [a for a in attention(await stage.scene.engagement("9001")) if a.code == "effect_parked"]
    assert _words(stage) in item.message
    assert (await stage.replica.gate.look()).closed == frozenset()
    await _retried(stage)


def _words(stage: Stage) -> str:
    said = stage.row.says.json or {}
    return stage.row.words or str(said.get("message") or said["errors"][0]["message"])


async def _for_a_person_soon(stage: Stage) -> None:
    begun = stage.scene.clock()
    while (await _effect(stage)).status == "waiting":
        assert stage.scene.clock() - begun < timedelta(minutes=15)
        stage.scene.clock.move(5)
        await stage.work()
    effect = await _effect(stage)
    assert (effect.status, effect.attempt) == ("parked", 8)
    assert "effect_parked" in [a.code for a in attention(await stage.scene.engagement("9001"))]
    assert len(_keys(stage)) == 1
    await _retried(stage)


async def _retried(stage: Stage) -> None:
    """A person has it tried again days later, when the vendor has mended what was wrong."""
    stage.recover()
    stage.scene.clock.move(5 * 86_400)
    await stage.tell(lambda now: c.RequestRetry(now, "it is mended"))
    await _done(stage)


async def _the_vendor_waits(stage: Stage) -> None:
    await _waits(stage, "*")


async def _the_operation_waits(stage: Stage) -> None:
    for _ in range(5):
        stage.scene.clock.move(16)
        await stage.work()
    await _waits(stage, stage.row.operation)


async def _waits(stage: Stage, operation: str) -> None:
    replica = stage.replica
    assert (await _effect(stage)).status == "waiting"
    shut = [b.operation for b in (await replica.gate.look()).breakers.values() if b.is_open]
    assert shut == [operation]
    (item,) = await replica.report.attention()
    assert item.code == "vendor_failing"
    stage.recover()
    stage.scene.clock.move(60)
    await _done(stage)
    assert await replica.report.attention() == []


async def _a_new_token(stage: Stage) -> None:
    await _done(stage)
    assert stage.client.tokens == 2


async def _done(stage: Stage) -> None:
    """Whatever way it went: done, every object made once and known here, and nothing left to do."""
    await stage.work()
    effect = await _effect(stage)
    assert effect.status == "done", effect.last_error
    engagement = await stage.scene.engagement("9001")
    assert not engagement.parked
    made = {path: [row["id"] for row in rows] for path, rows in stage.ledger.made.items() if rows}
    assert all(len(ids) == 1 for ids in made.values()), made
    known = {
        "/contractors": [engagement.contractor_id],
        "/jobs": [engagement.job_id],
        "/quotes": list(engagement.quote_ids),
        "/apply/sessions": [engagement.session_id],
        "/assignments": [a.assignment_id for a in engagement.assignments],
        "/files/certificates": [file.certificate_id for file in engagement.files.values()],
        "/invoices": [invoice.invoice_id for invoice in engagement.invoices.values()],
    }
    assert made == {path: known[path] for path in PREFIXES if path in made}
    if engagement.over:
        _ended(stage, engagement)


def _ended(stage: Stage, engagement: Engagement) -> None:
    """Cover does not outlast the contract, there and here."""
    (row,), made = stage.ledger.made["/assignments"], engagement.assignment
    assert row.get("cancelled") or row["end_date"] == max(engagement.ended_at, row["effective_date"] + 1)
    assert made
    assert made.ended or canceled_at(engagement, made.assignment_id)


def _keys(stage: Stage) -> set[str]:
    return {key for asked in stage.asked if (key := asked.headers.get(KEY))}


FATES: Mapping[Fate, Callable[[Stage], Awaitable[None]]] = {
    "again": _again,
    "a new key": _a_new_key,
    "for a person": _for_a_person,
    "for a person soon": _for_a_person_soon,
    "the vendor waits": _the_vendor_waits,
    "the operation waits": _the_operation_waits,
    "a new token": _a_new_token,
    "done": _done,
}
