"""Settings from the environment, every fault reported at once, secrets never shown.

Each secret ``COVERD_X`` may instead be given as ``COVERD_X_FILE``, a file that holds it.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from domain.errors import CoverdError

Dialect = Literal["guide", "reference"]
SCHEMES = ("token", "t-v1", "hmac-hex", "hmac-base64", "standard")
SCOPES = ("read", "operate", "audit")


class SettingsRefused(CoverdError):
    """These settings cannot be used:
    {faults}"""


class Secret:
    """A value that shows itself only to code that asks, never in a log or a traceback."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, slots=True)
class ApiToken:
    """One API token: its scope and the SHA-256 of its text."""

    scope: str
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebhookProof:
    """How deliveries of one source prove where they come from. Several secrets may live at once."""

    scheme: str
    secrets: tuple[Secret, ...]
    header: str
    dedupe_header: str = "webhook-id"
    tolerance_seconds: int = 300
    secrets_file: Path | None = field(default=None, compare=False)
    """Where the secrets were read from; it may change while the service runs."""


@dataclass(frozen=True, slots=True)
class UpworkSettings:
    """``url`` and ``token_url`` are host roots; ``/graphql`` and the token path are added."""

    url: str
    token_url: str
    client_id: str
    client_secret: Secret
    tenant_id: str | None
    dialect: Dialect
    proof: WebhookProof


@dataclass(frozen=True, slots=True)
class Ten99PolicySettings:
    """``url`` is the host root; ``/api/v1`` is added."""

    url: str
    api_key: Secret
    environment: str
    dialect: Dialect
    proof: WebhookProof


@dataclass(frozen=True, slots=True)
class Settings:
    database_url: Secret | None
    data_dir: Path
    postgres_bin: Path | None
    host: str
    port: int
    api_tokens: tuple[ApiToken, ...]
    config: Path | None
    workers: int
    upwork: UpworkSettings
    ten99policy: Ten99PolicySettings
    rate: int = 30_000
    """Requests a minute that one API token may make of one process; 0: without a limit."""
    poll_seconds: int = 300
    """How often each vendor is asked beside its webhooks; 0: never."""
    silence_seconds: int = 3600
    """How long a vendor may leave that unanswered before what it would say is unknown."""
    metrics_port: int | None = None
    """Where a worker answers /livez, /readyz and /metrics; None: nowhere."""
    sandboxed: frozenset[str] = field(default_factory=frozenset)
    """Which vendors (``upwork``, ``1099policy``) are ours to fake in `coverd up`."""


def secrets_in(text: str) -> tuple[Secret, ...]:
    """Secrets separated by commas or lines, as they stand in a setting or a file."""
    return tuple(Secret(s.strip()) for s in text.replace("\n", ",").split(",") if s.strip())


UPWORK_API = "https://api.upwork.com"
UPWORK_SITE = "https://www.upwork.com"
TEN99POLICY_API = "https://api.1099policy.com"

PREFIX = {"upwork": "COVERD_UPWORK", "1099policy": "COVERD_TEN99POLICY"}
"""How the names of a vendor's settings begin."""

SANDBOX = {
    "COVERD_UPWORK_CLIENT_ID": "sandbox-client",
    "COVERD_UPWORK_CLIENT_SECRET": "sandbox-secret",
    "COVERD_UPWORK_WEBHOOK_SECRETS": "upwork-sandbox-token",
    "COVERD_TEN99POLICY_API_KEY": "t9k_test_sandbox",
    "COVERD_TEN99POLICY_WEBHOOK_SECRETS": "whsec_sandbox",
}
"""What the sandboxes are set up with (contract section 6)."""


