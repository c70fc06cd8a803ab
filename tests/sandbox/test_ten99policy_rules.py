"""What the API refuses, and with which words (fact sheet 4 and 6)."""

import base64
from typing import Any

import pytest
from ten99policy_driver import CONTRACTOR, ENDS, JOB, KEY, STARTS, Sandbox, running

YEAR, DAY = 366 * 86400, 86400


def refused(answer: tuple[int, Any], code: str, status: int = 400) -> Any:
    assert (answer[0], answer[1]["error_code"]) == (status, code), answer
    return answer[1]["message"]


@pytest.mark.parametrize(
    ("path", "method", "code", "status"),
    [
        ("/nowhere", "GET", "resource_not_found", 404),
        ("/jobs", "PATCH", "bad_request", 405),
        ("/jobs/jb_none", "GET", "resource_not_found", 404),
        ("/policies/pl_none", "DELETE", "resource_not_found", 404),
        ("/jobs?limit=101", "GET", "invalid_input", 400),
        ("/jobs?starting_after=jb_none", "GET", "invalid_input", 400),
    ],
)
async def test_every_error_is_json(path: str, method: str, code: str, status: int):
    async with running() as sandbox:
        refused(await sandbox.ask(method, path), code, status)


@pytest.mark.parametrize(
    "proof", ["", "Bearer nope", "Basic !!", f"Bearer {KEY}x", "Basic " + base64.b64encode(b"no:").decode()]
)
async def test_a_wrong_key_is_401(proof: str):
    async with running() as sandbox:
        refused(await sandbox.get("/jobs", Authorization=proof), "invalid_api_key", 401)


async def test_a_key_as_basic_user_is_let_in():
    async with running() as sandbox:
        proof = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
        assert await sandbox.get("/jobs", Authorization=proof) == (200, [])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"wage": 99}, "wage"),
        ({"wage": 75.5}, "wage"),
        ({"wage": True}, "wage"),
        ({"wage_type": "yearly"}, "wage_type"),
        ({"name": None}, "name"),
        ({"address": {"country": "US"}}, "address.region"),
    ],
)
async def test_a_job_says_which_field_is_wrong(changes: dict[str, Any], field: str):
    async with running() as sandbox:
        message = refused(await sandbox.post("/jobs", JOB | changes), "invalid_input")
        assert set(message) == {field}


async def test_ids_in_bodies_are_refused_by_their_own_codes():
    async with running() as sandbox:
        refused(await sandbox.post("/jobs", JOB | {"entity": "en_none"}), "invalid_entity_id")
        refused(await sandbox.post("/jobs", JOB | {"category_code": "NOPE"}), "invalid_job_category_code")
        refused(await sandbox.post("/jobs", JOB | {"category_code": None}), "missing_job_category_code")
        refused(await sandbox.post("/apply/sessions", {"quote": "qt_none"}), "invalid_quote_id")
        refused(await sandbox.post("/assignments/cancel", {"job_id": "jb_none"}), "invalid_job_id")
        nobody = {"coverage_type": ["general"], "contractor": "cn_none", "job": "jb_none"}
        refused(await sandbox.post("/quotes", nobody), "invalid_contractor_id")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"effective_date": STARTS - 10 * DAY}, "effective_date_invalid"),
        ({"end_date": STARTS - DAY}, "end_date_invalid"),
        ({"end_date": STARTS + YEAR}, "end_date_invalid"),
        ({"effective_date": STARTS * 1000}, "invalid_input"),
        ({"coverage_type": []}, "invalid_input"),
        ({"coverage_type": ["fire"]}, "invalid_input"),
        ({"coverage_type": ["cyber"]}, "invalid_input"),
    ],
)
async def test_a_quote_is_refused(changes: dict[str, Any], code: str):
    async with running() as sandbox:
        quote = await sandbox.quoted()
        refused(await sandbox.post("/quotes", quote | changes), code)


async def test_a_quote_without_dates_starts_tomorrow_for_thirty_days():
    async with running() as sandbox:
        quote = await sandbox.quoted(effective_date=None, end_date=None)
        assert quote["effective_date"] - quote["created"] == DAY
        assert quote["end_date"] - quote["effective_date"] == 30 * DAY


