"""Downloads of what a contract has attached: from allowed hosts only, PDFs of at most 15 MB (guide 4.6)."""

from collections.abc import Awaitable, Callable, Mapping

import aiohttp
from yarl import URL

from service.clients.graphql import refused
from service.clients.http import TRY_AGAIN, Answer, Http, TooLong, VendorUnavailable
from service.clients.oauth import Tokens
from service.clients.outside import NotPublic, is_address, is_public
from service.settings import is_loopback

MAX_ATTACHMENT = 15 * 1024 * 1024
"""Bytes; 1099Policy takes no larger certificate (fact sheet 6.9)."""

ATTACHMENT = "the attachment"

Origin = tuple[str, str | None, int | None]


class Downloads:
    """``home`` is Upwork's own host root, asked with a token over ``http``; others over ``outside``."""

    def __init__(
        self,
        home: str,
        http: Http,
        outside: aiohttp.ClientSession,
        tokens: Tokens,
        turn: Callable[[], Awaitable[None]],
    ) -> None:
        self._home = _origin(URL(home))
        self._http = http
        self._outside = http.over(outside)
        self._tokens = tokens
        self._turn = turn

    async def fetch(self, url: str, allowed_hosts: tuple[str, ...]) -> bytes:
        """The bytes. Raises `VendorRefused` for what must not be fetched or sent on, `VendorUnavailable` for
        what may be there later."""
        place = self._allowed(url, allowed_hosts)
        answer = await self._from(place)
        if answer.status != 200:
            raise self._not_downloaded(answer)
        if not answer.body.startswith(b"%PDF"):
            raise refused(ATTACHMENT, "it is not a PDF", 415)
        return answer.body

    def _allowed(self, url: str, allowed_hosts: tuple[str, ...]) -> URL:
        """The address as the request will use it, so that nothing is read differently in between."""
        try:
            place = URL(url)
        except ValueError:
            raise refused(ATTACHMENT, "its address cannot be read", 400) from None
        host = (place.raw_host or "").lower()
        upwork = not is_loopback(self._home[1] or "") and f".{host}".endswith(".upwork.com")
        listed = host in {allowed.strip().lower() for allowed in allowed_hosts}
        trusted = _origin(place) == self._home or (place.scheme == "https" and (upwork or listed))
        if not trusted or place.raw_user is not None or place.raw_password is not None:
            why = f"its host {host} is not allowed; list it under [attachments] allowed_hosts"
            raise refused(ATTACHMENT, why, 403)
        if _origin(place) != self._home and is_address(host) and not is_public(host):
            raise refused(ATTACHMENT, PRIVATE, 403)
        return place

    async def _from(self, place: URL) -> Answer:
        """The token goes to Upwork's own origin alone; refused once, it is renewed once."""
        if _origin(place) != self._home:
            return await self._get(self._outside, place, {})
        token = await self._tokens.access()
        answer = await self._get(self._http, place, {"Authorization": f"Bearer {token}"})
        if answer.status != 401:
            return answer
        self._tokens.spoiled(token)
        renewed = {"Authorization": f"Bearer {await self._tokens.access()}"}
        return await self._get(self._http, place, renewed)

    async def _get(self, http: Http, place: URL, headers: Mapping[str, str]) -> Answer:
        await self._turn()
        try:
            return await http.send(
                "GET", str(place), headers=headers, what=ATTACHMENT, longest=MAX_ATTACHMENT
            )
        except TooLong:
            raise refused(ATTACHMENT, "it is larger than 15 MB", 413) from None
        except VendorUnavailable as error:
            if isinstance(getattr(error.__cause__, "os_error", None), NotPublic):
                raise refused(ATTACHMENT, PRIVATE, 403) from None
            raise

    def _not_downloaded(self, answer: Answer) -> Exception:
        why = f"the download answered {answer.status}"
        if answer.status in TRY_AGAIN or answer.status >= 500 or answer.status == 401:
            return self._http.unavailable(ATTACHMENT, why, answer)
        return refused(ATTACHMENT, why, answer.status)


PRIVATE = "its host leads to an address that is not public"


def _origin(place: URL) -> Origin:
    return place.scheme, place.raw_host, place.port
