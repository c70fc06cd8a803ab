"""Calls that were given up: settled when their deed is done after all, or begun afresh when a person asks."""

from collections.abc import Iterable

from msgspec.structs import replace

from domain.state import Engagement


def done(s: Engagement, step: str) -> Engagement:
    """No call for this step is given up any more, nor one that took it up again (``step:after-…``)."""
    if not s.parked:
        return s
    left = {k: v for k, v in s.parked.items() if k.partition(":after-")[0] != step}
    return s if len(left) == len(s.parked) else replace(s, parked=left)


def mapped_steps(s: Engagement) -> tuple[str, ...]:
    """Steps whose content is mapped: a retry reads the contract again before it restarts them."""
    return "contractor", "job", s.step("quote")


def retried(s: Engagement, only: tuple[str, ...]) -> Engagement:
    """Begin the steps asked for afresh, all of them where ``only`` names none, skipped ones among them."""
    asked = tuple(step for step in s.parked if not only or step in only)
    held = bool(s.holds) and (not only or "read" in only)
    s = _waiting_again(s, asked, s.holds if held else ())
    if s.over or s.terms is None or not (held or any(step in asked for step in mapped_steps(s))):
        return restarted(s, asked)
    others = tuple(step for step in asked if step not in (*mapped_steps(s), "read"))
    return replace(restarted(s, (*others, "read")), rereading=True)


def _waiting_again(s: Engagement, steps: Iterable[str], codes: Iterable[str]) -> Engagement:
    return replace(
        s,
        parked={**s.parked, **{step: replace(s.parked[step], skipped=None) for step in steps}},
        holds={**s.holds, **{code: replace(s.holds[code], skipped=None) for code in codes}},
    )


def restarted(s: Engagement, steps: tuple[str, ...]) -> Engagement:
    """The next generation of these steps: none of them is given up any more."""
    generations = {**s.generations, **{step: s.generation(step) + 1 for step in steps}}
    parked = {step: p for step, p in s.parked.items() if step not in steps}
    return replace(s, parked=parked, generations=generations)
