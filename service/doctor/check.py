"""One finding of the doctor, and how an unexpected failure becomes one."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """What was found out about ``name``, in a sentence; ``fix`` says what to do unless all is well."""

    name: str
    status: Status
    message: str
    fix: str | None = None


def ok(name: str, message: str) -> Check:
    return Check(name, "ok", message)


def warn(name: str, message: str, fix: str) -> Check:
    return Check(name, "warn", message, fix)


def fail(name: str, message: str, fix: str) -> Check:
    return Check(name, "fail", message, fix)


def graded(name: str, value: float, warn_at: float, fail_at: float, message: str, fix: str) -> Check:
    """By how large a number is."""
    if value < warn_at:
        return ok(name, message)
    return warn(name, message, fix) if value < fail_at else fail(name, message, fix)


async def tried(name: str, look: Callable[[], Awaitable[Sequence[Check]]], fix: str) -> Sequence[Check]:
    """What ``look`` finds; where it cannot even look that is the finding."""
    try:
        return await look()
    except Exception as error:
        return [fail(name, f"It cannot be checked: {type(error).__name__}: {first_line(error)}", fix)]


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0].rstrip(".: ")


def spoken(seconds: float) -> str:
    """A length of time in its largest unit: ``4 min``."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
