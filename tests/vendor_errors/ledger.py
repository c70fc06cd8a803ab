"""1099Policy as far as one engagement's calls go: what it made, and its answers by key, for a day."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from vendor_double import Asked, Says

ROOT = "/api/v1"
PREFIXES = {
    "/contractors": "cn",
    "/jobs": "jb",
    "/quotes": "qt",
    "/apply/sessions": "ias",
    "/assignments": "an",
    "/files/certificates": "ci",
    "/invoices": "in",
}
CANCEL = "/assignments/cancel"
KEYS_LIVE = timedelta(days=1)

Row = dict[str, Any]


@dataclass
class Ledger:
    """``known``: the contractor was here before and has opted in · ``names_policy``: an assignment says under
    which policy it comes · ``refuses``: codes that a call is refused with, by method and path."""

    clock: Callable[[], datetime]
    known: bool = False
    names_policy: bool = True
    refuses: dict[str, str] = field(default_factory=dict)
    made: dict[str, list[Row]] = field(default_factory=lambda: {path: [] for path in PREFIXES})
    policy: Row = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)
    listed: bool = True
    """Whether the list of a contractor's policies shows it."""
    _kept: dict[tuple[str, str], tuple[datetime, Says]] = field(default_factory=dict)

    def now(self) -> int:
        return int(self.clock().timestamp())

    def __call__(self, asked: Asked) -> Says:
        path = asked.path.removeprefix(ROOT)
        if code := self.refuses.get(f"{asked.method} {path}"):
            return Says(400, {"error_code": code, "message": "In the vendor's words."})
        match asked.method:
            case "GET":
                return self._shown(path, asked.query)
            case "PUT":
                return self._changed(path, asked.json)
            case _:
                return self._once(path, asked)

    def _once(self, path: str, asked: Asked) -> Says:
        key = path, asked.headers["Idempotency-Key"]
        since, answer = self._kept.get(key, (self.clock() - KEYS_LIVE, None))
        if answer is None or self.clock() - since >= KEYS_LIVE:
            answer = self._cancelled(asked.json) if path == CANCEL else self._made(path, asked)
            self._kept[key] = self.clock(), answer
        return answer

    def _made(self, path: str, asked: Asked) -> Says:
        rows, sent = self.made[path], _sent(asked)
        row = {"created": self.now(), **sent, "id": f"{PREFIXES[path]}_{len(rows) + 1}"}
        if path == "/assignments":
            row |= {"policy": "pl_1" if self.names_policy else None, "eligible": {"result": True}}
        if path == "/apply/sessions":
            row |= {"url": f"https://apply.test/{row['id']}", "expired": False}
        rows.insert(0, row)
        return Says(201, row)

    def _cancelled(self, body: Row) -> Says:
        for row in self.made["/assignments"]:
            if row["job"] == body["job_id"] and not row.get("cancelled"):
                row |= {"cancelled": True, "cancellation_date": self.now()}
                return Says(200, {"cancelled": True})
        return Says(400, {"error_code": "assignment_cancelled", "message": "There is none to cancel."})

    def _changed(self, path: str, body: Row) -> Says:
        collection, _, id = path.rpartition("/")
        row = next(row for row in self.made[collection] if row["id"] == id)
        if row.get("cancelled"):
            return Says(400, {"error_code": "invalid_assignment_id", "message": "It is cancelled."})
        row |= body
        return Says(200, row)

    def _shown(self, path: str, query: dict[str, str]) -> Says:
        if path in self.made:
            return Says(200, self._listed(path, query))
        if path == "/category_codes":
            return Says(200, [{"category_code": "SOFTWARE_ENGINEERING_CONTRACT", "name": "Software"}])
        if path.startswith("/entities/"):
            return Says(200, {"id": path.rpartition("/")[2]})
        if path == "/events":
            return Says(200, [] if "starting_after" in query else self.events)
        collection, _, id = path.rpartition("/")
        if id == "policies":
            return Says(200, [self.policy] if self.known and self.listed else [])
        found = [self.policy] if collection == "/policies" else self.made.get(collection, [])
        row = next((row for row in found if row.get("id") == id), None)
        return Says(200, row) if row else Says(404, {"error_code": "resource_not_found", "message": "None."})

    def _listed(self, path: str, query: dict[str, str]) -> list[Row]:
        rows = self.made[path]
        if path == "/contractors":
            known = [{"id": "cn_0", "email": query["email"]}] if self.known else []
            return known or [row for row in rows if row["contact"]["email"] == query["email"]]
        after = query.get("starting_after")
        return rows[[row["id"] for row in rows].index(after) + 1 :] if after else rows


def _sent(asked: Asked) -> Row:
    """A body's fields, of a form as the vendor shows them again."""
    if "multipart" not in asked.headers["Content-Type"]:
        return dict(asked.json)
    parts = asked.parts
    return {
        "filename": parts["certificate"].get_filename(),
        "contractor": parts["contractor"].get_content().strip(),
        "status": "pending",
    }
