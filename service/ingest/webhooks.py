"""POST /webhooks/…: prove, commit, answer. 2xx is sent only after the delivery is in the store."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Literal

import orjson
from aiohttp import web

from service.api.problems import Problem
from service.api.reading import as_it_is, whole_body
from service.clock import Clock
from service.ingest.process import Processor
from service.ingest.signatures import Claim, Verdict, claimed, verify
from service.metrics import Metrics
from service.ports import Delivery, Store
from service.settings import WebhookProof
from service.store.deadline import promptly
from service.store.errors import StoreUnavailable

MAX_BODY = 256 * 1024
MAX_ID = 200

ANSWER_SECONDS = 0.8
"""How long a sender waits for the store at most; then it is told to come again."""

UNCONFIRMED = 10_000
"""How many deliveries whose senders were told so are remembered until they come again."""

Source = Literal["upwork", "1099policy"]


class Webhooks:
    """The two ingestion routes."""

    def __init__(
        self,
        store: Store,
        processor: Processor,
        proofs: dict[Source, WebhookProof],
        clock: Clock,
        metrics: Metrics,
        heard: Callable[[str], None] = lambda _source: None,
    ) -> None:
        self._store = store
        self._processor = processor
        self._proofs = proofs
        self._clock = clock
        self._metrics = metrics
        self._heard = heard
        self._unconfirmed: dict[tuple[str, str], None] = {}

    def use(self, source: Source, proof: WebhookProof) -> None:
        """From now on deliveries of ``source`` prove themselves by this: its secrets were changed."""
        self._proofs[source] = proof

    async def upwork(self, request: web.Request) -> web.Response:
        return await self._receive(request, "upwork")

    async def ten99policy(self, request: web.Request) -> web.Response:
        return await self._receive(request, "1099policy")

    async def _receive(self, request: web.Request, source: Source) -> web.Response:
        try:
            delivery = await self._proven(request, source)
            delivery_id, new = await self._kept(delivery)
        except Problem as problem:
            self._metrics.deliveries.labels(source, str(problem.status)).inc()
            raise
        except StoreUnavailable:
            self._metrics.deliveries.labels(source, "503").inc()
            raise
        self._heard(source)
        if new:
            self._processor.soon(delivery_id)
        self._metrics.deliveries.labels(source, "stored" if new else "duplicate").inc()
        body = {"delivery": delivery_id, "duplicate": not new}
        return web.Response(
            status=202 if new else 200, body=orjson.dumps(body), content_type="application/json"
        )

    async def _kept(self, delivery: Delivery) -> tuple[str, bool]:
        """Its id, and whether its sender hears for the first time that it is here.

        Raises `StoreUnavailable`.
        """
        key = delivery.source, delivery.dedupe
        try:
            delivery_id, new = await promptly(self._store.receive(delivery), ANSWER_SECONDS)
        except StoreUnavailable:
            self._unconfirmed[key] = None  # it may have been kept all the same
            if len(self._unconfirmed) > UNCONFIRMED:
                del self._unconfirmed[next(iter(self._unconfirmed))]
            raise
        unheard = key in self._unconfirmed
        self._unconfirmed.pop(key, None)
        return delivery_id, new or unheard

    async def _proven(self, request: web.Request, source: Source) -> Delivery:
        as_it_is(request)
        proof = self._proofs[source]
        if 0 < (request.content_length or 0) <= MAX_BODY:
            _believe(claimed(proof, request.headers, self._clock().timestamp()))
        body = await whole_body(request, MAX_BODY)
        if not body:
            raise Problem(400, "The body is empty.")
        now = self._clock()
        verdict = verify(proof, request.headers, body, now.timestamp())
        _believe(verdict)
        headers = {
            name: request.headers[name]
            for name in (proof.header, proof.dedupe_header, "webhook-timestamp", "Content-Type")
            if name in request.headers and not (proof.scheme == "token" and name == proof.header)
        }
        dedupe = dedupe_key(request.headers.get(proof.dedupe_header), body)
        return Delivery(
            source=source,
            dedupe=dedupe,
            body=body,
            headers={name.lower(): _kept(value) for name, value in headers.items()},
            verdict=f"{proof.scheme}: {verdict.why}",
            received_at=now,
            also=other_key(dedupe, body),
        )


def _believe(found: Verdict | Claim) -> None:
    """Refuse what is not proven, or can be seen not to be before its body is read."""
    if isinstance(found, Verdict) and not found.ok:
        raise Problem(401, f"The delivery is not proven: {found.why}.")


def dedupe_key(header_id: str | None, body: bytes) -> str:
    """Header id, else the body's own id, else the SHA-256 of the raw body (contract, section 3)."""
    if header_id and header_id.strip():
        return f"header:{_short(header_id.strip())}"
    try:
        document: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    found = document.get("id") if isinstance(document, dict) else None
    if isinstance(found, str | int) and not isinstance(found, bool) and found != "":
        return f"body:{_short(str(found))}"
    return f"sha256:{sha256(body).hexdigest()}"


def other_key(dedupe: str, body: bytes) -> str | None:
    """The key of a copy that comes without the header's id, where the body has an id of its own."""
    key = dedupe_key(None, body)
    return key if key != dedupe and key.startswith("body:") else None


def _short(text: str) -> str:
    """Ids of any length and any characters, kept within what a key may hold."""
    raw = text.encode("utf-8", "surrogateescape")
    if len(raw) <= MAX_ID and text.isprintable():
        return text
    return f"sha256-{sha256(raw).hexdigest()}"


def _kept(value: str) -> str:
    """A header's text as the store can hold it."""
    return value[:1000].encode("utf-8", "replace").decode()