def read(environment: Mapping[str, str], *, need: frozenset[str] = frozenset()) -> Settings:
    """Read every setting, or raise `SettingsRefused` naming each fault.

    ``need`` names what this command cannot do without: ``database``, ``vendors``.
    """
    reader = _Reader(environment)
    settings = Settings(
        database_url=reader.database("COVERD_DATABASE_URL"),
        data_dir=Path(reader.text("COVERD_DATA_DIR") or ".coverd"),
        postgres_bin=reader.path("COVERD_POSTGRES_BIN"),
        host=reader.text("COVERD_HOST") or "127.0.0.1",
        port=reader.number("COVERD_PORT", 8080, 0, 65535),
        api_tokens=reader.tokens("COVERD_API_TOKENS"),
        config=reader.path("COVERD_CONFIG"),
        workers=reader.number("COVERD_WORKERS", 16, 1, 1024),
        upwork=_upwork(reader),
        ten99policy=_ten99policy(reader),
        rate=reader.number("COVERD_RATE_PER_MINUTE", 30_000, 0, 100_000_000),
        poll_seconds=reader.number("COVERD_POLL_SECONDS", 300, 0, 86_400),
        silence_seconds=reader.number("COVERD_SILENCE_SECONDS", 3600, 1, 30 * 86_400),
        metrics_port=reader.number("COVERD_METRICS_PORT", 0, 0, 65535) or None,
    )
    if "database" in need and settings.database_url is None:
        reader.fault("COVERD_DATABASE_URL is not set: give the Postgres URL this command is to use.")
    if "vendors" in need:
        for name in (*unset(settings, "upwork"), *unset(settings, "1099policy")):
            reader.fault(f"{name} is not set.")
    if settings.database_url is None and not settings.api_tokens and not is_loopback(settings.host):
        reader.fault(unguarded(settings.host))
    if reader.faults:
        raise SettingsRefused(faults="\n    ".join(reader.faults))
    return settings


def _upwork(reader: "_Reader") -> UpworkSettings:
    given = reader.url("COVERD_UPWORK_URL")
    return UpworkSettings(
        url=given or UPWORK_API,
        token_url=given if given and given != UPWORK_API else UPWORK_SITE,
        client_id=reader.text("COVERD_UPWORK_CLIENT_ID") or "",
        client_secret=reader.secret("COVERD_UPWORK_CLIENT_SECRET") or Secret(""),
        tenant_id=reader.text("COVERD_UPWORK_TENANT_ID"),
        dialect=reader.dialect("COVERD_UPWORK_DIALECT"),
        proof=reader.proof("COVERD_UPWORK", "token", "X-Upwork-Webhook-Token"),
    )


def _ten99policy(reader: "_Reader") -> Ten99PolicySettings:
    return Ten99PolicySettings(
        url=reader.url("COVERD_TEN99POLICY_URL") or TEN99POLICY_API,
        api_key=reader.secret("COVERD_TEN99POLICY_API_KEY") or Secret(""),
        environment=reader.choice("COVERD_TEN99POLICY_ENVIRONMENT", ("sandbox", "production")),
        dialect=reader.dialect("COVERD_TEN99POLICY_DIALECT"),
        proof=reader.proof("COVERD_TEN99POLICY", "t-v1", "Ten99Policy-Signature"),
    )


def unset(settings: Settings, vendor: str) -> tuple[str, ...]:
    """Names of what a vendor (``upwork``, ``1099policy``) cannot do without and that is not set."""
    wanted: Mapping[str, object] = {
        "COVERD_UPWORK_CLIENT_ID": settings.upwork.client_id,
        "COVERD_UPWORK_CLIENT_SECRET": settings.upwork.client_secret,
        "COVERD_UPWORK_WEBHOOK_SECRETS": settings.upwork.proof.secrets,
        "COVERD_TEN99POLICY_API_KEY": settings.ten99policy.api_key,
        "COVERD_TEN99POLICY_WEBHOOK_SECRETS": settings.ten99policy.proof.secrets,
    }
    return tuple(name for name, value in wanted.items() if not value and name.startswith(PREFIX[vendor]))


