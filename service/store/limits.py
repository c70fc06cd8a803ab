"""What any store can keep: keys of bounded length, and text that is text to Postgres too."""

from service.ports import Append, Delivery
from service.store.errors import NotStorable

STREAM = STEP = DEDUPE = 500
LOOKUP = 1500
CAUSE = 1900
"""Bytes of UTF-8. A key and its neighbours must fit in one entry of an index, 2,700 bytes."""

LAST_DUE = 253_000_000_000
"""Epoch seconds, in the year 9987: later ones are no `datetime` any more."""


def storable(text: str, most: int | None = None) -> bool:
    """Whether ``text`` can be kept: no NUL, no half of a character, at most ``most`` bytes."""
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        return False
    return "\0" not in text and (most is None or size <= most)


def clean(text: str | None) -> str | None:
    """Words for people, with what cannot be kept replaced."""
    if text is None or storable(text):
        return text
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def check_append(append: Append) -> None:
    """Raises `NotStorable` naming what does not fit, and ValueError where the caller is at fault."""
    _check("stream id", append.stream_id, STREAM)
    _check("cause", append.cause, CAUSE)
    _check("correlation", append.correlation, None)
    _check("actor", append.actor, None)
    for kind, id in append.lookups:
        _check(f"id of a {kind}", id, LOOKUP)
    for wanted in append.effects:
        _check("step", wanted.step, STEP)
        _check("idempotency key", wanted.key, None)
        if wanted.due_at is not None and not 0 <= wanted.due_at <= LAST_DUE:
            raise NotStorable(why=f"the step {wanted.step} is due at {wanted.due_at}, out of range")
    if append.settles is not None and append.settles.stream_id != append.stream_id:
        raise ValueError("an append settles only effects of its own stream")


def check_delivery(delivery: Delivery) -> None:
    """Raises `NotStorable` naming what does not fit."""
    _check("dedupe key", delivery.dedupe, DEDUPE)
    _check("other dedupe key", delivery.also or "", DEDUPE)
    for value in delivery.headers.values():
        _check("header", value, None)


def _check(what: str, text: str, most: int | None) -> None:
    if not storable(text, most):
        limit = f" or has more than {most} bytes" if most else ""
        raise NotStorable(why=f"its {what} is not clean text{limit}")
