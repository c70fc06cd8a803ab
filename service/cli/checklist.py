"""`coverd checklist`: the guide's seven points (section 6), each proved against the configured vendors.

It makes a contractor, a job, a quote, a session, an assignment and a certificate of its own at
1099Policy with the very client the service uses, reads each back and compares. What only a person can
do at the real vendor (opting in, reviewing a certificate) the sandbox's control does for it; there the
point stays open and says what is missing.
"""

import hashlib
import hmac
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson

from domain import effects as x
from domain.errors import CoverdError
from domain.mapping import map_engagement
from domain.values import Pay, Person, Terms, Window
from service.cli.ask import authorization, service_url
from service.cli.terminal import FAILED, end, put, put_json, say
from service.clients.ten99policy import Ten99Policy
from service.config import EXAMPLE, Config, ConfigFile
from service.demo.driver import Peer
from service.settings import SANDBOX, Settings, is_loopback, read
from service.sources import TEN99POLICY

DAY = timedelta(days=1)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the checklist: what it asks, whether it held, and what was seen."""

    point: str
    passed: bool
    evidence: str


class Open(Exception):
    """A point that cannot be proved now, with what is missing."""


@dataclass(slots=True)
class Bench:
    """What the points hand on to each other."""

    client: Ten99Policy
    config: Config
    settings: Settings
    service: Peer
    control: Peer | None
    run_id: str
    starts_at: int
    ends_at: int
    ids: dict[str, str] = field(default_factory=dict)

    def key(self, step: str) -> str:
        return f"checklist-{self.run_id}-{step}"

    def need(self, name: str) -> str:
        if name not in self.ids:
            raise Open(f"no {name}: an earlier point failed")
        return self.ids[name]


def settings_of(environment: Mapping[str, str], upwork_port: int, ten99policy_port: int) -> Settings:
    """The environment's settings; with no vendor settings at all, the sandboxes on this machine."""
    given = dict(environment)
    if not any(given.get(name) or given.get(f"{name}_FILE") for name in SANDBOX):
        say("No vendor settings: asking the sandboxes on this machine.")
        given |= SANDBOX
        given.setdefault("COVERD_UPWORK_URL", f"http://127.0.0.1:{upwork_port}")
        given.setdefault("COVERD_TEN99POLICY_URL", f"http://127.0.0.1:{ten99policy_port}")
    return read(given, need=frozenset({"vendors"}))


async def run(upwork_port: int, ten99policy_port: int, as_json: bool, url: str | None) -> None:
    settings = settings_of(os.environ, upwork_port, ten99policy_port)
    config = ConfigFile(settings.config, EXAMPLE)()
    async with aiohttp.ClientSession() as session:
        bench = _bench(session, settings, config, url)
        await _unless_paused(bench.service)
        points = [await _prove(bench, text, proof) for text, proof in POINTS]
    if as_json:
        put_json([asdict(point) for point in points])
    else:
        for number, point in enumerate(points, 1):
            put(f"{'pass' if point.passed else 'FAIL'}  {number}. {point.point}\n      {point.evidence}")
    if not all(point.passed for point in points):
        raise SystemExit(FAILED)


def _bench(session: aiohttp.ClientSession, settings: Settings, config: Config, url: str | None) -> Bench:
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    vendor = settings.ten99policy.url
    fake = is_loopback(vendor.partition("//")[2].partition(":")[0])
    return Bench(
        client=Ten99Policy(session, settings.ten99policy),
        config=config,
        settings=settings,
        service=Peer(session, service_url(url), authorization("read")),
        control=Peer(session, vendor) if fake else None,
        run_id=f"{time.time_ns():x}",
        starts_at=int(tomorrow.timestamp()),
        ends_at=int((tomorrow + 90 * DAY).timestamp()),
    )


