"""How the database would answer the questions of the read models."""

from typing import Any


class Explaining:
    """Answers nothing and keeps how the question would be answered."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.plan = ""

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        rows = await self._pool.fetch(f"EXPLAIN {statement}", *arguments)
        self.plan = "\n".join(row[0] for row in rows)
        return []
