"""One GraphQL question to Upwork: paced, with a token that is renewed once, its errors sorted."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from service.clients.discreet import discreet
from service.clients.fields import dig
from service.clients.http import (
    TRY_AGAIN,
    Answer,
    CredentialsRefused,
    Http,
    VendorRefused,
    VendorUnavailable,
    retry_after,
    words,
)
from service.clients.oauth import Tokens
from service.settings import UpworkSettings

SCOPES = "oauth2 permissions/scopes"
"""What Upwork says where a key may not read what is asked (Upwork facts, section 4)."""


@dataclass(frozen=True, slots=True)
class Question:
    """``name`` is the operation's."""

    name: str
    document: str
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GraphqlFault:
    """One entry of ``errors``: its words, the server's classification, and the root field it is about."""

    message: str
    classification: str | None
    root: str | None = None

    @property
    def invalid_document(self) -> bool:
        return self.classification in ("ValidationError", "InvalidSyntax")

    @property
    def beyond_scope(self) -> bool:
        """The key may not read some of the fields (Upwork facts, section 4)."""
        return SCOPES in self.message

    @property
    def passing(self) -> bool:
        """The server failed while it gathered the data: what is missing may be there next time."""
        return self.classification in ("DataFetchingException", "INTERNAL_ERROR")


@dataclass(frozen=True, slots=True)
class Found:
    """``data`` and ``errors`` of one answer. Both at once is normal (Upwork facts, section 4).

    ``whole`` is False where no data came at all: the question was refused, or a field failed that may not be
    null. ``retry_after`` is the server's wish in seconds.
    """

    data: Mapping[str, Any]
    faults: tuple[GraphqlFault, ...]
    whole: bool = True
    retry_after: float | None = None

    def record(self, root: str) -> dict[str, Any]:
        """The object at a root field, empty where there is none."""
        found = self.data.get(root)
        return found if isinstance(found, dict) else {}

    @property
    def words(self) -> str:
        return "; ".join(fault.message for fault in self.faults)

    def failure(self, name: str) -> VendorUnavailable | None:
        """Why it must be asked again, where the server failed while it gathered the data."""
        why = next((words(fault.message) for fault in self.faults if fault.passing), None)
        if why is None:
            return None
        return VendorUnavailable(
            vendor="Upwork", what=name, why=why, retry_after=self.retry_after, status=200
        )


class Graphql:
    """Raises `VendorUnavailable` (try again) or `VendorRefused` (do not)."""

    def __init__(
        self, http: Http, settings: UpworkSettings, tokens: Tokens, turn: Callable[[], Awaitable[None]]
    ) -> None:
        self._http = http
        self._url = f"{settings.url}/graphql"
        self._tokens = tokens
        self._turn = turn
        self._tenant = {"X-Upwork-API-TenantId": settings.tenant_id} if settings.tenant_id else {}

    async def ask(self, question: Question) -> Found:
        """Faults that make no answer wrong are left to the caller."""
        found = await self.ask_in_turn(lambda: question)
        if (failure := found.failure(question.name)) is not None:
            raise failure
        return found

    async def ask_in_turn(self, question: Callable[[], Question]) -> Found:
        """``question`` is called once the turn to ask has come. Faults are left to the caller, those included
        that mean to ask again, as long as they are about a part."""
        token = await self._tokens.access()
        await self._turn()
        asked = question()
        answer = await self._send(token, asked)
        if answer.status == 401:
            token = await self._tokens.access()
            await self._turn()
            answer = await self._send(token, asked)
        return self._found(asked.name, answer)

    async def _send(self, token: str, asked: Question) -> Answer:
        body = {
            "query": asked.document,
            "variables": dict(asked.variables),
            "operationName": asked.name,
        }
        headers = {"Authorization": f"Bearer {token}", **self._tenant}
        answer = await self._http.send("POST", self._url, headers=headers, json=body)
        if answer.status == 401:
            self._tokens.spoiled(token)
        return answer

    def _found(self, name: str, answer: Answer) -> Found:
        found = answer.json if isinstance(answer.json, dict) else None
        if answer.status != 200 or found is None:
            said = str((found or {}).get("message") or "without a reason")
            why = f"{answer.status} {words(said, unsaid=answer.unsaid)}"
            if answer.status in TRY_AGAIN or answer.status >= 500 or found is None:
                raise self._http.unavailable(name, why, answer)
            refusal = CredentialsRefused if answer.status in (401, 403) else VendorRefused
            raise refusal(vendor="Upwork", what=name, why=why, status=answer.status)
        return _read(name, found, retry_after(answer.headers), answer.unsaid)


def refused(what: str, why: str, status: int = 200) -> VendorRefused:
    """Upwork's refusal in its own words; 200 is the status of a GraphQL error."""
    if SCOPES in why:
        return CredentialsRefused(vendor="Upwork", what=what, why=words(why), status=status, of_all=False)
    return VendorRefused(vendor="Upwork", what=what, why=words(why), status=status)


def _read(name: str, found: Mapping[str, Any], retry_after: float | None, unsaid: Collection[str]) -> Found:
    data, faults = found.get("data"), _faults(found, unsaid)
    if isinstance(data, dict):
        return Found(data, faults, True, retry_after)
    of_all = tuple(fault for fault in faults if fault.root is None)
    if (failure := Found({}, of_all, False, retry_after).failure(name)) is not None:
        raise failure
    return Found({}, faults, False, retry_after)


def _faults(found: Mapping[str, Any], unsaid: Collection[str]) -> tuple[GraphqlFault, ...]:
    errors = found.get("errors")
    return tuple(
        GraphqlFault(
            discreet(str(error.get("message") or "an error without words"), unsaid),
            dig(error, "extensions.classification"),
            _root(error.get("path")),
        )
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    )


def _root(path: Any) -> str | None:
    return path[0] if isinstance(path, list) and path and isinstance(path[0], str) else None
