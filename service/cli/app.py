"""The commands by name. Each one reads its settings, calls one function and ends with a documented code."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from service import logs
from service.cli import (
    ask,
    auditing,
    checklist,
    config_check,
    migrate,
    operating,
    reconcile,
    sandboxes,
    serve,
    tokens,
    up,
)
from service.cli.running import Flag, Json, Url, run

app = App(
    name="coverd",
    help="Keeps every Upwork engagement insured or certified, and can prove it.\n\n"
    "Exit codes: 0 done, 1 it failed, 2 wrong use or settings that cannot be used.",
    version="0.1.0",
)
migrations_app = App(name="migrate", help="The database's schema: plan, apply, verify.")
config_app = App(name="config", help="The configuration file.")
tokens_app = App(name="token", help="API tokens: create, list, revoke.")
app.command(migrations_app)
app.command(config_app)
app.command(tokens_app)
app.command(operating.commands, name="*")
app.command(auditing.commands, name="*")


@app.command(name="up")
def up_command(
    *,
    port: int = 8080,
    ten99policy_port: int = 8081,
    upwork_port: int = 8082,
    data_dir: Path = Path(".coverd"),
    demo: int = 0,
    example: Flag = False,
    verbose: Flag = False,
) -> None:
    """Everything on one machine: Postgres, sandboxes, service, pages.

    Args:
        port: where the service answers
        ten99policy_port: where the 1099Policy sandbox answers
        upwork_port: where the Upwork sandbox answers
        data_dir: where everything is kept between starts
        demo: drive so many engagements of every kind through and print a table
        example: drive the guide's example, contract 9001, to insured
        verbose: show the log
    """
    logs.set_up(quiet=not verbose)
    run(up.run(up.Options(port, upwork_port, ten99policy_port, data_dir, demo, example)))


@app.command(name="serve")
def serve_command(*, role: Literal["all", "web", "worker"] = "all") -> None:
    """Production: what the settings say, nothing embedded."""
    logs.set_up()
    run(serve.run(role))


@app.command(name="sandbox")
def sandbox_command(
    *,
    ten99policy_port: int = 8081,
    upwork_port: int = 8082,
    callback: str | None = None,
    state_dir: Path | None = None,
    only: Literal["upwork", "1099policy"] | None = None,
    until_stdin_closes: Annotated[bool, Parameter(negative="", show=False)] = False,
) -> None:
    """The two vendor sandboxes alone.

    Args:
        callback: base URL of the service that gets the webhooks, e.g. http://127.0.0.1:8080
        state_dir: keep what the sandboxes know between starts
        only: serve one of the two
    """
    run(
        sandboxes.run(
            upwork_port=None if only == "1099policy" else upwork_port,
            ten99policy_port=None if only == "upwork" else ten99policy_port,
            callback=callback,
            state_dir=state_dir,
            until_stdin_closes=until_stdin_closes,
        )
    )


@migrations_app.command(name="plan")
def plan_command(*, json: Json = False) -> None:
    """What `apply` would do."""
    run(migrate.plan(json))


@migrations_app.command(name="apply")
def apply_command(*, json: Json = False) -> None:
    """Bring the database up to this version's schema."""
    run(migrate.apply(json))


@migrations_app.command(name="verify")
def verify_schema_command(*, json: Json = False) -> None:
    """Compare what was applied with the files of this version."""
    run(migrate.verify(json))


@app.command(name="status")
def status_command(
    engagement: str,
    *,
    at: str | None = None,
    tz: str | None = None,
    known_at: str | None = None,
    json: Json = False,
    url: Url = None,
) -> None:
    """Is this engagement covered now, or was it at a time, as known at a time?

    Args:
        at: a time with an offset, e.g. 2026-03-02T10:40:00Z, or with tz a day, e.g. 2026-03-02
        tz: the day's time zone, e.g. America/New_York
        known_at: judge only by what was recorded until then
    """
    run(ask.status(engagement, at, tz, known_at, json, url))


@app.command(name="history")
def history_command(engagement: str, *, json: Json = False, url: Url = None) -> None:
    """Every event of an engagement, oldest first."""
    run(ask.history(engagement, json, url))


@app.command(name="replay")
def replay_command(
    engagement: str, *, version: int | None = None, json: Json = False, url: Url = None
) -> None:
    """The folded state after an event, and the move that event made.

    Args:
        version: the event's version; the last one unless it is given
    """
    run(ask.replay(engagement, version, json, url))


@app.command(name="vendors")
def vendors_command(*, json: Json = False, url: Url = None) -> None:
    """How the vendors are: what is left alone, since when, and why."""
    run(ask.vendors(json, url))