async def test_an_end_on_the_day_of_the_start_moves_to_the_next_day():
    async with running() as sandbox:
        quote = await sandbox.quoted(end_date=STARTS)
        assert quote["end_date"] == (STARTS // DAY + 1) * DAY


async def test_workers_comp_is_not_sold_in_monopolistic_states():
    async with running() as sandbox:
        quote = await sandbox.quoted()
        await sandbox.put(f"/jobs/{quote['job']}", {"address": {"region": "OH"}})
        refused(await sandbox.post("/quotes", quote | {"coverage_type": ["workers-comp"]}), "bad_request")


async def test_a_matching_policy_refuses_a_second_quote():
    async with running() as sandbox:
        quote, _ = await sandbox.insured()
        message = refused(await sandbox.post("/quotes", quote), "contractor_has_matching_policy")
        assert message == "Contractor already has a matching policy on file"
        await sandbox.made("/quotes", quote | {"coverage_type": ["professional"]})


async def test_a_bound_quote_gets_no_second_session():
    async with running() as sandbox:
        quote, _ = await sandbox.insured()
        refused(await sandbox.post("/apply/sessions", {"quote": quote["id"]}), "policy_already_exists")


async def test_a_session_expires_once():
    async with running() as sandbox:
        quote = await sandbox.quoted()
        session = await sandbox.made("/apply/sessions", {"quote": quote["id"]})
        path = f"/apply/sessions/{session['id']}/expire"
        status, expired = await sandbox.post(path)
        assert (status, expired["expired"]) == (200, True)
        refused(await sandbox.post(path), "session_expired")


async def test_a_used_job_cannot_be_deleted():
    async with running() as sandbox:
        quote = await sandbox.quoted()
        refused(await sandbox.delete(f"/jobs/{quote['job']}"), "job_is_used")


async def test_an_assignment_is_cancelled_by_job_before_its_start_only():
    async with running() as sandbox:
        quote, _ = await sandbox.insured()
        body = {"contractor": quote["contractor"], "job": quote["job"]}
        refused(
            await sandbox.post("/assignments/cancel", {"job_id": quote["job"]}), "resource_not_found", 404
        )
        await sandbox.made("/assignments", body | {"effective_date": STARTS, "end_date": ENDS})

        cancel = {"job_id": quote["job"], "reason": "client_request"}
        status, cancelled = await sandbox.post("/assignments/cancel", cancel)

        assert status == 200
        assert (cancelled["cancelled"], cancelled["cancellation_reason"]) == (True, "client_request")
        refused(
            await sandbox.put(f"/assignments/{cancelled['id']}", {"end_date": ENDS}), "assignment_cancelled"
        )
        await sandbox.made("/assignments", body | {"effective_date": STARTS, "end_date": ENDS})
        await sandbox.post("/_control/clock", {"now": STARTS + 1})
        refused(await sandbox.post("/assignments/cancel", cancel), "assignment_already_started")


async def test_an_assignment_that_started_can_be_shortened_to_now():
    async with running() as sandbox:
        quote, _ = await sandbox.insured()
        window = {"effective_date": STARTS, "end_date": ENDS}
        body = {"contractor": quote["contractor"], "job": quote["job"], **window}
        assignment = await sandbox.made("/assignments", body)
        now = STARTS + 10 * DAY
        await sandbox.post("/_control/clock", {"now": now})

        status, shortened = await sandbox.put(f"/assignments/{assignment['id']}", {"end_date": now - 5})

        assert (status, shortened["end_date"]) == (200, now - 5)


async def test_a_paid_invoice_is_final():
    async with running() as sandbox:
        quote = await sandbox.quoted()
        body = {
            "contractor": quote["contractor"],
            "job": quote["job"],
            "gross_pay": 250000,
            "paycycle_startdate": STARTS,
            "paycycle_enddate": ENDS,
        }
        wrong = body | {"paycycle_enddate": STARTS - 1}
        refused(await sandbox.post("/invoices", wrong), "invalid_paycycle_enddate")
        invoice = await sandbox.made("/invoices", body)
        await sandbox.post(f"/_control/invoices/{invoice['id']}/charge")
        refused(await sandbox.put(f"/invoices/{invoice['id']}", {"gross_pay": 100}), "invoice_already_paid")
        refused(await sandbox.delete(f"/invoices/{invoice['id']}"), "invoice_already_paid")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"filename": "coi.doc"}, "invalid_file_type"),
        ({"content": b"GIF89a"}, "invalid_file_type"),
        ({"type": "text/plain"}, "invalid_mime_type"),
        ({"padding": 15 * 1024 * 1024}, "invalid_file_size"),
    ],
)
async def test_a_certificate_must_be_a_pdf(changes: dict[str, Any], code: str):
    async with running() as sandbox:
        contractor = await sandbox.made("/contractors", CONTRACTOR)
        refused(await sandbox.upload(contractor["id"], **changes), code)


async def test_a_certificate_belongs_to_a_contractor():
    async with running() as sandbox:
        refused(await sandbox.upload("cn_none"), "invalid_contractor_id")
        refused(await sandbox.upload(""), "missing_contractor_id")
        refused(await sandbox.post("/files/certificates"), "missing_certificate")


async def test_metadata_keys_are_removed_by_empty_values():
    async with running() as sandbox:
        contractor = await sandbox.made("/contractors", CONTRACTOR)
        path = f"/contractors/{contractor['id']}"
        _, changed = await sandbox.put(path, {"custom_metadata": {"upwork_freelancer_id": "", "b": "2"}})
        assert changed["custom_metadata"] == {"b": "2"}
        _, changed = await sandbox.put(path, {"custom_metadata": {}})
        assert changed["custom_metadata"] == {}


async def pages(sandbox: Sandbox, query: str) -> list[str]:
    _, rows = await sandbox.get(f"/jobs{query}")
    return [row["name"] for row in rows]


async def test_lists_are_arrays_newest_first_in_pages():
    async with running() as sandbox:
        ids = [(await sandbox.made("/jobs", JOB | {"name": str(n)}))["id"] for n in range(12)]

        assert await pages(sandbox, "") == [str(n) for n in range(11, 1, -1)]
        assert await pages(sandbox, f"?limit=2&starting_after={ids[5]}") == ["4", "3"]
        assert await pages(sandbox, f"?limit=2&ending_before={ids[5]}") == ["7", "6"]
        assert await pages(sandbox, f"?starting_after={ids[0]}") == []
