"""The rows of 1099Policy: every call of an effect, with whatever it may be answered."""

from collections.abc import Iterator
from dataclasses import replace

from vendor_double import Says
from vendor_errors.rows import Call, Row, makes, reads, refusal, stored

API = "/api/v1"
OFFER, KNOWN, START, END = "an offer", "an offer to one who is known", "a start", "an end"


def of_contractors() -> Iterator[Row]:
    yield from reads(Call("EnsureContractor", OFFER, f"GET {API}/contractors"))
    yield from reads(Call("EnsureContractor", KNOWN, f"GET {API}/contractors/{{}}/policies"))
    call = Call("EnsureContractor", OFFER, f"POST {API}/contractors")
    yield from makes(call, sought=True)
    yield call.row("duplicate_email", refusal(400, "duplicate_email"), "done", made=True)


def of_quotes() -> Iterator[Row]:
    call = Call("CreateQuote", OFFER, f"POST {API}/quotes")
    yield from makes(call)
    for code in (
        "contractor_has_matching_policy",
        "contract_has_matching_policy",
        "effective_date_invalid",
    ):
        yield call.row(code, refusal(400, code), "done")


def of_assignments() -> Iterator[Row]:
    call = Call("CreateAssignment", START, f"POST {API}/assignments")
    yield from makes(call)
    for code in ("effective_date_invalid", "no_active_policy"):
        yield call.row(code, refusal(400, code), "done")


def of_policies() -> Iterator[Row]:
    yield from reads(Call("ConfirmPolicy", START, f"GET {API}/policies/{{}}"))
    any_policy = "a start under whatever policy"
    yield from reads(Call("ConfirmPolicy", any_policy, f"GET {API}/contractors/{{}}/policies"))


def of_ends() -> Iterator[Row]:
    cancel = Call("EndCoverage", "an end before the start", f"POST {API}/assignments/cancel")
    for row in reads(cancel, changes=True):
        shortened = row.what in ("400", "409")  # it has begun by the vendor's clock
        yield replace(row, fate="done") if shortened else row
    yield from stored(cancel)
    yield from reads(Call("EndCoverage", END, f"PUT {API}/assignments/{{}}"), changes=True)
    looked_at = Call("EndCoverage", "an end of what others cancelled", f"GET {API}/assignments/{{}}")
    for row in reads(looked_at):
        yield replace(row, words="It is cancelled.") if row.fate == "for a person" else row


def of_what_was_lost() -> Iterator[Row]:
    for operation, place, path in (
        ("CreateJob", "a job, tried afresh", "jobs"),
        ("CreateQuote", "a quote, tried afresh", "quotes"),
        ("OpenSession", "a session, tried afresh", "apply/sessions"),
        ("CreateAssignment", "a start, tried afresh", "assignments"),
        ("UploadCertificate", "a certificate, tried afresh", "files/certificates"),
        ("RecordInvoice", "final pay, tried afresh", "invoices"),
    ):
        yield from reads(Call(operation, place, f"GET {API}/{path}"))


def of_the_clock() -> Iterator[Row]:
    """A clock that is not told is taken to be ours: the contract is read in any case."""
    for row in reads(Call("ReadContract", "an offer of one that has begun", f"GET {API}/events")):
        yield replace(row, fate="done", times=2, to_all=False)


def refused(status: int) -> Says:
    codes = {401: "invalid_api_key", 403: "insufficient_permissions", 404: "resource_not_found"}
    return refusal(status, codes.get(status, "invalid_input"))


ROWS = [
    *of_contractors(),
    *makes(Call("CreateJob", OFFER, f"POST {API}/jobs")),
    *of_quotes(),
    *makes(Call("OpenSession", OFFER, f"POST {API}/apply/sessions")),
    *of_assignments(),
    *of_policies(),
    *makes(Call("UploadCertificate", "a certificate", f"POST {API}/files/certificates")),
    *makes(Call("RecordInvoice", "final pay", f"POST {API}/invoices")),
    *of_ends(),
    *of_what_was_lost(),
    *of_the_clock(),
]
