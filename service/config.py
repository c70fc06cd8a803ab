"""The mapping rules from a TOML file, read again whenever the file changes."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

import structlog

from domain.errors import CoverdError
from domain.rules import Rules, fold
from domain.values import Patience
from service.ingest.translate import is_known

log = structlog.get_logger("coverd.config")

COVERAGE_TYPES = ("general", "professional", "workers-comp", "media", "cyber")
"""1099Policy fact sheet, section 2."""

EXAMPLE: Mapping[str, Any] = {
    "clients": {"*": "en_abc123"},
    "categories": {"Web, Mobile & Software Dev": "SOFTWARE_ENGINEERING_CONTRACT"},
    "quote": {"coverage_types": ["general"], "default_term_days": 90},
    "contractor": {"proxy_email_domain": "relay.yourdomain.com"},
    "job": {"name": "Contract {id} — {title}"},
    "session": {
        "success_url": "https://your.app/contracts/{engagement_id}?coverage=active",
        "cancel_url": "https://your.app/contracts/{engagement_id}?coverage=canceled",
    },
}
"""What `coverd up` uses when no file is given: the guide's own example."""


class ConfigRefused(CoverdError):
    """The configuration file {path} cannot be used:
    {faults}"""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the TOML file may say. ``aliases``: another event name → one the guide uses."""

    rules: Rules = field(default_factory=Rules)
    aliases: Mapping[str, str] = field(default_factory=dict)
    attachment_hosts: tuple[str, ...] = ()
    send_job_region: bool = False


_KNOWN = {
    "clients": None,
    "categories": None,
    "aliases": None,
    "quote": {"coverage_types", "default_term_days", "renewal_days"},
    "deadlines": {"opt_in_days", "review_hours", "expiry_days"},
    "contractor": {"proxy_email_domain"},
    "job": {"name", "send_region"},
    "session": {"success_url", "cancel_url"},
    "attachments": {"allowed_hosts"},
}


def parse(document: Mapping[str, Any], path: object = "example") -> Config:
    """Check every value. Raises `ConfigRefused` naming all faults."""
    faults = [*_unknown(document), *_wrong(document)]
    if faults:
        raise ConfigRefused(path=path, faults="\n    ".join(faults))
    quote, session = document.get("quote", {}), document.get("session", {})
    rules = Rules(
        clients=document.get("clients", {}),
        categories=document.get("categories", {}),
        coverage_types=tuple(quote.get("coverage_types", ("general",))),
        default_term_days=quote.get("default_term_days", 90),
        proxy_email_domain=document.get("contractor", {}).get("proxy_email_domain"),
        patience=_patience(document),
        job_name=document.get("job", {}).get("name", "{title}"),
        success_url=session.get("success_url"),
        cancel_url=session.get("cancel_url"),
    )
    return Config(
        rules=rules,
        aliases=document.get("aliases", {}),
        attachment_hosts=tuple(document.get("attachments", {}).get("allowed_hosts", ())),
        send_job_region=document.get("job", {}).get("send_region", False),
    )


def _patience(document: Mapping[str, Any]) -> Patience:
    told, usual = document.get("deadlines", {}), Patience()
    return Patience(
        opt_in_days=told.get("opt_in_days", usual.opt_in_days),
        review_hours=told.get("review_hours", usual.review_hours),
        expiry_days=tuple(told.get("expiry_days", usual.expiry_days)),
        renewal_days=document.get("quote", {}).get("renewal_days", usual.renewal_days),
    )


def _unknown(document: Mapping[str, Any]) -> list[str]:
    faults = [f"[{name}] is not a section coverd knows." for name in document if name not in _KNOWN]
    for section, keys in _KNOWN.items():
        table = document.get(section, {})
        if not isinstance(table, Mapping):
            faults.append(f"{section} must be a table.")
        elif keys is None:
            faults += [f'{section}."{k}" must be text.' for k, v in table.items() if not _text(v)]
            faults += [f'{section}."{k}" has blanks around it.' for k, v in table.items() if _blanks(k, v)]
            faults += _leading_nowhere(table) if section == "aliases" else []
            faults += _leading_apart(table) if section == "categories" else []
        else:
            faults += [f"[{section}] has no setting {key}." for key in table if key not in keys]
    return faults


def _leading_nowhere(aliases: Mapping[str, Any]) -> list[str]:
    return [
        f'aliases."{name}" leads to {event}, which is no event coverd knows.'
        for name, event in aliases.items()
        if _text(event) and not is_known(event)
    ]


def _leading_apart(categories: Mapping[str, Any]) -> list[str]:
    """One category under two spellings that are compared as one, with different codes."""
    alike: dict[str, list[str]] = {}
    for name in categories:
        alike.setdefault(fold(name), []).append(name)
    return [
        f"categories names {' and '.join(repr(n) for n in names)}, which are one, with different codes."
        for names in alike.values()
        if len({str(categories[name]) for name in names}) > 1
    ]


_NUMBERS = (
    ("quote", "default_term_days", 365),
    ("quote", "renewal_days", 90),
    ("deadlines", "opt_in_days", 365),
    ("deadlines", "review_hours", 8760),
)


def _whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value.strip())


def _blanks(*texts: object) -> bool:
    return any(_text(text) and text != text.strip() for text in texts)


_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.IGNORECASE)
"""As it stands in an e-mail address."""


def _wrong(document: Mapping[str, Any]) -> list[str]:
    def of(section: str, key: str) -> Any:
        table = document.get(section)
        return table.get(key) if isinstance(table, Mapping) else None

    faults = []
    types = of("quote", "coverage_types")
    if types is not None and (
        not isinstance(types, list) or not types or any(t not in COVERAGE_TYPES for t in types)
    ):
        faults.append(f"quote.coverage_types must list one or more of {', '.join(COVERAGE_TYPES)}.")
    for section, key, most in _NUMBERS:
        number = of(section, key)
        if number is not None and not _whole(number, most):
            faults.append(f"{section}.{key} must be a whole number from 1 to {most}.")
    days = of("deadlines", "expiry_days")
    if days is not None and (not isinstance(days, list) or not all(_whole(d, 365) for d in days)):
        faults.append("deadlines.expiry_days must list whole numbers of days from 1 to 365.")
    for key in ("success_url", "cancel_url"):
        url = of("session", key)
        if _text(url) and not url.startswith(("https://", "http://")):
            faults.append(f"session.{key} must begin with https:// or http://.")
    for section, key in (
        ("contractor", "proxy_email_domain"),
        ("job", "name"),
        ("session", "success_url"),
        ("session", "cancel_url"),
    ):
        if of(section, key) is not None and not _text(of(section, key)):
            faults.append(f"{section}.{key} must be text.")
    domain = of("contractor", "proxy_email_domain")
    if _text(domain) and not _DOMAIN.fullmatch(domain):
        faults.append("contractor.proxy_email_domain must be a domain such as relay.yourdomain.com.")
    hosts = of("attachments", "allowed_hosts")
    if hosts is not None and (not isinstance(hosts, list) or not all(_text(h) for h in hosts)):
        faults.append("attachments.allowed_hosts must be a list of host names.")
    if type(of("job", "send_region")) not in (type(None), bool):
        faults.append("job.send_region must be true or false.")
    return faults


Stamp = tuple[int, int, int]
"""What tells one version of a file from another: time, size and inode."""


class ConfigFile:
    """The configuration now: a mended file counts from the next look on, without a restart.

    A file that has become unreadable keeps the last good configuration; ``fault`` says what is wrong, and
    the log once for each version of the file. Raises `ConfigRefused` where there never was a good one.
    """

    def __init__(self, path: Path | None, otherwise: Mapping[str, Any]) -> None:
        self._path = path
        self._stamp: Stamp | None = None
        self.fault: str | None = None
        self._config = parse(otherwise) if path is None else self._load(path)

    def __call__(self) -> Config:
        if self._path is not None and self._stamp_now() != self._stamp:
            try:
                self._config = self._load(self._path)
                self.fault = None
            except ConfigRefused as error:
                self.fault = str(error)
                log.warning("the configuration file is broken; the last good one stays", fault=self.fault)
        return self._config

    def rules(self) -> Rules:
        return self().rules

    def _stamp_now(self) -> Stamp | None:
        try:
            seen = self._path.stat() if self._path else None
        except OSError:
            return None
        return (seen.st_mtime_ns, seen.st_size, seen.st_ino) if seen else None

    def _load(self, path: Path) -> Config:
        self._stamp = self._stamp_now()  # before reading: what is written meanwhile is read next time
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigRefused(path=path, faults=error.strerror or type(error).__name__) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigRefused(path=path, faults=error) from None
        return parse(document, path)
