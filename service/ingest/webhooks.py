"""POST /webhooks/…: prove, commit, answer. 2xx is sent only after the delivery is in the store."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Literal

import orjson
from aiohttp import web

from service.api.problems import Problem
from service.api.reading import as_it_is, whole_body
from service.clock import Clock
from service.ingest.keeping import Keeper, Kept
from service.ingest.process import Processor
from service.ingest.signatures import Claim, Verdict, claimed, verify
from service.metrics import Metrics
from service.ports import Delivery, Store
from service.settings import WebhookProof
from service.store.errors import StoreUnavailable

MAX_BODY = 256 * 1024
MAX_ID = 200

_ANSWERS = {
    True: b'{"delivery":"%b","duplicate":false}',
    False: b'{"delivery":"%b","duplicate":true}',
}

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
        self.keeper = Keeper(store, processor)
        self._proofs = proofs
        self._worth_keeping = {source: _worth_keeping(proof) for source, proof in proofs.items()}
        self._clock = clock
        self._metrics = metrics
        self._heard = heard

    def use(self, source: Source, proof: WebhookProof) -> None:
        """From now on deliveries of ``source`` prove themselves by this: its secrets were changed."""
        self._proofs[source] = proof
        self._worth_keeping[source] = _worth_keeping(proof)

    async def upwork(self, request: web.Request) -> web.Response:
        return await self._receive(request, "upwork")

    async def ten99policy(self, request: web.Request) -> web.Response:
        return await self._receive(request, "1099policy")

    async def _receive(self, request: web.Request, source: Source) -> web.Response:
        try:
            as_it_is(request)
            if 0 < (request.content_length or 0) <= MAX_BODY:
                self._believe(
                    source, claimed(self._proofs[source], request.headers, self._clock().timestamp())
                )
            body = await whole_body(request, MAX_BODY)
        except Problem as problem:
            self._count(source, str(problem.status))
            raise
        delivery = self.proven(source, request.headers, body)
        try:
            kept = await self.keeper.kept(delivery)
        except StoreUnavailable:
            self._count(source, "503")
            raise
        status, answer = self.said(source, kept)
        return web.Response(status=status, body=answer, content_type="application/json")

    def proven(self, source: Source, sent: Mapping[str, str], body: bytes) -> Delivery:
        """The delivery as it is kept; ``sent`` are the request's headers. Raises `Problem`."""
        proof = self._proofs[source]
        now = self._clock()
        if not body:
            self._count(source, "400")
            raise Problem(400, "The body is empty.")
        verdict = verify(proof, sent, body, now.timestamp())
        if not verdict.ok:
            self._count(source, "401")
            self._believe(source, verdict)
        dedupe = dedupe_key(sent.get(proof.dedupe_header), body)
        return Delivery(
            source,
            dedupe,
            body,
            {name: _kept(sent[name]) for name in self._worth_keeping[source] if name in sent},
            f"{proof.scheme}: {verdict.why}",
            now,
            None if dedupe.startswith("body:") else other_key(dedupe, body),
        )

    def said(self, source: Source, kept: Kept) -> tuple[int, bytes]:
        """Status and body of the answer to a delivery that is committed."""
        delivery_id, new = kept
        self._heard(source)
        self._count(source, "stored" if new else "duplicate")
        return 202 if new else 200, _ANSWERS[new] % delivery_id.encode()

    def _believe(self, source: Source, found: Verdict | Claim) -> None:
        """Refuse what is not proven, or can be seen not to be before its body is read."""
        if isinstance(found, Verdict) and not found.ok:
            self._metrics.refusals.labels(source, found.code).inc()
            raise Problem(401, f"The delivery is not proven: {found.why}.")

    def _count(self, source: Source, outcome: str) -> None:
        self._metrics.delivered(source, outcome)


def _worth_keeping(proof: WebhookProof) -> tuple[str, ...]:
    """The headers that prove a delivery, small letters; never a secret."""
    names = (proof.header, proof.dedupe_header, "webhook-timestamp", "content-type")
    return tuple(name.lower() for name in names[proof.scheme == "token" :])


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
    kept = value[:1000]
    return kept if kept.isascii() else kept.encode("utf-8", "replace").decode()
