"""One GraphQL question to Upwork: paced, with a token that is renewed once, its errors sorted."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from service.clients.fields import dig
from service.clients.http import TRY_AGAIN, Answer, CredentialsRefused, Http, VendorRefused, words
from service.clients.oauth import Tokens
from service.settings import UpworkSettings

SCOPES = "oauth2 permissions/scopes"
"""What Upwork says where a key may not read what is asked (Upwork facts, section 4)."""


@dataclass(frozen=True, slots=True)
class GraphqlFault:
    """One entry of ``errors``: its words and the server's classification."""

    message: str
    classification: str | None

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
    """``data`` and ``errors`` of one answer. Both at once is normal (Upwork facts, section 4)."""

    data: Mapping[str, Any]
    faults: tuple[GraphqlFault, ...]

    def record(self, root: str) -> dict[str, Any]:
        """The object at a root field, empty where there is none."""
        found = self.data.get(root)
        return found if isinstance(found, dict) else {}

    @property
    def words(self) -> str:
        return "; ".join(fault.message for fault in self.faults)


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

    async def ask(self, name: str, document: str, variables: Mapping[str, Any]) -> Found:
        """``name`` is the operation's. Faults that make no answer wrong are left to the caller."""
        body = {"query": document, "variables": dict(variables), "operationName": name}
        answer = await self._send(body)
        if answer.status == 401:
            answer = await self._send(body)
        found = answer.json if isinstance(answer.json, dict) else None
        if answer.status != 200 or found is None:
            why = f"{answer.status} {words(str((found or {}).get('message') or 'without a reason'))}"
            if answer.status in TRY_AGAIN or answer.status >= 500 or found is None:
                raise self._http.unavailable(name, why, answer)
            refusal = CredentialsRefused if answer.status in (401, 403) else VendorRefused
            raise refusal(vendor="Upwork", what=name, why=why, status=answer.status)
        faults = _faults(found)
        for fault in faults:
            if fault.passing:
                raise self._http.unavailable(name, words(fault.message), answer)
        data = found.get("data")
        return Found(data if isinstance(data, dict) else {}, faults)

    async def _send(self, body: dict[str, Any]) -> Answer:
        token = await self._tokens.access()
        headers = {"Authorization": f"Bearer {token}", **self._tenant}
        await self._turn()
        answer = await self._http.send("POST", self._url, headers=headers, json=body)
        if answer.status == 401:
            self._tokens.spoiled(token)
        return answer


def refused(what: str, why: str, status: int = 200) -> VendorRefused:
    """Upwork's refusal in its own words; 200 is the status of a GraphQL error."""
    if SCOPES in why:
        return CredentialsRefused(vendor="Upwork", what=what, why=words(why), status=status, of_all=False)
    return VendorRefused(vendor="Upwork", what=what, why=words(why), status=status)


def _faults(found: Mapping[str, Any]) -> tuple[GraphqlFault, ...]:
    errors = found.get("errors")
    return tuple(
        GraphqlFault(
            str(error.get("message") or "an error without words"), dig(error, "extensions.classification")
        )
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    )
