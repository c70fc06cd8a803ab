"""What a run of the Upwork sandbox can be told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# "reference" hides what only the guide has, "guide" hides the reference's own roots (fact sheet 6.2).
Dialect = Literal["both", "guide", "reference"]


@dataclass(frozen=True)
class UpworkOptions:
    """Lifetimes are seconds (fact sheet 2.2); `callback` is a base URL, `/webhooks/upwork` is added.

    `state_path` makes a restarted sandbox remember everything. `rate_limit` is (a second, a minute) for each
    client address and only counts with `enforce_limits` (fact sheet 5).
    """

    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"
    callback: str | None = None
    webhook_token: str = "upwork-sandbox-token"
    dialect: Dialect = "both"
    state_path: Path | None = None
    retry_base_seconds: float = 1.0
    webhook_lanes: int = 1
    enforce_limits: bool = False
    rate_limit: tuple[int, int] = (10, 300)
    access_token_seconds: int = 86_400
    refresh_token_seconds: int = 14 * 86_400
    code_seconds: int = 600
