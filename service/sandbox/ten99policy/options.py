"""How a 1099Policy sandbox is set up."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Dialect = Literal["both", "guide", "reference"]


@dataclass(frozen=True)
class Ten99PolicyOptions:
    """What a sandbox is started with.

    `callback` is the base URL that `/webhooks/1099policy` is added to. `dialect`: `guide` and `reference`
    refuse each other's field shapes, `both` takes either; it also chooses the names of the events the
    sources disagree on (fact sheet 10, rows 14 and 15). `application_events` adds `application.created`,
    `.complete` and `.expired` to what is emitted. More than one `delivery_lanes` sends webhooks of different
    contractors side by side.
    """

    api_keys: tuple[str, ...] = ("t9k_test_sandbox",)
    callback: str | None = None
    webhook_secret: str = "whsec_sandbox"
    dialect: Dialect = "both"
    state_path: Path | None = None
    retry_base_seconds: float = 1.0
    entities: tuple[tuple[str, str], ...] = (("en_abc123", "Example Client"),)
    application_events: bool = False
    delivery_lanes: int = 1
    save_every_seconds: float = 1.0

    def webhook_url(self) -> str | None:
        return self.callback.rstrip("/") + WEBHOOK_PATH if self.callback else None


WEBHOOK_PATH = "/webhooks/1099policy"