async def _unless_paused(service: Peer) -> None:
    """Nobody asks a vendor that a person wants left alone; a service that does not answer cannot say so."""
    try:
        vendors = (await service.get("/v1/vendors"))["items"]
    except (CoverdError, aiohttp.ClientError, TimeoutError):
        return
    for vendor in vendors:
        if vendor["vendor"] == TEN99POLICY and (pause := vendor["pause"]):
            end(f"1099Policy is paused by {pause['actor']}: {pause['reason']}. Resume it first.")


async def _prove(bench: Bench, text: str, proof: Callable[[Bench], Awaitable[str]]) -> Point:
    try:
        return Point(text, True, await proof(bench))
    except (Open, AssertionError) as missing:
        return Point(text, False, str(missing))
    except (CoverdError, aiohttp.ClientError, TimeoutError) as error:
        return Point(text, False, f"{type(error).__name__}: {error}")


def _same(what: str, wanted: Any, found: Any) -> None:
    if wanted != found:
        raise Open(f"{what} should be {wanted!r} and reads {found!r}")


async def contractor(bench: Bench) -> str:
    freelancer = f"fl_check_{bench.run_id}"
    terms = Terms(
        title="Checklist",
        description="A run of the testing checklist",
        pay=Pay("hourly", "75.00"),
        category=next(iter(bench.config.rules.categories), None),
        starts_at=bench.starts_at,
        ends_at=bench.ends_at,
        person=Person(display_name="Ava Nguyen", country="US", region="CA", city="San Francisco"),
    )
    client_id = next((c for c in bench.config.rules.clients if c != "*"), None)
    mapped = map_engagement(f"check-{bench.run_id}", freelancer, client_id, terms, None, bench.config.rules)
    if mapped.contractor is None or mapped.job is None:
        raise Open("; ".join(f"{hold.message} {hold.fix}" for hold in mapped.holds))
    made = await bench.client.create_contractor(freelancer, mapped.contractor, bench.key("contractor"))
    found = await bench.client.find_contractor(mapped.contractor.email)
    _same("the contractor found by its e-mail", made["id"], (found or {}).get("id"))
    bench.ids["contractor"] = str(made["id"])
    job = await bench.client.create_job(
        f"check-{bench.run_id}", mapped.job, bench.key("job"), send_region=False
    )
    bench.ids["job"] = str(job["id"])
    bench.ids["wage"] = str(mapped.job.wage)
    return f"{made['id']} was created with a proxy e-mail and found again by it"


async def job(bench: Bench) -> str:
    found = await bench.client.read(f"/jobs/{bench.need('job')}")
    _same("wage", int(bench.ids["wage"]), found.get("wage"))
    _same("wage_type", "hourly", found.get("wage_type"))
    metadata = found.get("custom_metadata") or {}
    _same("custom_metadata.engagement_id", f"check-{bench.run_id}", metadata.get("engagement_id"))
    return f"{found['id']} reads back wage {found['wage']} cents hourly and its engagement id"


async def quote(bench: Bench) -> str:
    effect = x.CreateQuote(
        f"check-{bench.run_id}",
        bench.need("contractor"),
        bench.need("job"),
        bench.config.rules.coverage_types,
        Window(bench.starts_at, bench.ends_at),
    )
    made = await bench.client.create_quote(
        effect, bench.key("quote"), effective_date=bench.starts_at, end_date=bench.ends_at
    )
    found = await bench.client.read(f"/quotes/{made['id']}")
    _same("effective_date", bench.starts_at, found.get("effective_date"))
    _same("end_date", bench.ends_at, found.get("end_date"))
    bench.ids["quote"] = str(made["id"])
    return f"{made['id']} reads back {bench.starts_at} to {bench.ends_at}"


async def application(bench: Bench) -> str:
    made = await bench.client.open_session(
        f"check-{bench.run_id}", bench.need("quote"), {}, bench.key("session")
    )
    if bench.control is None:
        raise Open(f"open {made.get('url')} and opt in; the real vendor has no other way to finish it")
    await bench.control.post(f"/_control/sessions/{made['id']}/complete")
    found = await bench.client.read(f"/apply/sessions/{made['id']}")
    _same("the session's step", "application_complete", found.get("step"))
    policies = await bench.client.policies_of(bench.need("contractor"))
    bound = [p for p in policies if p.get("quote") == bench.need("quote") and p.get("status") == "active"]
    if not bound:
        raise Open("the session is complete but no active policy is bound to its quote")
    bench.ids["policy"] = str(bound[0]["id"])
    return f"{made['id']} is complete and bound {bound[0]['id']}, which is active"


