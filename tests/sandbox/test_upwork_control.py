"""Control calls make contracts, tell webhooks, and put everything back."""

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest
from upwork_driver import receiving, running

READ = """
query Read($id: ID!) {
  contract(id: $id) {
    id title description hourlyRate { amount currency } fixedBudget { amount } category { name }
    startDate endDate attachments { id fileName url contentType }
  }
}
"""
WHO = """
query Who($id: ID!) {
  freelancer(id: $id) { id displayName email location { country region locality } }
}
"""


async def read(upwork, id: str):
    return (await upwork.data(READ, id=id))["contract"]


async def window(upwork, id: str = "9001"):
    contract = await read(upwork, id)
    return contract["startDate"], contract["endDate"]


# ---- the seed


async def test_the_seeded_contract_starts_tomorrow_and_ends_91_days_later():
    async with running() as upwork:
        start, end = (datetime.fromisoformat(day) for day in await window(upwork))
        tomorrow = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
        assert timedelta(0) <= tomorrow - start < timedelta(days=1)
        assert end - start == timedelta(days=91)


async def test_before_the_guides_start_it_has_exactly_the_guides_dates():
    async with running() as upwork:
        await upwork.control("clock", {"now": "2025-11-20T08:00:00Z"})
        guide = ("2025-12-01T22:40:00+0000", "2026-03-02T10:40:00+0000")
        assert await window(upwork) == guide
        await upwork.control("clock", {"now": "2026-01-15T00:00:00Z"})
        assert await window(upwork) == guide, "a contract does not wander with the clock"


async def test_with_the_clock_set_later_it_starts_on_that_clocks_tomorrow():
    async with running() as upwork:
        await upwork.control("clock", {"now": "2027-05-31T23:59:00Z"})
        await upwork.sign_in()
        assert await window(upwork) == ("2027-06-01", "2027-08-31")
        await upwork.control("clock", {"advance": 10 * 86_400})
        await upwork.sign_in()
        assert (await window(upwork))[0] == "2027-06-01"


async def test_a_reset_puts_everything_back():
    async with running() as upwork:
        await upwork.control("clock", {"now": "2025-11-20T08:00:00Z"})
        await upwork.control("contracts", {"contract": {"id": "9001", "title": "Other"}})
        await upwork.control("contracts", {"contract": {"id": "77"}})
        await upwork.control("reset")
        await upwork.sign_in()
        assert (await read(upwork, "9001"))["title"] == "Frontend Developer"
        assert await read(upwork, "77") is None
        assert await upwork.told() == []


# ---- making contracts


async def test_with_nothing_given_a_plausible_contract_is_made():
    async with running() as upwork:
        made = [await upwork.control("contracts") for _ in range(3)]
        names = set()
        for each in made:
            assert re.fullmatch(r"\d+", each["contract"]["id"])
            person = (await upwork.data(WHO, id=each["freelancer"]["id"]))["freelancer"]
            assert re.fullmatch(r"\w+ \w+", person["displayName"])
            assert person["location"]["country"] == "US"
            names.add(person["displayName"])
            assert (await read(upwork, each["contract"]["id"]))["hourlyRate"]["amount"] > 0
        assert len(names) == len({each["contract"]["id"] for each in made}) == 3


async def test_given_values_are_kept():
    async with running() as upwork:
        contract = {
            "id": "c-1",
            "title": "Welder",
            "description": "Weld",
            "fixedBudget": {"amount": 900},
            "category": {"name": "Legal"},
            "startDate": "2027-02-01",
            "endDate": "2027-03-01T05:00:00+05:00",
        }
        freelancer = {"id": "fl_2", "displayName": "Ines Sol", "location": {"country": "ES"}}
        answer = await upwork.control("contracts", {"contract": contract, "freelancer": freelancer})
        assert (answer["contract"]["id"], answer["freelancer"]["id"]) == ("c-1", "fl_2")
        assert await read(upwork, "c-1") == {
            **contract,
            "hourlyRate": None,
            "endDate": "2027-03-01",
            "attachments": [],
        }
        assert (await upwork.data(WHO, id="fl_2"))["freelancer"] == {
            **freelancer,
            "email": None,
            "location": {"country": "ES", "region": None, "locality": None},
        }


