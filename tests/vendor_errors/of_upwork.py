"""The rows of Upwork: documents, tokens, downloads."""

from collections.abc import Iterator
from dataclasses import replace

from vendor_double import TOKEN, Says
from vendor_errors.client import FILE, WHOLE, Client
from vendor_errors.rows import FOR_EVER, HTML, PAGE, Call, Row, in_the_way, pages, unheard

READ, FETCH = "ReadContract", "FetchAttachment"
OFFER, IN_PARTS, ATTACHED = "an offer", "an offer, read in parts", "an offer with a file"
REFERENCE, REFERENCE_IN_PARTS = "an offer, by the reference", "an offer, by the reference in parts"
SCOPES = "The client or token doesn't have enough oauth2 permissions/scopes to access: [Query.contract]"


def plain(status: int, **headers: str) -> Says:
    """A refusal of the whole request."""
    return Says(status, {"message": "In the vendor's words."}, headers=headers)


def graphql(message: str, kind: str = "ExecutionAborted", data: object = None) -> Says:
    return Says(200, {"data": data, "errors": [{"message": message, "extensions": {"classification": kind}}]})


def asks(call: Call) -> Iterator[Row]:
    """What a GraphQL document may be answered, whichever it is."""
    yield from unheard(call)
    yield from in_the_way(call)
    yield from pages(call, 200, 307, 403, 411, 502)
    yield call.row("truncated JSON", Says(200, body=b'{"data": {"contr'), "again")
    for kind in ("DataFetchingException", "INTERNAL_ERROR"):
        yield call.row(f"failed while it gathered ({kind})", graphql("boom", kind), "again")
    yield call.row("an expired token", plain(401), "a new token")
    yield call.row("a revoked token, a new one refused too", plain(401), "the vendor waits", FOR_EVER)
    yield call.row("403", plain(403), "the vendor waits", FOR_EVER)
    yield call.row("5xx without end", plain(500), "the operation waits", FOR_EVER)
    for status in (400, 404, 422):
        yield call.row(f"{status}", plain(status), "for a person")


def says_no(call: Call) -> Iterator[Row]:
    """Answers of a server that took the document which an engagement cannot go on without."""
    yield call.row("scopes refused", graphql(SCOPES), "the operation waits", FOR_EVER)
    yield call.row("GraphQL errors in a 200", graphql("no such thing"), "for a person", FOR_EVER)
    yield call.row("no right to ask that", graphql("Authorization failed"), "for a person", FOR_EVER)


def of_documents() -> Iterator[Row]:
    whole = Call(READ, OFFER, "EngagementById")
    yield from asks(whole)
    yield from says_no(whole)
    for what, data in (("null", {"contract": None}), ("neither data nor errors", {})):
        says = Says(200, {"data": data} if data else {})
        yield whole.row(what, says, "for a person", FOR_EVER, words="Upwork shows no contract 9001")
    nothing = graphql("not yours", data={"contract": None, "freelancer": None})
    yield whole.row("partial data without the contract", nothing, "for a person", FOR_EVER)
    shown = Client().everything()
    other = Says(200, {"data": shown | {"contract": shown["contract"] | {"id": "9002"}}})
    words = "asked for contract 9001, it shows contract 9002"
    yield whole.row("another contract", other, "for a person", FOR_EVER, words=words)
    partial = graphql("a deleted user", data=shown | {"freelancer": None})
    yield whole.row("partial data with the contract", partial, "done")
    yield whole.row("scopes refused for some fields", graphql(SCOPES, data=shown), "done")
    for kind in ("ValidationError", "InvalidSyntax"):
        yield whole.row(f"the document refused ({kind})", graphql("No such field", kind), "done", FOR_EVER)
    for name in ("ContractById", "ContractDates", "ContractAttachments", "FreelancerById"):
        part = Call(READ, IN_PARTS, name)
        yield from asks(part)
        yield from says_no(part)
        yield part.row("partial data", graphql("a deleted user", data=shown), "done")


def of_reference() -> Iterator[Row]:
    whole = Call(READ, REFERENCE, "EngagementById")
    yield from asks(whole)
    yield whole.row("GraphQL errors in a 200", graphql("no such thing"), "done")
    yield whole.row("scopes refused for the person", graphql(SCOPES), "done")
    contract = Call(READ, REFERENCE_IN_PARTS, "ContractDetailsById")
    yield from asks(contract)
    yield from says_no(contract)
    person = Call(READ, REFERENCE_IN_PARTS, "UserDetailsById")
    yield from asks(person)
    for row in says_no(person):  # the contract names its freelancer too
        yield replace(row, fate="done")


def of_tokens() -> Iterator[Row]:
    call = Call(READ, OFFER, f"POST {TOKEN}")
    yield from unheard(call)
    yield from in_the_way(call)
    yield from pages(call, 200, 307, 403, 502)
    yield call.row("truncated JSON", Says(200, body=b'{"access_tok'), "again")
    yield call.row("a 200 without a token", Says(200, {}), "again")
    yield call.row("5xx without end", plain(500), "the operation waits", FOR_EVER)
    for status, error in ((400, "invalid_grant"), (401, "invalid_client"), (403, "access_denied")):
        says = Says(status, {"error": error})
        yield call.row(f"{status} {error}", says, "the vendor waits", FOR_EVER)


def of_renewals() -> Iterator[Row]:
    """A token that renews another may be refused: the client's own credentials get a new one all the same."""
    call = Call(READ, "an offer when the token ran out", f"POST {TOKEN}")
    yield from unheard(call)
    yield from in_the_way(call)
    yield from pages(call, 200, 307, 403, 502)
    for status, error in ((400, "invalid_grant"), (401, "invalid_token"), (403, "access_denied")):
        yield call.row(f"{status} {error}", Says(status, {"error": error}), "done")


def of_downloads() -> Iterator[Row]:
    call = Call(FETCH, ATTACHED, f"GET {FILE}")
    yield from unheard(call)
    yield from in_the_way(call)
    yield from pages(call, 502)
    yield call.row("an expired token", plain(401), "a new token")
    yield call.row("a new token refused too", plain(401), "the operation waits", FOR_EVER)
    yield call.row("5xx without end", plain(500), "the operation waits", FOR_EVER)
    for status in (400, 403, 404, 410):
        yield call.row(f"{status}", plain(status), "for a person", words=f"the download answered {status}")
    gone = Says(302, headers={"Location": "https://elsewhere.test/x"})
    yield call.row("a redirect", gone, "for a person", words="the download answered 302")
    page = Says(200, body=PAGE, headers=HTML)
    yield call.row("200, an HTML page", page, "for a person", words="it is not a PDF")
    large = Says(200, body=b"%PDF" + bytes(WHOLE))
    yield call.row("more than 15 MB", large, "for a person", words="it is larger than 15 MB")


ROWS = [*of_documents(), *of_reference(), *of_tokens(), *of_renewals(), *of_downloads()]
