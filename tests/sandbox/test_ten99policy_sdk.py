"""The vendor's own Python SDK drives the sandbox."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import ten99policy
from ten99policy_driver import ENDS, JOB, KEY, STARTS, Sandbox, running

NOOR = {"first_name": "Noor", "last_name": "Haddad", "email": "noor@example.com", "phone": "415-111-1111"}
ADDRESS = {
    "country": "USA",
    "line1": "1211 Mission St",
    "line2": "",
    "locality": "San Francisco",
    "region": "CA",
    "postalcode": "94110",
}


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    before = ten99policy.api_base, ten99policy.api_key, ten99policy.log, ten99policy.default_http_client
    ten99policy.log, ten99policy.default_http_client, ten99policy.api_key = None, None, KEY
    yield
    (ten99policy.api_base, ten99policy.api_key, ten99policy.log, ten99policy.default_http_client) = before


async def drive(sandbox: Sandbox, scenario: Callable[[], Any]) -> Any:
    """The SDK blocks, so it runs on a thread, which also closes its connections."""

    def run() -> Any:
        ten99policy.api_base = sandbox.url
        try:
            return scenario()
        finally:
            if ten99policy.default_http_client:
                ten99policy.default_http_client.close()

    return await asyncio.to_thread(run)


def quoted() -> Any:
    contractor = ten99policy.Contractors.create(**NOOR, address=ADDRESS, custom_metadata={"a": "1"})
    entity = ten99policy.Entities.create(
        name="Brooklyn Bowl",
        coverage_limit={"aggregate_limit": "200000000", "occurrence_limit": "100000000"},
        address=ADDRESS,
        required_coverage=["general"],
    )
    job = ten99policy.Jobs.create(**{**JOB, "entity": entity.id, "category_code": "jc_MTqpkbkp6G"})
    return ten99policy.Quotes.create(
        contractor=contractor.id,
        job=job.id,
        coverage_type=["general", "workers-comp"],
        effective_date=STARTS,
        end_date=ENDS,
    )


async def test_contractors_live_from_create_to_delete():
    def scenario() -> None:
        made = ten99policy.Contractors.create(**NOOR, address=ADDRESS)
        read = ten99policy.Contractors.retrieve(made.id)
        assert read.address.postalcode == "94110"
        assert ten99policy.Contractors.modify(made.id, email="n@example.com").email == "n@example.com"
        assert [c.id for c in ten99policy.Contractors.list(email="n@example.com")] == [made.id]
        deleted = ten99policy.Contractors.delete(made.id)
        assert (deleted.object, deleted.deleted) == ("contractor", True)
        with pytest.raises(ten99policy.error.ResourceNotFoundError) as caught:
            ten99policy.Contractors.retrieve(made.id)
        assert caught.value.request_id.startswith("req_")

    async with running() as sandbox:
        await drive(sandbox, scenario)


async def test_entities_jobs_and_categories():
    def scenario() -> None:
        entity = ten99policy.Entities.create(
            name="Brooklyn Bowl", coverage_limit={"aggregate_limit": "2000", "occurrence_limit": "1000"}
        )
        assert entity.coverage_limit.aggregate_limit == 2000
        codes = ten99policy.JobCategories.list()
        assert "Computer Service or Repair" in [code.name for code in codes]
        job = ten99policy.Jobs.create(
            **{**JOB, "entity": entity.id, "category_code": codes[0].category_code, "wage": "10000"}
        )
        assert job.wage == 10000
        assert ten99policy.Jobs.modify(job.id, name="Lead").name == "Lead"
        assert ten99policy.Jobs.delete(job.id).deleted
        assert ten99policy.Entities.delete(entity.id).deleted
        with pytest.raises(ten99policy.error.InvalidEntityIdError):
            ten99policy.Jobs.create(**{**JOB, "entity": entity.id})

    async with running() as sandbox:
        await drive(sandbox, scenario)


async def test_quotes_are_priced_and_locked_once_bound():
    def scenario() -> None:
        quote = quoted()
        assert (quote.net_rate, quote.gl_net_rate, quote.wc_net_rate) == (65, 20, 45)
        assert quote.quote_json.gl.net_rate == 20
        assert ten99policy.Quotes.modify(quote.id, name="ignored", end_date=ENDS - 86400)
        policy = ten99policy.Policies.create(
            quote_id=quote.id, is_active=True, effective_date=STARTS, expiration_date=ENDS
        )
        assert policy.status == "active"
        with pytest.raises(ten99policy.error.CantUpdateCreateNewQuoteError):
            ten99policy.Quotes.modify(quote.id, end_date=ENDS)
        with pytest.raises(ten99policy.error.PolicyAlreadyExistsError):
            ten99policy.Policies.create(quote=quote.id)

    async with running() as sandbox:
        await drive(sandbox, scenario)


async def test_sessions_policies_and_assignments():
    def before() -> Any:
        return ten99policy.InsuranceApplicationSessions.create(
            quote=quoted().id, success_url="http://example.com/yes", cancel_url="http://example.com/no"
        )

    def after(session: Any) -> None:
        session = ten99policy.InsuranceApplicationSessions.retrieve(session.id)
        assert session.step == "application_complete"
        quote = ten99policy.Quotes.retrieve(session.quote)
        policy = ten99policy.ContractorPolicies.list(quote.contractor, quote=quote.id)[0]
        assert [p.id for p in ten99policy.Policies.list(quote=quote.id)] == [policy.id]
        assignment = ten99policy.Assignments.create(
            contractor=quote.contractor, job=quote.job, effective_date=STARTS, end_date=ENDS
        )
        assert assignment.coverage_type == ["general", "workers-comp"]
        assert assignment.eligible.result is True
        assert ten99policy.Assignments.modify(assignment.id, end_date=ENDS - 5).end_date == ENDS - 5
        assert ten99policy.Assignments.delete(assignment.id).object == "assignment"
        assert ten99policy.Policies.delete(policy.id).deleted
        with pytest.raises(ten99policy.error.NoActivePolicyError, match="No matching policy found"):
            ten99policy.Assignments.create(contractor=quote.contractor, job=quote.job)

    async with running() as sandbox:
        session = await drive(sandbox, before)
        await sandbox.post(f"/_control/sessions/{session.id}/complete")
        await drive(sandbox, lambda: after(session))


async def test_invoices_webhooks_and_events():
    def scenario() -> None:
        quote = quoted()
        invoice = ten99policy.Invoices.create(
            contractor=quote.contractor,
            job=quote.job,
            gross_pay="250000",
            paycycle_startdate=STARTS,
            paycycle_enddate=ENDS,
        )
        assert invoice.premium_due == 1625
        assert ten99policy.Invoices.modify(invoice.id, gross_pay=500000).premium_due == 3250
        assert ten99policy.Invoices.delete(invoice.id).deleted
        hook = ten99policy.Webhooks.create(url="https://example.com/hook", description="ours")
        assert hook.secret.startswith("whsec_")
        assert ten99policy.Webhooks.modify(hook.id, events=["policy.active"]).events == ["policy.active"]
        assert ten99policy.Webhooks.delete(hook.id).object == "webhook_endpoint"
        ten99policy.Policies.create(quote=quote.id, effective_date=STARTS, expiration_date=ENDS)
        event = ten99policy.Events.list(limit=1)[0]
        assert event.type == "policy.active"
        assert ten99policy.Events.retrieve(event.id).data.quote == quote.id

    async with running() as sandbox:
        await drive(sandbox, scenario)


async def test_the_sdk_reads_every_error():
    def scenario() -> None:
        ten99policy.Contractors.create(**NOOR)
        with pytest.raises(ten99policy.error.DuplicateEmailError):
            ten99policy.Contractors.create(**NOOR)
        with pytest.raises(ten99policy.error.InvalidInputError, match="wage: must be between 100"):
            ten99policy.Jobs.create(**{**JOB, "wage": 99})
        with pytest.raises(ten99policy.error.InvalidApiKeyError):
            ten99policy.Contractors.list(api_key="t9k_test_wrong")

    async with running() as sandbox:
        await drive(sandbox, scenario)


async def test_the_callers_key_wins_over_the_sdks_random_one():
    def scenario() -> None:
        first = ten99policy.Contractors.create(**NOOR, idempotency_key="noor")
        again = ten99policy.Contractors.create(**NOOR, idempotency_key="noor")
        assert again.id == first.id
        assert again.last_response.headers["Ten99Policy-Idempotent-Key"] == "noor"

    async with running() as sandbox:
        await drive(sandbox, scenario)
        _, calls = await sandbox.get("/_control/calls")
        assert calls["by_idempotency_key"]["noor"] == {"count": 2, "method_path": "POST /api/v1/contractors"}
