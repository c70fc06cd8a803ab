"""The commands that look at coverd itself: of auditors, and of whoever asks what is wrong."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from service import logs
from service.cli import audit, doctor
from service.cli.running import Flag, Json, Url, run
from service.cli.terminal import MISUSED, end

commands = App()


@commands.command(name="export")
def export_command(
    *,
    of: Literal["log", "feed"] = "log",
    bucket: Annotated[list[int] | None, Parameter(negative="")] = None,
    cursor: str | None = None,
    after: Path | None = None,
    output: Path | None = None,
    resume: Flag = False,
) -> None:
    """The log as lines of JSON with their hashes, to stdout or a file, as far as it reaches now.

    Args:
        of: the whole log, bucket by bucket; or the public feed, in its own order
        bucket: only this bucket of the log; may be given again
        cursor: begin behind this place: BUCKET:POSITION of the log, or a cursor of the feed
        after: begin where this earlier export ended
        output: write to this file, which must not exist
        resume: go on with an output that was broken off
    """
    if cursor and after:
        end("Say either --cursor or --after.", MISUSED)
    run(audit.export(of, bucket, cursor, after, output, resume))


@commands.command(name="verify")
def verify_command(
    *,
    file: Annotated[list[Path] | None, Parameter(negative="")] = None,
    replay: Flag = False,
    json: Json = False,
) -> None:
    """Check the hash chain of every stream and that no bucket's log has a hole.

    Of the database, or offline of what `coverd export` wrote. Exits with 1 where anything is wrong.

    Args:
        file: an export to check instead of the database, - for stdin; several that follow one another in turn
        replay: also fold every stream again, and see that its head says what comes of it
    """
    if file and replay:
        end("An export holds no heads: --replay is for the database.", MISUSED)
    run(audit.verify_files(file, json) if file else audit.verify_log(json, replay))


@commands.command(name="doctor")
def doctor_command(
    *,
    offline: Flag = False,
    ten99policy_port: int = 8081,
    upwork_port: int = 8082,
    json: Json = False,
    url: Url = None,
) -> None:
    """Check settings, database, vendors, webhooks, backlogs, read models; say how to mend what is wrong.

    Exits with 1 where a check fails, with 2 where the settings cannot be used, with 0 where it only warns.

    Args:
        offline: ask no vendor
    """
    logs.set_up(quiet=True)
    run(doctor.run(offline, upwork_port, ten99policy_port, json, url))
