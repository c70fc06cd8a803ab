"""What the sandbox remembers. Values a test may spoil on purpose are kept as they came, hence `Any`."""

from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["PENDING", "ACTIVE", "PAUSED", "CLOSED"]
Window = Literal["open", "tomorrow", "fixed"]
Grant = Literal["client_credentials", "authorization_code"]


@dataclass
class Pay:
    """`amount` is a JSON number or decimal text; anything else is shown unchanged."""

    amount: Any
    currency: Any = "USD"


@dataclass
class Attachment:
    """With `hosted` the sandbox serves the file itself and makes the URL when it is asked."""

    id: str
    file_name: Any
    content_type: Any
    url: Any = None
    hosted: bool = False


@dataclass
class Freelancer:
    """`location` is {country, region, locality} as the guide has it, or null."""

    id: str
    display_name: Any
    first_name: Any = None
    last_name: Any = None
    email: Any = None
    location: Any = None


@dataclass
class Contract:
    """`category` is {name} or None; `starts`/`ends` are a date text, a date-time text or epoch seconds.

    `accepted` says whether the freelancer took the offer. `window` is open until somebody looks at the seeded
    contract, then it says where its dates came from (seed.py).
    """

    id: str
    term_id: str
    offer_id: str
    job_id: str
    client_id: str | None
    freelancer_id: str
    title: Any
    description: Any
    hourly_rate: Pay | None
    fixed_budget: Pay | None
    category: dict[str, Any] | None
    starts: Any
    ends: Any
    attachments: list[Attachment] | None
    created_at: float
    modified_at: float
    status: Status = "PENDING"
    accepted: bool = False
    window: Window = "fixed"


@dataclass
class HostedFile:
    content: bytes
    content_type: str


@dataclass
class AccessToken:
    grant: Grant
    expires_at: float


@dataclass
class RefreshToken:
    expires_at: float


@dataclass
class Code:
    """An authorization code: single use, 10 minutes (fact sheet 2.4)."""

    redirect_uri: str
    expires_at: float
    challenge: str | None = None
    challenge_method: str = "plain"


@dataclass
class UnsentEvent:
    """A webhook that was still on its way when the state was saved."""

    id: str
    type: str
    body: dict[str, Any]


@dataclass
class State:
    """Everything that survives a restart."""

    contracts: dict[str, Contract] = field(default_factory=dict)
    freelancers: dict[str, Freelancer] = field(default_factory=dict)
    files: dict[str, HostedFile] = field(default_factory=dict)
    access_tokens: dict[str, AccessToken] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    people_made: int = 0
    clock_ahead_by: float | None = None
    unsent: list[UnsentEvent] = field(default_factory=list)
