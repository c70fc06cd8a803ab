"""Between the store's values and what goes over the wire to Postgres and comes back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import orjson

from domain.codec import SCHEMA, effect_data, event_data, event_of
from domain.effects import CHANNELS, Wanted
from domain.events import Event
from domain.ids import bucket_of
from domain.recorded import Recorded
from service.ports import (
    Append,
    Claimed,
    Delivery,
    DeliveryCause,
    DeliveryDone,
    EffectDone,
    EffectParkedMark,
    EffectRow,
    Head,
    Lookup,
    Operation,
    SourceState,
    StoredDelivery,
)
from service.store.arrivals import delivery_id, parsed
from service.store.chain import Link
from service.store.errors import NotStorable
from service.store.limits import clean


class Row(Protocol):
    """A row of either store: columns by name."""

    def __getitem__(self, name: str, /) -> Any: ...


def command(append: Append) -> dict[str, Any]:
    """An append as ``coverd.append_commands`` takes it, but for its ordinal.

    What must keep its bytes, or may hold an escaped NUL, goes as text inside the text. Raises `NotStorable`.
    """
    return {
        "bucket": bucket_of(append.stream_id),
        "stream_id": append.stream_id,
        "expected": append.expected,
        "cause": append.cause,
        "correlation": append.correlation,
        "actor": append.actor,
        "effective_at": append.effective_at,
        "events": [_event(event, append.expected + n) for n, event in enumerate(append.events, start=1)],
        "state": append.state,
        "status": text(append.status),
        "effects": [_effect(wanted, append) for wanted in distinct(append.effects)] if append.events else [],
        "lookups": lookups(append.lookups),
        "settles": _settles(append.settles) if append.settles else None,
        "delivery": _delivery(append.delivery) if append.delivery else None,
        "take_for": append.take_for,
    }


def lookups(given: Sequence[Lookup]) -> list[dict[str, Any]]:
    """Ids with the buckets they live in."""
    return [
        {"bucket": bucket_of(f"{kind}:{id}"), "kind": kind, "id": id} for kind, id in dict.fromkeys(given)
    ]


def text(value: object) -> str:
    """JSON without spaces. Raises `NotStorable` for half characters and numbers beyond 64 bits."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError as error:
        raise NotStorable(why=str(error)) from error


def distinct(effects: Sequence[Wanted]) -> list[Wanted]:
    """The effects asked for, the first of each step and generation."""
    found: dict[tuple[str, int], Wanted] = {}
    for wanted in effects:
        found.setdefault((wanted.step, wanted.generation), wanted)
    return list(found.values())


def _event(event: Event, version: int) -> dict[str, Any]:
    return {
        "version": version,
        "type": type(event).__name__,
        "schema": SCHEMA,
        "data": text(event_data(event)),
    }


def _effect(wanted: Wanted, append: Append) -> dict[str, Any]:
    return {
        "step": wanted.step,
        "generation": wanted.generation,
        "channel": CHANNELS[type(wanted.effect)],
        "kind": type(wanted.effect).__name__,
        "payload": text(effect_data(wanted.effect)),
        "key": wanted.key,
        "due_at": wanted.due_at,
        "take": takes(append, wanted),
    }


def takes(append: Append, wanted: Wanted) -> bool:
    """Whether the writer leases this effect."""
    return append.take_for > 0 and wanted.due_at is None


def taken(append: Append, wanted: Wanted, fence: int, at: datetime) -> Claimed:
    """The effect as the writer has claimed it."""
    kind = type(wanted.effect)
    payload = orjson.loads(text(effect_data(wanted.effect)))
    return Claimed(
        append.stream_id,
        wanted.step,
        wanted.generation,
        CHANNELS[kind],
        kind.__name__,
        payload,
        wanted.key,
        1,
        fence,
        append.correlation,
        at,
    )


def _delivery(done: DeliveryDone) -> dict[str, Any] | None:
    place = parsed(done.delivery_id)
    return {"bucket": place[0], "arrival": place[1].hex, "type": clean(done.type)} if place else None


def _settles(settles: EffectDone | EffectParkedMark) -> dict[str, Any]:
    match settles:
        case EffectDone():
            said: dict[str, Any] = {"result": clean(settles.result)}
        case EffectParkedMark():
            said = {"error": clean(settles.error)}
    return {"step": settles.step, "generation": settles.generation, "fence": settles.fence, **said}


def head(stream_id: str, row: Row | None) -> Head:
    if row is None:
        return Head(stream_id, 0, "", {}, None)
    return Head(stream_id, row["version"], row["state"], orjson.loads(row["status"]), row["updated_at"])


def recorded(row: Row) -> Recorded:
    return Recorded(
        row["stream_id"],
        row["bucket"],
        row["version"],
        row["position"],
        row["type"],
        event_of(row["type"], row["data"]),
        row["recorded_at"],
        row["effective_at"],
        row["cause"],
        row["correlation"],
        row["actor"],
        row["hash"],
    )


def link(row: Row) -> Link:
    return Link(
        row["stream_id"],
        row["version"],
        row["position"],
        row["type"],
        row["schema"],
        row["effective_at"],
        row["recorded_at"],
        row["cause"],
        row["correlation"],
        row["actor"],
        row["data"],
        row["hash"],
    )


def claimed(row: Row) -> Claimed:
    fields = {name: row[name] for name in Claimed.__struct_fields__}
    return Claimed(**{**fields, "payload": orjson.loads(row["payload"])})


def effect_row(row: Row, now: datetime) -> EffectRow:
    return EffectRow(
        row["stream_id"],
        row["step"],
        row["generation"],
        row["channel"],
        row["kind"],
        _status(row, now),
        row["attempt"],
        row["wake_at"],
        row["done_at"],
        row["result"],
        row["last_error"],
        row["created_at"],
    )


def _status(row: Row, now: datetime) -> str:
    if row["done_at"] is not None:
        return "withdrawn" if row["result"] == "withdrawn" else "done"
    if row["parked_at"] is not None:
        return "parked"
    held = row["leased_until"] is not None and row["leased_until"] > now
    return "running" if held else "waiting"


def stored_delivery(row: Row) -> StoredDelivery:
    return StoredDelivery(
        id=delivery_id(row["bucket"], row["arrival"].hex),
        delivery=Delivery(
            row["source"],
            row["dedupe"],
            row["body"],
            orjson.loads(row["headers"]),
            row["verdict"],
            row["received_at"],
        ),
        type=row["type"],
        outcome=row["outcome"],
        detail=row["detail"],
        streams=tuple(row["streams"]),
        processed_at=row["processed_at"],
        attempt=row["attempt"],
        skipped_at=row["skipped_at"],
    )


def delivery_cause(row: Row) -> DeliveryCause:
    arrival, _, bucket = row["latest"].partition(" ")
    fields = {name: row[name] for name in DeliveryCause.__struct_fields__ if name != "latest"}
    return DeliveryCause(**fields, latest=delivery_id(int(bucket), UUID(arrival).hex))


def operation(row: Row) -> Operation:
    fields = {name: row[name] for name in Operation.__struct_fields__}
    fields |= {name: orjson.loads(row[name]) for name in ("asked", "targets")}
    result = row["result"]
    return Operation(
        **{
            **fields,
            "targets": tuple(fields["targets"]),
            "result": None if result is None else orjson.loads(result),
        }
    )


def source_state(row: Row) -> SourceState:
    return SourceState(**{name: row[name] for name in SourceState.__struct_fields__})
