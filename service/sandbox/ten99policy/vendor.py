"""The sandbox itself: its parts, and what one request asks of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.sandbox.clock import Clock
from service.sandbox.control import Calls, Faults
from service.sandbox.emit import Emitter
from service.sandbox.ten99policy.options import Ten99PolicyOptions
from service.sandbox.ten99policy.refusals import not_found, unknown_reference
from service.sandbox.ten99policy.state import State, objects
from service.sandbox.ten99policy.table import Row, Table

# Documented first: the SDK sends a random `Idempotency-Key` beside the key its caller chose (fact sheet 5).
KEY_HEADERS = ("Ten99Policy-Idempotent-Key", "Idempotency-Key")


class Ten99Policy:
    """One sandbox: options, clock, ordered faults, recorded calls, emitter and everything it stores."""

    def __init__(self, options: Ten99PolicyOptions) -> None:
        self.options = options
        self.clock = Clock()
        self.faults = Faults()
        self.calls = Calls(KEY_HEADERS)
        self.emitter = Emitter(
            self.clock,
            self.faults,
            retry_base_seconds=options.retry_base_seconds,
            lanes=options.delivery_lanes,
        )
        self.state = State()
        self.state.seed(options.entities, self.now())

    def now(self) -> int:
        return self.clock.epoch()

    def objects(self) -> dict[str, Any]:
        return objects(self.state)

    def reset(self) -> None:
        self.state.clear()
        self.state.seed(self.options.entities, self.now())


@dataclass(frozen=True)
class Ask:
    """One request, read and let in: the id in its path, its JSON body, query, and the server's own origin."""

    vendor: Ten99Policy
    id: str
    body: Row
    query: Mapping[str, str]
    origin: str = ""
    upload: "Upload | None" = None

    @property
    def state(self) -> State:
        return self.vendor.state

    def row(self, table: Table) -> Row:
        """The object named in the path; 404 otherwise."""
        if self.id not in table.rows:
            raise not_found(table.singular, self.id)
        return table.rows[self.id]

    def reference(self, table: Table, value: Any) -> Row:
        """The object named in a body; 400 `invalid_<thing>_id` otherwise."""
        if not isinstance(value, str) or value not in table.rows:
            raise unknown_reference(table.singular, value)
        return table.rows[value]


@dataclass(frozen=True)
class Upload:
    """The file part of a multipart request."""

    filename: str
    content_type: str
    content: bytes = field(repr=False)


Endpoint = Callable[[Ask], Any]


@dataclass(frozen=True)
class Route:
    """`path` is under `/api/v1`; `status` is what a success answers with."""

    method: str
    path: str
    endpoint: Endpoint
    status: int = 200
