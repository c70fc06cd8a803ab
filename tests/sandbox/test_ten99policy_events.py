"""What the sandbox tells, when, and how it is signed (fact sheet 7)."""

from typing import Any

import pytest
from ten99policy_driver import CONTRACTOR, ENDS, JOB, METADATA, STARTS, receiving, running, signed_with


async def newest(sandbox: Any) -> dict[str, Any]:
    _, events = await sandbox.get("/events?limit=1")
    return dict(events[0])


async def test_a_completed_session_sends_a_signed_policy_active():
    async with receiving() as receiver, running(callback=receiver.url) as sandbox:
        quote, policy = await sandbox.insured()
        await sandbox.drain()

        ((path, headers, raw),) = receiver.taken
        assert path == "/webhooks/1099policy"
        assert signed_with("whsec_sandbox", headers, raw)
        (event,) = receiver.bodies
        assert event["type"] == "policy.active"
        assert event["id"].startswith("ev_")
        assert event["data"] == {**policy, "object": "policy"}
        assert policy["quote"] == quote["id"]
        assert (policy["is_active"], policy["status"]) == (True, "active")
        assert policy["custom_metadata"] == METADATA
        assert await sandbox.get(f"/events/{event['id']}") == (200, event)


async def test_a_session_completes_once():
    async with running() as sandbox:
        quote = await sandbox.quoted()
        session = await sandbox.made("/apply/sessions", {"quote": quote["id"]})
        path = f"/_control/sessions/{session['id']}/complete"
        _, policy = await sandbox.post(path, {"effective_date": STARTS + 60})
        assert policy["effective_date"] == STARTS + 60

        status, body = await sandbox.post(path)

        assert (status, body["error_code"]) == (409, "application_already_complete")
        status, _ = await sandbox.post("/_control/sessions/ias_none/complete")
        assert status == 404


async def test_a_general_opt_in_needs_no_quote():
    async with running() as sandbox:
        contractor = await sandbox.made("/contractors", CONTRACTOR)
        body = {"is_general_opt_in": True, "contractor": contractor["id"], "general_opt_in_work_state": "CA"}
        session = await sandbox.made("/apply/sessions", body)
        _, policy = await sandbox.post(f"/_control/sessions/{session['id']}/complete")
        assert (policy["quote"], policy["contractor"]) == (None, contractor["id"])


@pytest.mark.parametrize(
    ("dialect", "deed", "body", "type", "status"),
    [
        ("both", "cancel", {}, "policy.canceled", "cancelled"),
        ("guide", "cancel", {}, "policy.canceled", "cancelled"),
        ("both", "cancel", {"event": "policy.cancelled"}, "policy.cancelled", "cancelled"),
        ("both", "expire", {}, "policy.expired", "expired"),
    ],
)
async def test_a_policy_ends(dialect: str, deed: str, body: dict[str, Any], type: str, status: str):
    async with running(dialect=dialect) as sandbox:
        _, policy = await sandbox.insured()
        await sandbox.post("/_control/clock", {"now": STARTS + 500})

        await sandbox.post(f"/_control/policies/{policy['id']}/{deed}", body)

        event = await newest(sandbox)
        assert event["type"] == type
        assert (event["data"]["status"], event["data"]["is_active"]) == (status, False)
        ended = "cancellation_date" if deed == "cancel" else "expiration_date"
        assert event["data"][ended] - STARTS in (500, 501)


async def test_a_cancellation_may_be_dated():
    async with running() as sandbox:
        _, policy = await sandbox.insured()
        body = {"cancellation_date": STARTS + 7, "expiration_date": STARTS + 9}
        await sandbox.post(f"/_control/policies/{policy['id']}/cancel", body)
        data = (await newest(sandbox))["data"]
        assert (data["cancellation_date"], data["expiration_date"]) == (STARTS + 7, STARTS + 9)


@pytest.mark.parametrize("deed", ["cancel", "expire"])
async def test_a_reinstated_policy_has_its_own_dates_again(deed: str):
    async with running() as sandbox:
        _, policy = await sandbox.insured()
        await sandbox.post(f"/_control/policies/{policy['id']}/{deed}")

        status, again = await sandbox.put(f"/policies/{policy['id']}", {"is_active": True})

        assert (status, again) == (200, policy)
        assert (await newest(sandbox))["type"] == "policy.reactivated"
        _, off = await sandbox.put(f"/policies/{policy['id']}", {"is_active": False})
        assert off["status"] == "cancelled"
        assert (await newest(sandbox))["type"] == "policy.canceled"


async def test_a_policy_past_its_date_is_expired_and_no_event_tells():
    async with running() as sandbox:
        _, policy = await sandbox.insured()
        await sandbox.post("/_control/clock", {"now": ENDS + 1})
        _, read = await sandbox.get(f"/policies/{policy['id']}")
        assert (read["status"], read["is_active"]) == ("expired", False)
        assert (await newest(sandbox))["type"] == "policy.active"


async def test_deleting_a_contractor_cancels_what_it_holds():
    async with running() as sandbox:
        quote, _ = await sandbox.insured()
        body = {"contractor": quote["contractor"], "job": quote["job"]}
        await sandbox.made("/assignments", body | {"effective_date": STARTS, "end_date": ENDS})
        await sandbox.delete(f"/contractors/{quote['contractor']}")
        _, events = await sandbox.get("/events")
        assert [event["type"] for event in events] == [
            "assignment.cancelled",
            "policy.canceled",
            "assignment.active",
            "policy.active",
        ]