async def test_null_stays_null_so_that_bad_input_can_be_driven():
    async with running() as upwork:
        contract = dict.fromkeys(("title", "hourlyRate", "category", "endDate"), None)
        body = {
            "contract": {"id": "1", **contract, "startDate": "soon"},
            "freelancer": {"id": "f", "displayName": None, "location": None},
            "attachments": [{"id": "a", "fileName": "x.png", "url": None}],
        }
        await upwork.control("contracts", body)
        found = await read(upwork, "1")
        assert found.items() >= contract.items()
        assert (found["fixedBudget"], found["startDate"]) == (None, "soon")
        assert found["attachments"] == [
            {"id": "a", "fileName": "x.png", "url": None, "contentType": "image/png"}
        ]
        person = (await upwork.data(WHO, id="f"))["freelancer"]
        assert (person["displayName"], person["location"]) == (None, None)


async def test_a_known_contract_is_changed_and_offered_again():
    async with running() as upwork:
        first = await upwork.control("contracts", {"contract": {"id": "1", "title": "A"}})
        second = await upwork.control(
            "contracts", {"contract": {"id": "1", "title": "B"}, "freelancer": {"displayName": "Zoe Quist"}}
        )
        assert second["offer"] == first["offer"]
        assert second["freelancer"] == first["freelancer"]
        assert (await read(upwork, "1"))["title"] == "B"
        who = (await upwork.data(WHO, id=first["freelancer"]["id"]))["freelancer"]
        assert who["displayName"] == "Zoe Quist"
        assert [event["type"] for event in await upwork.told()] == ["offer.accepted"] * 2


async def test_an_attachment_without_a_url_is_a_hosted_pdf():
    async with running() as upwork:
        spoilt = base64.b64encode(b"not a pdf").decode()
        attachments = [
            {"fileName": "my coi.pdf"},
            {"id": "2", "fileName": "x.bin", "contentType": "text/plain", "content_base64": spoilt},
            {"id": "3", "fileName": "far.pdf", "url": "https://elsewhere/far.pdf"},
        ]
        await upwork.control("contracts", {"contract": {"id": "1"}, "attachments": attachments})
        hosted, given, far = (await read(upwork, "1"))["attachments"]
        assert hosted["url"] == f"{upwork.base}/files/{hosted['id']}/my%20coi.pdf"
        async with upwork.http.get(hosted["url"]) as answer:
            assert (answer.status, answer.content_type) == (200, "application/pdf")
            content = await answer.read()
            assert content.startswith(b"%PDF-1.4")
            assert content.endswith(b"%%EOF\n")
        async with upwork.http.get(given["url"]) as answer:
            assert (answer.content_type, await answer.read()) == ("text/plain", b"not a pdf")
        assert far["url"] == "https://elsewhere/far.pdf"


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"contract": 3},
        {"attachments": {}},
        {"attachments": [{"content_base64": "§"}]},
        {"contract": {"client": "x"}},
    ],
)
async def test_a_control_body_that_cannot_be_understood_is_400(body):
    async with running() as upwork:
        status, answer = await upwork.request("POST", "/_control/contracts", json=body)
        assert (status, answer["error_code"]) == (400, "bad_control")


async def test_an_unknown_contract_is_404():
    async with running() as upwork:
        for path in ("offer", "activate", "end"):
            assert (await upwork.request("POST", f"/_control/contracts/nope/{path}"))[0] == 404


# ---- webhooks


async def test_the_whole_life_is_told_to_the_callback():
    async with receiving() as receiver, running(callback=receiver.base + "/") as upwork:
        answer = await upwork.control("contracts/9001/offer")
        await upwork.control("contracts/9001/activate")
        await upwork.control("contracts/9001/end", {"endedAt": "2027-01-05"})
        await upwork.told()
        assert [path for path, _, _ in receiver.received] == ["/webhooks/upwork"] * 3
        _, headers, body = receiver.received[0]
        assert headers["X-Upwork-Webhook-Token"] == "upwork-sandbox-token"
        assert body.pop("id") == answer["delivery"]["id"]
        assert datetime.fromisoformat(body.pop("createdAt")).tzinfo
        assert body == {
            "type": "offer.accepted",
            "organizationId": "1181921839933591552",
            "data": {
                "offer": answer["offer"],
                "contract": {"id": "9001"},
                "freelancer": {"id": "fl_12345"},
                "client": {"id": "client_1"},
            },
        }
        assert [body["type"] for _, _, body in receiver.received[1:]] == ["contract.active", "contract.ended"]
        details = '{ contractDetails(id: "9001") { status endDate offer { state } } }'
        assert (await upwork.data(details))["contractDetails"] == {
            "status": "CLOSED",
            "endDate": "2027-01-05",
            "offer": {"state": "ACCEPTED"},
        }


