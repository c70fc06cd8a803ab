"""Events and states as plain builtins and back: the one place that knows their stored shape."""

from typing import Any, get_args

import msgspec

from domain.effects import CHANNELS, Effect
from domain.events import EngagementEvent, Event, FreelancerEvent
from domain.state import Engagement, Freelancer

EVENT_TYPES: dict[str, type[Event]] = {event.__name__: event for event in get_args(Event)}
EFFECT_TYPES: dict[str, type[Effect]] = {effect.__name__: effect for effect in CHANNELS}

SCHEMA = 1
"""The shape new events are written in; older shapes are lifted by `event_from`."""


def event_data(event: Event) -> dict[str, Any]:
    """An event's fields, JSON-ready."""
    return dict(msgspec.to_builtins(event))


def event_from(type_name: str, data: dict[str, Any]) -> Event:
    """The event stored as ``type_name`` with ``data``. Raises `msgspec.ValidationError`."""
    return msgspec.convert(data, EVENT_TYPES[type_name])


_DECODERS = {name: msgspec.json.Decoder(event) for name, event in EVENT_TYPES.items()}


def event_of(type_name: str, text: str | bytes) -> Event:
    """The same from an event's JSON text.

    Raises KeyError for a type nobody knows and `msgspec.MsgspecError` for text that doesn't fit.
    """
    return _DECODERS[type_name].decode(text)


def engagement_event_from(type_name: str, data: dict[str, Any]) -> EngagementEvent:
    """The same for an event of an engagement's stream. Raises `TypeError` for a freelancer's."""
    event = event_from(type_name, data)
    if isinstance(event, FreelancerEvent):
        raise TypeError(f"{type_name} belongs to a freelancer's stream")
    return event


def effect_data(effect: Effect) -> dict[str, Any]:
    return dict(msgspec.to_builtins(effect))


def effect_from(kind: str, payload: dict[str, Any]) -> Effect:
    return msgspec.convert(payload, EFFECT_TYPES[kind])


def status_data(state: Engagement | Freelancer) -> dict[str, Any]:
    """A folded state as builtins, to be kept beside the stream's head; unset fields are left out."""
    return dict(msgspec.to_builtins(state))


def status_text(state: Engagement | Freelancer) -> str:
    """The same as JSON text."""
    return msgspec.json.encode(state).decode()


def engagement_from(status: dict[str, Any]) -> Engagement:
    return msgspec.convert(status, Engagement)


def freelancer_from(status: dict[str, Any]) -> Freelancer:
    return msgspec.convert(status, Freelancer)