async def test_an_assignment_is_told_when_it_is_eligible_and_bound():
    async with running() as sandbox:
        quote, _ = await sandbox.insured()
        body = {"contractor": quote["contractor"], "job": quote["job"]}
        loose = await sandbox.made("/assignments", body | {"bind": False})
        assert (await newest(sandbox))["type"] == "policy.active"
        await sandbox.put(f"/assignments/{loose['id']}", {"bind": True})
        assert (await newest(sandbox))["data"]["id"] == loose["id"]

        await sandbox.post("/_control/decisions", {"assignment_eligible": False, "times": 1})
        refused = await sandbox.made("/assignments", body)

        assert refused["eligible"]["result"] is False
        assert refused["eligible"]["message"].startswith("Job category mismatch. ")
        assert (await newest(sandbox))["data"]["id"] == loose["id"]
        assert (await sandbox.made("/assignments", body))["eligible"]["result"] is True


async def test_a_history_of_cover_can_be_arranged():
    async with running() as sandbox:
        contractor = await sandbox.made("/contractors", CONTRACTOR)
        body = {"contractor": contractor["id"], "coverage_type": ["general", "professional"]}
        policy = await sandbox.made("/_control/policies", body)
        job = await sandbox.made("/jobs", JOB)
        assignment = await sandbox.made("/assignments", {"contractor": contractor["id"], "job": job["id"]})
        assert assignment["policy"] == policy["id"]
        assert assignment["coverage_type"] == ["general", "professional"]


@pytest.mark.parametrize(
    ("verdict", "body", "type", "status"),
    [
        ("approve", {}, "certificate.validated", "approved"),
        ("approve", {"event": "certificate.approved"}, "certificate.approved", "approved"),
        ("flag", {"message": "No limits shown."}, "certificate.flagged", "flagged"),
        ("deny", {}, "certificate.denied", "denied"),
        ("error", {}, "certificate.error", "error"),
    ],
)
async def test_a_certificate_is_decided(verdict: str, body: dict[str, Any], type: str, status: str):
    async with running() as sandbox:
        contractor = await sandbox.made("/contractors", CONTRACTOR)
        _, certificate = await sandbox.upload(contractor["id"])
        dates = {"effective_date": STARTS, "expiration_date": ENDS}

        await sandbox.post(f"/_control/certificates/{certificate['id']}/{verdict}", body | dates)

        event = await newest(sandbox)
        assert event["type"] == type
        found = event["data"]["object"]
        assert (found["id"], found["status"]) == (certificate["id"], status)
        assert found["custom_metadata"] == METADATA
        assert (found["effective_date"], found["expiration_date"]) == (STARTS, ENDS)
        assert "review_results" not in found


async def test_review_results_are_shown_when_asked_for():
    async with running() as sandbox:
        contractor = await sandbox.made("/contractors", CONTRACTOR)
        _, certificate = await sandbox.upload(contractor["id"])
        path = f"/files/certificates/{certificate['id']}"
        await sandbox.post(f"/_control/certificates/{certificate['id']}/flag")

        _, plain = await sandbox.get(path)
        _, brief = await sandbox.get(f"{path}?expand[]=review_results")
        _, full = await sandbox.get(f"{path}?expand[]=review_results.full")

        assert plain["review_results"] is None
        assert brief["review_results"]["summary"]["failed"] == 1
        assert "audit_results" not in brief["review_results"]
        assert full["review_results"]["audit_results"][0]["result"] == "fail"


async def test_any_event_can_be_emitted_twice_under_one_id():
    async with receiving() as receiver, running(callback=receiver.url) as sandbox:
        body = {"type": "planet.aligned", "data": {"x": 1}, "id": "ev_same"}
        await sandbox.made("/_control/emit", body)
        await sandbox.made("/_control/emit", body)
        await sandbox.drain()
        assert [event["id"] for event in receiver.bodies] == ["ev_same", "ev_same"]
        _, events = await sandbox.get("/events")
        assert len(events) == 1


async def test_registered_endpoints_get_what_they_asked_for_with_their_own_secret():
    async with receiving() as receiver, running() as sandbox:
        wanted = {"url": f"{receiver.url}/mine", "events": ["policy.active"]}
        hook = await sandbox.made("/webhook_endpoints", wanted)
        _, policy = await sandbox.insured()
        await sandbox.post(f"/_control/policies/{policy['id']}/cancel")
        await sandbox.drain()

        ((path, headers, raw),) = receiver.taken
        assert path == "/mine"
        assert signed_with(hook["secret"], headers, raw)


async def test_the_callback_registered_again_is_told_once_with_its_known_secret():
    async with receiving() as receiver, running(callback=receiver.url) as sandbox:
        hook = await sandbox.made("/webhook_endpoints", {"url": f"{receiver.url}/webhooks/1099policy"})
        assert hook["secret"] == "whsec_sandbox"
        await sandbox.insured()
        await sandbox.drain()
        ((_, headers, raw),) = receiver.taken
        assert signed_with("whsec_sandbox", headers, raw)


async def test_application_events_are_told_when_wanted():
    async with running(application_events=True) as sandbox:
        await sandbox.insured()
        _, events = await sandbox.get("/events")
        types = [event["type"] for event in reversed(events)]
        assert types == ["application.created", "application.complete", "policy.active"]


async def test_lanes_keep_the_order_of_each_contractor():
    async with receiving() as receiver, running(callback=receiver.url, delivery_lanes=4) as sandbox:
        _, policy = await sandbox.insured()
        await sandbox.post(f"/_control/policies/{policy['id']}/cancel")
        await sandbox.put(f"/policies/{policy['id']}", {"is_active": True})
        await sandbox.drain()
        assert receiver.types == ["policy.active", "policy.canceled", "policy.reactivated"]
