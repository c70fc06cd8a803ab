"""Commands that speak to the database: one sentence where it is away, silent, or not what they need."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from aiohttp.test_utils import unused_port
from contracts.wire import wire_to

from service.cli import migrate, tokens
from service.cli.app import app

Command = Callable[..., Awaitable[tuple[int, str]]]

OF_TOKENS = ("token list", "token create --scope read", "token revoke tk_1")
OF_THE_SCHEMA = ("migrate plan", "migrate apply", "migrate verify")
OF_THE_LOG = ("rebuild engagements", "verify", "export")


@pytest.fixture
def coverd(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command on a database: its exit code, and what it said on stderr."""

    async def run(command: str, url: str) -> tuple[int, str]:
        monkeypatch.setenv("COVERD_DATABASE_URL", url)
        capsys.readouterr()
        try:
            await asyncio.to_thread(app, command.split(), result_action="return_value")
        except SystemExit as ended:
            return int(ended.code or 0), capsys.readouterr().err
        return 0, capsys.readouterr().err

    return run


@pytest.mark.parametrize("command", [*OF_TOKENS, *OF_THE_SCHEMA, *OF_THE_LOG])
async def test_one_that_is_away_is_told_in_one_sentence(coverd: Command, command: str) -> None:
    code, said = await coverd(command, f"postgresql://coverd:s3cr3t@127.0.0.1:{unused_port()}/coverd")
    assert code == 1
    assert "ConnectionRefusedError" in said
    assert said.count("\n") == 1
    assert "s3cr3t" not in said


@pytest.mark.parametrize("command", [*OF_TOKENS, *OF_THE_LOG])
async def test_one_without_the_schema_is_told_how_to_get_it(
    coverd: Command, command: str, empty_database_url: str
) -> None:
    code, said = await coverd(command, empty_database_url)
    assert (code, said.count("\n")) == (1, 1)
    assert "coverd migrate plan" in said


async def test_one_that_falls_silent_is_waited_for_no_longer_than_it_takes(
    coverd: Command, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(migrate, "CLOSE_SECONDS", 0.2)
    async with wire_to(database_url) as wire:
        wire.freeze()
        code, said = await coverd("token list", wire.url)
        assert (code, said) == (1, "The database cannot be reached: TimeoutError.\n")


async def test_a_locked_table_is_waited_for_no_longer_than_it_takes(
    coverd: Command, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "PATIENCE", 0.2)
    owner = await asyncpg.connect(database_url)
    async with owner.transaction():
        await owner.execute("LOCK TABLE coverd.api_token IN ACCESS EXCLUSIVE MODE")
        assert await coverd("token list", database_url) == (1, "The database does not answer.\n")
    await owner.close()
    assert (await coverd("token list", database_url))[0] == 0


@pytest.mark.parametrize(
    "url", ["postgresql://u:s3cr3t@[::1/x", "postgresql://u:s3cr3t@127.0.0.1:abc/x", "mysql://u:s3cr3t@h/x"]
)
async def test_a_url_that_cannot_be_read_is_refused_by_the_settings_name(coverd: Command, url: str) -> None:
    code, said = await coverd("token list", url)
    assert code == 2
    assert "COVERD_DATABASE_URL must be a Postgres URL" in said
    assert "s3cr3t" not in said
