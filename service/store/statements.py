"""The SQL of the store: one statement a file, opening with what it takes and what it gives."""

from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent / "sql"


@cache
def sql(name: str) -> str:
    """The statement in ``sql/<name>.sql``."""
    return (_HERE / f"{name}.sql").read_text(encoding="utf-8")
