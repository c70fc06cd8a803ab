"""The SQL of the read models: one statement a file, opening with what it takes and what it gives."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Reader: TypeAlias = Connection | Pool

_HERE = Path(__file__).parent / "sql"


@cache
def sql(
    name: str, revision: int | None = None, table: str = "", replaced: int | None = None, key: str = ""
) -> str:
    """The statement in ``sql/<name>.sql``.

    It calls tables of ``revision`` ``…_rN``, those of the revision being ``replaced`` ``…_rO``, a table that
    it is to be told ``any_table`` and the columns of its key ``any_key``.
    """
    text = (_HERE / f"{name}.sql").read_text(encoding="utf-8")
    text = text.replace("any_table", table).replace("any_key", key)
    return text.replace("_rN", f"_r{revision}").replace("_rO", f"_r{replaced}")
