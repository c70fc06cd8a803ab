"""The commands of people who operate coverd: what waits, tried again, left as it is, processed again."""

from typing import Literal

from cyclopts import App

from service.cli import ask, operate
from service.cli.running import Flag, Json, Url, run
from service.cli.terminal import MISUSED, end

commands = App()

Outcome = Literal["applied", "quiet", "unknown_type", "unusable", "parked", "failed"]


@commands.command(name="attention")
def attention_command(
    *,
    grouped: Flag = False,
    code: str | None = None,
    json: Json = False,
    url: Url = None,
) -> None:
    """What waits for a person.

    Args:
        grouped: one line a cause, the most frequent first, with when it was first and last seen
        code: only what waits under this code
    """
    run(operate.causes(code, json, url) if grouped else ask.attention(code, json, url))


@commands.command(name="retry")
def retry_command(
    engagement: str | None = None,
    *,
    step: str | None = None,
    code: str | None = None,
    kind: str | None = None,
    since: str | None = None,
    limit: int = operate.BATCH,
    pause: float = 1.0,
    dry_run: Flag = False,
    reason: str | None = None,
    json: Json = False,
    url: Url = None,
) -> None:
    """Try failed and held steps again: of one engagement, or of all under a code, step, kind or since.

    Args:
        engagement: this one alone
        step: only this call; of many engagements, what their steps begin with, e.g. quote
        code: only what waits under this code, e.g. effect_parked
        kind: only calls of this kind, e.g. CreateQuote
        since: only what has waited since then at the earliest, e.g. 2026-03-02T10:40:00Z
        limit: on so many engagements at most, the longest waiting first
        pause: seconds between two requests, each of which takes twenty
        dry_run: only count them
        reason: why; kept in each history
    """
    asked = operate.given(code=code, step=step, kind=kind, since=since)
    if engagement is None:
        run(operate.retry_many(asked, operate.Brake(limit, pause), dry_run, reason, json, url))
    elif code or kind or since or dry_run:
        end("Of one engagement say only the step: coverd retry ID --step STEP --reason …", MISUSED)
    elif reason is None:
        end("Say why: --reason is kept in the history.", MISUSED)
    else:
        run(ask.retry(engagement, step, reason, json, url))


@commands.command(name="skip")
def skip_command(
    engagement: str | None = None,
    *,
    code: str = "effect_parked",
    step: str | None = None,
    delivery: str | None = None,
    reason: str,
    json: Json = False,
    url: Url = None,
) -> None:
    """Leave something that waits for a person as it is; a retry or a replay takes it up again.

    Args:
        engagement: on which engagement
        code: what waits there: a hold's code, or effect_parked
        step: with effect_parked, which call
        delivery: not on an engagement, but this delivery
        reason: why; kept in the history
    """
    if (engagement is None) == (delivery is None):
        end("Say either an engagement or --delivery.", MISUSED)
    if engagement is not None:
        run(operate.skip(engagement, code, step, reason, json, url))
    elif delivery is not None:
        run(operate.skip_delivery(delivery, reason, json, url))


@commands.command(name="deliveries")
def deliveries_command(
    *,
    source: Literal["upwork", "1099policy"] | None = None,
    outcome: Outcome | None = None,
    limit: int = 50,
    json: Json = False,
    url: Url = None,
) -> None:
    """The deliveries that were accepted, the newest first.

    Args:
        source: only this sender's
        outcome: only those that came to this
        limit: so many at most
    """
    run(operate.deliveries(source, outcome, limit, json, url))


@commands.command(name="replay-deliveries")
def replay_deliveries_command(
    *,
    since: str,
    until: str,
    source: Literal["upwork", "1099policy"] | None = None,
    outcome: Outcome | None = None,
    cursor: str | None = None,
    limit: int = operate.BATCH,
    pause: float = 1.0,
    dry_run: Flag = False,
    reason: str | None = None,
    json: Json = False,
    url: Url = None,
) -> None:
    """Process again what arrived in a window of time; what it already caused is not caused twice.

    Args:
        since: the first instant, e.g. 2026-03-02T10:40:00Z
        until: the first instant that no longer counts
        source: only this sender's
        outcome: only those that came to this
        cursor: begin behind this delivery
        limit: so many at most, the oldest first
        pause: seconds between two requests, each of which takes twenty
        dry_run: only count them
        reason: why; kept beside what was asked
    """
    asked = operate.given(since=since, until=until, source=source, outcome=outcome, cursor=cursor)
    run(operate.replay_many(asked, operate.Brake(limit, pause), dry_run, reason, json, url))


@commands.command(name="operations")
def operations_command(*, limit: int = 50, json: Json = False, url: Url = None) -> None:
    """What people asked of many engagements or deliveries at once, the newest first.

    Args:
        limit: so many at most
    """
    run(operate.operations(limit, json, url))