async def test_offer_false_makes_a_contract_and_tells_nothing():
    async with running() as upwork:
        answer = await upwork.control("contracts", {"offer": False})
        assert answer["delivery"] is None
        assert await upwork.told() == []


async def test_any_webhook_can_be_told():
    async with receiving() as receiver, running(callback=receiver.base) as upwork:
        answer = await upwork.control("emit", {"type": "milestone.paid", "data": {"milestone": {"id": "m"}}})
        await upwork.told()
        [(_, _, body)] = receiver.received
        assert (body["id"], body["type"]) == (answer["delivery"]["id"], "milestone.paid")
        assert body["data"] == {"milestone": {"id": "m"}}
        [delivery] = await upwork.control("deliveries", method="GET")
        assert (delivery["status"], delivery["answer"]) == ("delivered", 202)


async def test_shared_faults_and_counts_work_here():
    async with running() as upwork:
        await upwork.control("faults", {"match": "POST /graphql", "kind": "status:503"})
        await upwork.control("faults", {"match": "POST /graphql", "kind": "retry-after:7"})
        assert (await upwork.post_graphql({"query": "{ user { id } }"}))[0] == 503
        assert await upwork.post_graphql({"query": "{ user { id } }"}) == (
            429,
            {"message": "Too Many Requests"},
        )
        assert await upwork.data("{ user { id } }")
        calls = await upwork.control("calls", method="GET")
        assert calls["by_route"] == {"POST /api/v3/oauth2/token": 1, "POST /graphql": 3}
        objects = await upwork.control("objects", method="GET")
        assert objects["contracts"]["9001"]["title"] == "Frontend Developer"


# ---- limits and memory


async def test_over_the_limit_answers_429():
    async with running(enforce_limits=True, rate_limit=(100, 3)) as upwork:  # signing in was the first call
        answers = [(await upwork.post_graphql({"query": "{ user { id } }"}))[0] for _ in range(4)]
        assert answers == [200, 200, 429, 429]
        assert await upwork.control("calls", method="GET"), "control calls are not limited"


async def test_a_restarted_sandbox_remembers(tmp_path):
    path = tmp_path / "upwork" / "state.json"
    async with running(state_path=path) as upwork:
        await upwork.control("clock", {"now": "2026-12-31T00:00:00Z"})
        await upwork.sign_in()
        await upwork.control(
            "contracts",
            {"contract": {"id": "1", "hourlyRate": {"amount": "80.5"}}, "attachments": [{"id": "a"}]},
        )
        before = await read(upwork, "1"), await window(upwork)
        headers = upwork.headers
    async with running(state_path=path) as upwork:
        upwork.headers = headers
        contract, dates = await read(upwork, "1"), await window(upwork)
        assert contract["hourlyRate"] == before[0]["hourlyRate"]
        assert dates == before[1] == ("2027-01-01", "2027-04-02")
        async with upwork.http.get(contract["attachments"][0]["url"]) as answer:
            assert (await answer.read()).startswith(b"%PDF")


async def test_what_was_not_delivered_is_told_again_after_a_restart(tmp_path):
    path = tmp_path / "state.json"
    async with running(state_path=path, callback="http://127.0.0.1:9", retry_base_seconds=60) as upwork:
        sent = (await upwork.control("contracts/9001/offer"))["delivery"]["id"]
    async with receiving() as receiver, running(state_path=path, callback=receiver.base) as upwork:
        await upwork.told()
        assert [body["id"] for _, _, body in receiver.received] == [sent]
