"""Certificates a contractor brings along (fact sheet 6.9, guide 4.6)."""

from service.sandbox.ten99policy.events import announce, named
from service.sandbox.ten99policy.pages import page
from service.sandbox.ten99policy.refusals import Refusal
from service.sandbox.ten99policy.table import Row, Table
from service.sandbox.ten99policy.vendor import Ask, Route, Ten99Policy, Upload

MOST_BYTES = 15 * 1024 * 1024
RULES = ("General liability is named", "The policy is in force", "The insured is the contractor")

# What a reviewer says -> the status and the guide's event.
VERDICTS = {
    "approve": ("approved", "certificate.validated"),
    "flag": ("flagged", "certificate.flagged"),
    "deny": ("denied", "certificate.denied"),
    "error": ("error", "certificate.error"),
}


def table(vendor: Ten99Policy) -> Table:
    return vendor.state.certificates


def create(ask: Ask) -> Row:
    upload = _good_pdf(ask.upload)
    if not ask.body.get("contractor"):
        raise Refusal("missing_contractor_id", "contractor is required.")
    contractor = ask.reference(ask.state.contractors, ask.body["contractor"])["id"]
    certificate: Row = {
        "id": table(ask.vendor).new_id(),
        "contractor": contractor,
        "status": "pending",
        "created": ask.vendor.now(),
        "updated": ask.vendor.now(),
        "filename": upload.filename,
        "pdf_url": None,
        "review_results": None,
    }
    metadata: Row = {
        name[len("custom_metadata[") : -1]: value
        for name, value in ask.body.items()
        if name.startswith("custom_metadata[") and name.endswith("]")
    }
    if metadata:
        certificate["custom_metadata"] = metadata
    return table(ask.vendor).add(certificate)


def _good_pdf(upload: Upload | None) -> Upload:
    if upload is None:
        raise Refusal("missing_certificate", "certificate is required: a PDF file.")
    if not upload.filename.lower().endswith(".pdf"):
        raise Refusal("invalid_file_type", "The file name must end in .pdf.")
    if upload.content_type != "application/pdf":
        raise Refusal("invalid_mime_type", "The part must be of type application/pdf.")
    if not upload.content.startswith(b"%PDF"):
        raise Refusal("invalid_file_type", "The file is not a PDF.")
    if len(upload.content) > MOST_BYTES:
        raise Refusal("invalid_file_size", "The file must not be larger than 15 MB.")
    return upload


def decide(vendor: Ten99Policy, certificate: Row, verdict: str, body: Row) -> None:
    """The reviewer's word. `body` may choose the `event` and give the dates found in the document."""
    status, event = VERDICTS[verdict]
    id = certificate["id"]
    found: Row = {name: body[name] for name in ("effective_date", "expiration_date") if name in body}
    changes: Row = {"status": status, "updated": vendor.now(), **found}
    vendor.state.certificates.change(id, {**changes, "pdf_url": f"https://files.sandbox.invalid/{id}.pdf"})
    vendor.state.note(id)["review_results"] = _review(vendor, certificate, body.get("message"))
    basic = {name: value for name, value in certificate.items() if name != "review_results"}
    announce(vendor, body.get("event") or named(vendor, event), basic, "certificate")


def _review(vendor: Ten99Policy, certificate: Row, message: str | None) -> Row:
    passed = certificate["status"] == "approved"
    failed = 0 if passed else 1
    results = [
        {
            "id": f"car_{certificate['id'][3:]}{n}",
            "rule_name": rule,
            "rule_path": f"rules.{n}",
            "result": "pass" if passed or n else "fail",
            "message": None if passed or n else message or "The certificate does not show it.",
            "manually_approved": False,
            "created": vendor.now(),
        }
        for n, rule in enumerate(RULES)
    ]
    return {
        "id": f"ca_{certificate['id'][3:]}",
        "status": certificate["status"],
        "created": vendor.now(),
        "updated": vendor.now(),
        "summary": {"total_rules": len(RULES), "passed": len(RULES) - failed, "failed": failed},
        "parsed_certificate_json": {},
        "audit_results": results,
    }


def expanded(ask: Ask, certificate: Row) -> Row:
    """With `expand[]=review_results`, or `.full` for every rule; unexpanded they are null."""
    wanted = ask.query.get("expand[]", ask.query.get("expand", ""))
    review = ask.state.notes.get(certificate["id"], {}).get("review_results")
    if review is None or not wanted.startswith("review_results"):
        return certificate
    if not wanted.endswith(".full"):
        full_only = ("parsed_certificate_json", "audit_results")
        review = {name: value for name, value in review.items() if name not in full_only}
    return {**certificate, "review_results": review}


def retrieve(ask: Ask) -> Row:
    return expanded(ask, ask.row(table(ask.vendor)))


def list_all(ask: Ask) -> list[Row]:
    return [expanded(ask, row) for row in page(table(ask.vendor).rows, ask.query)]


ROUTES = (
    Route("GET", "/files/certificates", list_all),
    Route("POST", "/files/certificates", create, 201),
    Route("GET", "/files/certificates/{id}", retrieve),
)
