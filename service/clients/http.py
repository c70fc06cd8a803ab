"""One HTTP exchange with a vendor, sorted into what may be tried again and what may not."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import orjson

from domain.errors import CoverdError
from service.clients.discreet import discreet

TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
MAX_ANSWER = 8 * 1024 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5)


class VendorUnavailable(CoverdError):
    """{vendor} could not answer {what}: {why}"""

    def __init__(
        self,
        *,
        vendor: str,
        what: str,
        why: str,
        retry_after: float | None = None,
        status: int | None = None,
        definite: bool = False,
    ) -> None:
        super().__init__(vendor=vendor, what=what, why=why)
        self.retry_after = retry_after
        self.status = status
        self.definite = definite
        """The vendor's own application said that it failed, so the failure may be stored for the key."""
        self.plain = f"{vendor} {what}: {status or 'no answer'}"
        """What happened without the vendor's own words, which may name people: fit for a log."""
        self.counted = False
        """Whether the breaker knows of it: many who were asked for in one request fail with it once."""


class Crowded(VendorUnavailable):
    """{vendor} could not be asked for {what}: {why}"""


class VendorPaused(Crowded):
    """{vendor} is not asked, {why}: {what}"""


class Spent(Crowded):
    """{vendor} could not be asked for {what}: {why}"""


class NotThereYet(VendorUnavailable):
    """{vendor} does not show {what} yet: {why}"""


class Unusable(VendorUnavailable):
    """{vendor} did {what}, but its answer cannot be used: {why}"""


class TooLong(VendorUnavailable):
    """{vendor} could not answer {what}: {why}"""


class VendorRefused(CoverdError):
    """{vendor} refused {what}: {why}"""

    def __init__(self, *, vendor: str, what: str, why: str, status: int, code: str | None = None) -> None:
        super().__init__(vendor=vendor, what=what, why=why)
        self.status = status
        self.code = code
        self.why = why
        self.plain = f"{vendor} {what}: {status} {code or ''}".rstrip()


class CredentialsRefused(VendorRefused):
    """{vendor} refuses our credentials for {what}: {why}"""

    def __init__(
        self,
        *,
        vendor: str,
        what: str,
        why: str,
        status: int,
        code: str | None = None,
        of_all: bool = True,
    ) -> None:
        """``of_all``: nothing else will be answered either; else what they may not do is this."""
        super().__init__(vendor=vendor, what=what, why=why, status=status, code=code)
        self.of_all = of_all


@dataclass(frozen=True, slots=True)
class Answer:
    """A vendor's answer. ``json`` is None when the body is no JSON. ``unsaid`` is what its words must not
    repeat: the credentials it was asked with, and people it was told of."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any
    unsaid: tuple[str, ...] = field(default=(), repr=False)


Leave = Callable[[], Awaitable[None]]
"""Raises `VendorPaused` where a person wants a vendor left alone."""


async def always() -> None:
    """Nobody ever asked to leave it alone."""


class Http:
    """A shared aiohttp session for one vendor; TLS is always verified and redirects never followed.

    ``leave`` is asked before each request.
    """

    def __init__(self, session: aiohttp.ClientSession, vendor: str, leave: Leave = always) -> None:
        self._session = session
        self.vendor = vendor
        self._leave = leave

    def over(self, session: aiohttp.ClientSession) -> "Http":
        """The same over another session."""
        return Http(session, self.vendor, self._leave)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        json: Any = None,
        form: Mapping[str, str] | aiohttp.FormData | None = None,
        params: Mapping[str, str] | None = None,
        what: str | None = None,
        longest: int = MAX_ANSWER,
        unsaid: Collection[str] = (),
    ) -> Answer:
        """Send one request and read the whole answer, at most ``longest`` bytes.

        ``what`` names the request in errors; ``unsaid`` is what no error may repeat. Raises
        `VendorUnavailable` when no complete answer came, and `VendorPaused` when nothing was asked.
        """
        await self._leave()
        what = what or f"{method} {url.split('?')[0]}"
        data: Any = form
        sent = dict(headers)
        if json is not None:
            data = orjson.dumps(json)
            sent["Content-Type"] = "application/json"
        try:
            async with self._session.request(
                method,
                url,
                data=data,
                params=params,
                headers=sent,
                allow_redirects=False,
                timeout=TIMEOUT,
            ) as response:
                body = await _read_up_to(response, longest)
                if body is None:
                    why = f"the answer is longer than {longest} bytes"
                    raise TooLong(vendor=self.vendor, what=what, why=why)
                credentials = sent.get("Authorization", "").rpartition(" ")[2]
                return Answer(response.status, response.headers, body, _json(body), (credentials, *unsaid))
        except TimeoutError:
            raise self.unavailable(what, f"no answer within {TIMEOUT.total:.0f} s") from None
        except aiohttp.ClientError as error:
            raise self.unavailable(what, type(error).__name__) from error

    def unavailable(self, what: str, why: str, answer: Answer | None = None) -> VendorUnavailable:
        return VendorUnavailable(
            vendor=self.vendor,
            what=what,
            why=why,
            retry_after=retry_after(answer.headers) if answer else None,
            status=answer.status if answer else None,
        )


async def _read_up_to(response: aiohttp.ClientResponse, limit: int) -> bytes | None:
    """The whole body, or None when it is longer than ``limit`` bytes."""
    content = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        content += chunk
        if len(content) > limit:
            return None
    return bytes(content)


def words(text: str, longest: int = 500, unsaid: Collection[str] = ()) -> str:
    """A vendor's words as they may be kept: one discreet line, without NUL, which Postgres cannot hold."""
    return " ".join(discreet(text, unsaid).replace("\x00", " ").split())[:longest]


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as the vendor asks, in either form of ``Retry-After`` (RFC 9110, 10.2.3)."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
