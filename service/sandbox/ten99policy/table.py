"""One kind of stored object: rows as they go over the wire, in order of creation, with a few indexes."""

import random
import string
from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]

LETTERS = string.ascii_letters + string.digits


class Table:
    """`name` is the plural used by the sandbox, `singular` the word in delete answers and error codes."""

    def __init__(
        self, name: str, singular: str, prefix: str, id_length: int = 10, indexed: tuple[str, ...] = ()
    ) -> None:
        self.name, self.singular, self.prefix, self.id_length = name, singular, prefix, id_length
        self.rows: dict[str, Row] = {}
        self._indexes: dict[str, dict[Any, dict[str, None]]] = {field: {} for field in indexed}

    def new_id(self) -> str:
        return f"{self.prefix}_{''.join(random.choices(LETTERS, k=self.id_length))}"

    def add(self, row: Row) -> Row:
        self.rows[row["id"]] = row
        for field, index in self._indexes.items():
            index.setdefault(row.get(field), {})[row["id"]] = None
        return row

    def change(self, id: str, changes: Row) -> Row:
        """Put new values into a row; nested values are replaced, never altered in place."""
        row = self.rows[id]
        for field, index in self._indexes.items():
            if field in changes and changes[field] != row.get(field):
                del index[row.get(field)][id]
                index.setdefault(changes[field], {})[id] = None
        row.update(changes)
        return row

    def remove(self, id: str) -> Row:
        row = self.rows.pop(id)
        for field, index in self._indexes.items():
            del index[row.get(field)][id]
        return row

    def where(self, field: str, value: Any) -> list[Row]:
        """Rows with this value in an indexed field, oldest first."""
        return [self.rows[id] for id in self._indexes[field].get(value, ())]

    def load(self, rows: Iterable[Row]) -> None:
        self.rows.clear()
        for index in self._indexes.values():
            index.clear()
        for row in rows:
            self.add(row)