async def assignment(bench: Bench) -> str:
    bench.need("policy")
    effect = x.CreateAssignment(
        f"check-{bench.run_id}",
        bench.need("contractor"),
        bench.need("job"),
        bench.config.rules.coverage_types,
        Window(bench.starts_at, bench.ends_at),
    )
    made = await bench.client.create_assignment(
        effect, bench.key("assignment"), effective_date=bench.starts_at, end_date=bench.ends_at
    )
    found = await bench.client.read(f"/assignments/{made['id']}")
    _same("effective_date", bench.starts_at, found.get("effective_date"))
    _same("end_date", bench.ends_at, found.get("end_date"))
    _same("eligible.result", True, (found.get("eligible") or {}).get("result"))
    return f"{made['id']} is eligible and runs exactly as long as the contract"


async def webhook(bench: Bench) -> str:
    target = f"{bench.service.url}/webhooks/1099policy"
    registered = await bench.client.read("/webhook_endpoints")
    listed = registered.get("data", []) if isinstance(registered, dict) else registered
    here = [row for row in listed if row.get("url") == target]
    if not here:
        await bench.client.register_webhook(target, bench.key("webhook"))
        registered = await bench.client.read("/webhook_endpoints")
        listed = registered.get("data", []) if isinstance(registered, dict) else registered
        here = [row for row in listed if row.get("url") == target]
    if not here:
        raise Open(f"{target} is not among the registered endpoints")
    body = orjson.dumps(
        {
            "id": f"ev_check_{bench.run_id}",
            "type": "application.created",
            "created": int(time.time()),
            "data": {"id": f"ias_check_{bench.run_id}", "object": "application"},
        }
    )
    refused = await bench.service.raw_post("/webhooks/1099policy", body, {})
    _same("the answer to an unsigned delivery", 401, refused)
    taken = await bench.service.raw_post("/webhooks/1099policy", body, signature(bench.settings, body))
    _same("the answer to a signed delivery", 202, taken)
    return f"{here[0].get('id', 'the endpoint')} is registered; unsigned is refused, signed is stored"


def signature(settings: Settings, body: bytes) -> dict[str, str]:
    """Sign a delivery of our own as 1099Policy would. Raises `Open` for schemes it does not use."""
    proof = settings.ten99policy.proof
    secret = proof.secrets[0].reveal()
    if proof.scheme != "t-v1":
        raise Open(f"the checklist signs with t-v1 only, and {proof.scheme} is configured")
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {proof.header: f"t={stamp},v1={digest}"}


async def certificate(bench: Bench) -> str:
    made = await bench.client.upload_certificate(
        f"check-{bench.run_id}", bench.need("contractor"), "checklist.pdf", PDF, bench.key("certificate")
    )
    if bench.control is None:
        raise Open(
            f"{made['id']} is uploaded and {made.get('status')}; its review takes a minute or a person"
        )
    await bench.control.post(f"/_control/certificates/{made['id']}/approve")
    found = await bench.client.read(f"/files/certificates/{made['id']}")
    _same("the certificate's status", "approved", found.get("status"))
    return f"{made['id']} was uploaded and is approved"


POINTS: tuple[tuple[str, Callable[[Bench], Awaitable[str]]], ...] = (
    ("Contractor created with valid proxy email if needed", contractor),
    ("Job created with wage and metadata", job),
    ("Quote created successfully with correct dates", quote),
    ("Application Session completes and binds coverage", application),
    ("Assignment aligns with contract window", assignment),
    ("Webhook endpoint registered and verified", webhook),
    ("Certificate upload validated", certificate),
)