def unguarded(host: str) -> str:
    """The fault of serving others while nobody has a key to the door, in the environment or stored."""
    return (
        f"COVERD_HOST is {host}, which others can reach, and there is no API token: run coverd token create, "
        "set COVERD_API_TOKENS, or serve 127.0.0.1."
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_postgres(url: str) -> bool:
    """Whether a driver could read it: there may be several hosts, each with a port of its own."""
    try:
        given = urlsplit(url)
    except ValueError:
        return False
    hosts = given.netloc.rpartition("@")[2].split(",")
    ports = [host.rpartition("]")[2].partition(":")[2] for host in hosts]
    return given.scheme in ("postgresql", "postgres") and all(port.isdecimal() for port in ports if port)


def _host_root(value: str) -> SplitResult | None:
    """A URL that names a scheme, a host and at most a port; None for any other."""
    try:
        parts = urlsplit(value)
        _ = parts.port  # reading it is what checks it
    except ValueError:
        return None
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    return parts if parts.scheme in ("https", "http") and parts.hostname and not more else None


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.faults: list[str] = []

    def fault(self, sentence: str) -> None:
        self.faults.append(sentence)

    def text(self, name: str) -> str | None:
        value = self._environment.get(name, "").strip()
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fault(f"{name} is not UTF-8 text.")
            return None
        return value or None

    def secret(self, name: str) -> Secret | None:
        value, file = self.text(name), self.text(f"{name}_FILE")
        if value and file:
            self.fault(f"{name} and {name}_FILE are both set: keep one.")
        if file is None:
            return Secret(value) if value else None
        try:
            held = Path(file).read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            self.fault(f"{name}_FILE cannot be read: {getattr(error, 'strerror', None) or 'not text'}.")
            return None
        if not held:
            self.fault(f"{name}_FILE names an empty file.")
        return Secret(held) if held else None

    def database(self, name: str) -> Secret | None:
        url = self.secret(name)
        if url and not _is_postgres(url.reveal()):
            self.fault(
                f"{name} must be a Postgres URL such as postgresql://user@host/database; "
                "in a password write / as %2F, @ as %40, : as %3A, ? as %3F, # as %23."
            )
        return url

    def path(self, name: str) -> Path | None:
        value = self.text(name)
        path = Path(value) if value else None
        if path and not path.exists():
            self.fault(f"{name} names {path}, which does not exist.")
        return path

    def number(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            self.fault(f"{name} must be a whole number from {low} to {high}.")
            return default
        return int(value)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.text(name) or choices[0]
        if value not in choices:
            self.fault(f"{name} must be one of {', '.join(choices)}.")
        return value

    def dialect(self, name: str) -> Dialect:
        return "reference" if self.choice(name, ("guide", "reference")) == "reference" else "guide"

    def url(self, name: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        parts = _host_root(value)
        if parts is None:
            self.fault(f"{name} must be a host root such as https://api.example.com, without a path.")
            return None
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            self.fault(f"{name} must use https: plain http is for loopback only.")
        return f"{parts.scheme}://{parts.netloc.lower()}"

    def proof(self, prefix: str, scheme: str, header: str) -> WebhookProof:
        chosen = self.text(f"{prefix}_WEBHOOK_SCHEME") or scheme
        if chosen not in SCHEMES:
            self.fault(f"{prefix}_WEBHOOK_SCHEME must be one of {', '.join(SCHEMES)}.")
        secrets = self.secret(f"{prefix}_WEBHOOK_SECRETS")
        file = self.text(f"{prefix}_WEBHOOK_SECRETS_FILE")
        standard = chosen == "standard"
        return WebhookProof(
            scheme=chosen,
            secrets=secrets_in(secrets.reveal() if secrets else ""),
            secrets_file=Path(file) if file else None,
            header=self.text(f"{prefix}_WEBHOOK_HEADER") or ("webhook-signature" if standard else header),
            dedupe_header=self.text(f"{prefix}_WEBHOOK_ID_HEADER") or "webhook-id",
        )

    def tokens(self, name: str) -> tuple[ApiToken, ...]:
        given = self.secret(name)
        tokens = []
        for pair in (given.reveal() if given else "").replace("\n", ",").split(","):
            scope, token = (part.strip() for part in pair.partition(":")[::2])
            if not pair.strip():
                continue
            if scope not in SCOPES or not token:
                self.fault(
                    f"{name} takes scope:TOKEN pairs; scopes are {', '.join(SCOPES)}; e.g. read:TOKEN."
                )
                continue
            tokens.append(ApiToken(scope, sha256(token.encode()).digest()))
        return tuple(tokens)
