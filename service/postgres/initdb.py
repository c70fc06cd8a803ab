"""Making a cluster and the one database in it."""

import os
import shutil
import signal
from pathlib import Path

import asyncpg

from .account import Account
from .binaries import Binaries
from .errors import ProgramFailed
from .layout import Layout, name_for
from .process import finished, spawn
from .profile import Profile

SUPERUSER = "postgres"


async def create_cluster(
    layout: Layout,
    account: Account,
    binaries: Binaries,
    profile: Profile,
    password: str,
    scratch: Path,
) -> None:
    """Make `layout.cluster`, whole or not at all. `scratch` is a private folder of `account`.

    Raises ProgramFailed with what initdb said.
    """
    new = layout.new_cluster(account)
    password_file = scratch / "password"
    try:
        _write_private(password_file, password, account)
        arguments = [
            str(binaries.folder / "initdb"),
            "-D",
            name_for(new, account),
            f"--pwfile={password_file}",
            *_options(binaries, profile),
        ]
        with layout.log.open("ab") as log:
            child = spawn(arguments, account, cwd=new, output=log, when_we_die=signal.SIGTERM)
            status = await finished(child)
        if status != 0:
            raise ProgramFailed("initdb", status, layout.log, layout.last_words())
        new.rename(layout.cluster)
    finally:
        password_file.unlink(missing_ok=True)
        shutil.rmtree(new, ignore_errors=True)


async def ensure_database(admin_dsn: str, owner: str, database: str, password: str) -> None:
    """Make the owner's role and its database where they are missing.

    The owner is no superuser, as on any hosted Postgres: a migration that needs one fails here too.
    """
    connection = await asyncpg.connect(admin_dsn)
    try:
        if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", owner):
            # Our own token: no character in it needs quoting.
            await connection.execute(f"CREATE ROLE {owner} LOGIN CREATEDB CREATEROLE PASSWORD '{password}'")
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", database):
            await connection.execute(f"CREATE DATABASE {database} OWNER {owner}")
    finally:
        await connection.close()


def _options(binaries: Binaries, profile: Profile) -> list[str]:
    options = [
        f"--username={SUPERUSER}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-instructions",
    ]
    if binaries.major >= 17:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if profile.checksums:
        options.append("--data-checksums")
    elif binaries.major >= 18:  # where they are the default
        options.append("--no-data-checksums")
    if not profile.sync:
        options.append("--no-sync")
    return options


def _write_private(path: Path, text: str, account: Account) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
    account.own(path)