@app.command(name="pause")
def pause_command(
    vendor: Literal["upwork", "1099policy"],
    *,
    reason: str,
    operation: str | None = None,
    json: Json = False,
    url: Url = None,
) -> None:
    """Leave a vendor alone: its calls wait until it is resumed.

    Args:
        vendor: which one
        reason: why; shown to whoever looks
        operation: this kind of call alone, such as CreateJob
    """
    run(ask.act_on(vendor, "pause", operation, reason, json, url))


@app.command(name="resume")
def resume_command(
    vendor: Literal["upwork", "1099policy"],
    *,
    reason: str,
    operation: str | None = None,
    json: Json = False,
    url: Url = None,
) -> None:
    """Go on with a vendor that is paused or failing: its calls are made at once.

    Args:
        vendor: which one; what was paused by itself stays so
        reason: why; shown to whoever looks
        operation: this kind of call alone, such as CreateJob
    """
    run(ask.act_on(vendor, "resume", operation, reason, json, url))


@app.command(name="reconcile")
def reconcile_command(*, json: Json = False, url: Url = None) -> None:
    """Ask both vendors everything now: what webhooks lost is found, kept and processed.

    Runs here when COVERD_DATABASE_URL is set and no URL is given, else in the service that answers there.
    """
    logs.set_up(quiet=True)
    run(reconcile.run(json, url))


@app.command(name="simulate")
def simulate_command(
    event: Literal[
        "offer.accepted",
        "contract.active",
        "contract.ended",
        "policy.active",
        "policy.expired",
        "policy.canceled",
        "certificate.validated",
        "certificate.flagged",
    ],
    *,
    engagement: str,
    ten99policy_port: int = 8081,
    upwork_port: int = 8082,
    json: Json = False,
    url: Url = None,
) -> None:
    """Make a sandbox emit a signed webhook about an engagement."""
    run(ask.simulate(event, engagement, upwork_port, ten99policy_port, json, url))


@app.command(name="checklist")
def checklist_command(
    *, ten99policy_port: int = 8081, upwork_port: int = 8082, json: Json = False, url: Url = None
) -> None:
    """The guide's seven-point testing checklist against the configured vendors.

    Without vendor settings it asks the sandboxes on this machine.
    """
    run(checklist.run(upwork_port, ten99policy_port, json, url))


@app.command(name="rebuild")
def rebuild_command(projection: str, *, json: Json = False) -> None:
    """Build a read model anew from the log, beside the one that serves, and swap it in."""
    run(migrate.rebuild(projection, json))


@config_app.command(name="check")
def config_check_command(
    path: Path | None = None,
    *,
    contracts: int = 100,
    offline: Flag = False,
    ten99policy_port: int = 8081,
    upwork_port: int = 8082,
    json: Json = False,
) -> None:
    """Check the configuration file (COVERD_CONFIG or PATH) and find what would be held.

    1099Policy is asked for every code and entity the file names, and the contracts that run at Upwork are
    mapped as engagements would be. A vendor that no setting names is its sandbox, where one runs here.

    Exit codes: 0 no hole, 1 something would be held or a vendor does not answer, 2 the file or the settings
    cannot be used.

    Args:
        path: the file, where it is another than COVERD_CONFIG
        contracts: how many of Upwork's contracts to map at most
        offline: ask nobody, only read the file
    """
    logs.set_up(quiet=True)
    options = config_check.Options(contracts, offline, upwork_port, ten99policy_port)
    run(config_check.run(path, options, json))


@tokens_app.command(name="create")
def create_token_command(
    *,
    scope: Literal["read", "operate", "audit"],
    name: str = "",
    expires: str | None = None,
    json: Json = False,
) -> None:
    """Make a token and show it this once.

    Args:
        scope: read reads; operate reads and writes; audit reads, for auditors
        name: what it is for, as the list will show it
        expires: 90d, 12h, a day, or a time with an offset; never when left out
    """
    run(tokens.create(scope, name, expires, json))


@tokens_app.command(name="list")
def list_tokens_command(*, json: Json = False) -> None:
    """Every token ever made: what it may do, until when, when it was last used."""
    run(tokens.show(json))


@tokens_app.command(name="revoke")
def revoke_token_command(token_id: str, *, json: Json = False) -> None:
    """Let a token open nothing any more, in every running process within seconds.

    Args:
        token_id: its id, as `coverd token list` shows it
    """
    run(tokens.revoke(token_id, json))


def main() -> None:
    app()
