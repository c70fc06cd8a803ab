"""How an embedded server is set: to keep data whatever happens, or to be fast and thrown away."""

from collections.abc import Mapping
from dataclasses import dataclass

_ALWAYS = {
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_min_messages": "warning",
}


@dataclass(frozen=True, slots=True)
class Profile:
    """Server settings plus what only initdb can decide: `sync` its files, `checksums` on every page.

    `roomy`: it keeps pages in a good part of the machine's memory, see `memory.for_pages`.
    """

    name: str
    settings: Mapping[str, str]
    sync: bool
    checksums: bool
    roomy: bool = False


DURABLE = Profile(
    name="durable",
    settings={
        **_ALWAYS,
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "max_wal_size": "2GB",
    },
    sync=True,
    checksums=True,
    roomy=True,
)

# The least log and no standby: CREATE DATABASE … FILE_COPY then copies files and writes next to nothing.
_UNSAFE = {
    **_ALWAYS,
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}

THROWAWAY = Profile(
    name="throwaway",
    settings={**_UNSAFE, "synchronous_commit": "off"},
    sync=False,
    checksums=False,
)

# Killed processes lose nothing that was acknowledged; only a dead machine would.
CRASH_TEST = Profile(
    name="crash-test",
    settings={**_UNSAFE, "synchronous_commit": "on"},
    sync=False,
    checksums=False,
)
