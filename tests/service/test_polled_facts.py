"""What the vendors show when asked becomes news exactly where an engagement shows something else."""

from typing import Any

import orjson
import pytest
from contracts.given import NOON
from story import (
    DAY,
    END,
    NOW,
    START,
    awaiting_opt_in,
    certificate_uploaded,
    insured,
    validated,
)

from domain import commands as c
from domain.state import Engagement
from service.clients.rows import ContractRow, OfferRow
from service.ingest.translate import Acts, translate
from service.poll.facts import Fact
from service.poll.policies import certificate_facts, gone_facts, policy_facts, running_policies
from service.poll.upwork import contract_facts, offer_facts
from service.ports import POLLED

LATER = NOW + 3 * DAY


def policy(**more: Any) -> dict[str, Any]:
    """As the vendor shows the one that `insured` knows."""
    (known,) = insured().engagement.policies.values()
    news = known.news[-1]
    return {
        "id": known.policy_id,
        "quote": known.quote_id,
        "status": "active",
        "is_active": True,
        "effective_date": news.effective_at,
        "expiration_date": news.expires_at,
        "created": NOW,
        **more,
    }


def types(facts: Any) -> list[str]:
    return [fact.type for fact in facts]


def told(engagement: Any, facts: list[Fact], now: int = LATER) -> Any:
    """The story after these facts were handled as deliveries."""
    for fact in facts:
        said = translate(fact.source, fact.delivery(NOON).body, now, {})
        if isinstance(said, Acts):
            engagement = engagement.when(said.command)
    return engagement


def test_a_policy_as_it_is_known_is_no_news() -> None:
    assert types(policy_facts(policy(), [insured().engagement], LATER)) == []


CHANGES: list[tuple[dict[str, Any], list[str], str]] = [
    ({"status": "cancelled", "cancellation_date": NOW + DAY}, ["policy.canceled"], "lapsed"),
    ({"status": "cancelled"}, ["policy.canceled"], "lapsed"),
    ({"status": "cancelled", "expiration_date": START + DAY}, ["policy.canceled"], "insured"),
    ({"status": None, "is_active": False}, ["policy.canceled"], "lapsed"),
    ({"status": "active", "is_active": False}, ["policy.canceled"], "lapsed"),
    ({"status": "canceled", "is_active": None}, ["policy.canceled"], "lapsed"),
    ({"status": "expired", "expiration_date": NOW + DAY}, ["policy.expired"], "lapsed"),
    ({"expiration_date": END + 30 * DAY}, ["policy.active"], "insured"),
]


@pytest.mark.parametrize(("change", "news", "state"), CHANGES)
def test_a_change_of_a_policy_becomes_one_piece_of_news_that_settles_it(
    change: dict[str, Any], news: list[str], state: str
) -> None:
    row, story = policy(**change), insured()
    facts = list(policy_facts(row, [story.engagement], LATER))
    assert types(facts) == news
    after = told(story, facts)
    assert after.engagement.state == state
    assert list(policy_facts(row, [after.engagement], LATER + 60)) == []


def test_a_policy_that_is_gone_is_cancelled_as_of_now_once() -> None:
    story = insured()
    (id,) = running_policies(story.engagement, LATER)
    (fact,) = gone_facts(id, [story.engagement], LATER)
    assert (fact.type, fact.about, fact.body["created"], fact.said_at) == ("policy.canceled", id, LATER, None)
    after = told(story, [fact]).becomes("lapsed")
    assert after.covered(LATER).covered is False
    assert running_policies(after.engagement, LATER) == []
    assert running_policies(story.engagement, END) == [], "it ran out, and may well be gone"


@pytest.mark.parametrize("status", ["sleeping", 7, ["active"], {}, ""])
def test_a_status_nobody_knows_proves_nothing(status: Any) -> None:
    row = policy(status=status, is_active=True, expiration_date=END + DAY)
    assert types(policy_facts(row, [insured().engagement, awaiting_opt_in().engagement], LATER)) == []


def test_a_policy_nobody_told_of_is_told_from_its_beginning() -> None:
    story = awaiting_opt_in()
    row = policy(status="cancelled", cancellation_date=NOW + DAY)
    facts = list(policy_facts(row, [story.engagement], LATER))
    assert types(facts) == ["policy.active", "policy.canceled"]
    assert [fact.body["created"] for fact in facts] == [NOW, LATER]
    assert list(policy_facts(row, [told(story, facts).engagement], LATER)) == []


def test_a_policy_reinstated_twice_is_told_twice() -> None:
    story, keys = insured(), []
    for turn in range(2):
        at = LATER + turn * DAY
        story = story.when(c.NotePolicyOver(at, policy()["id"], at, canceled=True))
        (fact,) = policy_facts(policy(), [story.engagement], at + 60)
        keys.append(fact.delivery(NOON).dedupe)
        story = told(story, [fact], at + 60)
        assert story.engagement.state == "insured"
    assert len(set(keys)) == 2


def test_a_vendor_whose_clock_runs_ahead_is_never_contradicted_by_older_news() -> None:
    story = insured().when(c.NotePolicyOver(LATER, policy()["id"], LATER, canceled=True))
    (fact,) = policy_facts(policy(), [story.engagement], NOW)
    assert fact.body["created"] == LATER
    assert told(story, [fact]).engagement.state == "insured"


def test_a_policy_that_ran_out_by_time_alone_is_no_news() -> None:
    row = policy(status="expired", is_active=False)
    assert types(policy_facts(row, [insured().engagement], row["expiration_date"])) == []


def test_one_engagement_that_misses_the_news_is_enough() -> None:
    row = policy(quote=None)
    facts = policy_facts(row, [insured().engagement, awaiting_opt_in().engagement], LATER)
    assert types(facts) == ["policy.active"]
    assert types(policy_facts(row, [], LATER)) == []


@pytest.mark.parametrize(
    ("status", "type", "state"),
    [
        ("approved", "certificate.validated", "coi_validated"),
        ("flagged", "certificate.flagged", "under_review"),
        ("denied", "certificate.denied", "under_review"),
        ("error", "certificate.error", "under_review"),
    ],
)
def test_a_verdict_on_a_certificate_becomes_news(status: str, type: str, state: str) -> None:
    story = certificate_uploaded()
    (certificate,) = story.engagement.certificates.values()
    row = {"id": certificate.certificate_id, "status": status, "updated": LATER - 60}
    (fact,) = certificate_facts(row, certificate, LATER)
    assert (fact.type, fact.body["created"], fact.said_at) == (type, LATER - 60, LATER - 60)
    after = told(story, [fact])
    assert after.engagement.state == state
    (certificate,) = after.engagement.certificates.values()
    assert list(certificate_facts(row, certificate, LATER)) == []


def test_a_certificate_still_looked_at_is_no_news() -> None:
    (certificate,) = certificate_uploaded().engagement.certificates.values()
    for status in ("pending", "processing", None):
        assert list(certificate_facts({"id": "ci", "status": status}, certificate, LATER)) == []
    (valid,) = certificate_uploaded().given(validated()).engagement.certificates.values()
    assert list(certificate_facts({"id": "ci", "status": "approved"}, valid, LATER)) == []


def contract(status: str | None, **more: Any) -> ContractRow:
    given: dict[str, Any] = {"ended_at": None, "modified": LATER, **more}
    return ContractRow("9001", status, offer_id="of_1", freelancer_id="fl_1", client_id=None, **given)


def offer(state: str) -> OfferRow:
    return OfferRow("of_1", "9001", state, "fl_1", "cl_1", LATER)


@pytest.mark.parametrize(
    ("state", "status", "news"),
    [
        ("Pending", None, ["offer.accepted"]),
        ("Active", "ACTIVE", ["offer.accepted", "contract.active"]),
        ("Paused", "PAUSED", ["offer.accepted"]),
        ("Ended", "CLOSED", ["contract.ended", "offer.accepted"]),
    ],
)
def test_an_offer_nobody_told_of_is_told_with_all_its_contract_came_to(
    state: str, status: str | None, news: list[str]
) -> None:
    facts = list(offer_facts(offer(state), contract(status), LATER))
    assert types(facts) == news
    names = next(fact.body["data"] for fact in facts if fact.type == "offer.accepted")
    assert {name: value["id"] for name, value in names.items()} == {
        "offer": "of_1",
        "contract": "9001",
        "freelancer": "fl_1",
        "client": "cl_1",
    }
    assert all(isinstance(translate("upwork", f.delivery(NOON).body, LATER, {}), Acts) for f in facts)


def test_a_contract_is_news_only_where_the_engagement_does_not_show_it() -> None:
    begun = Engagement("9001", version=1, active=True)
    over = Engagement("9001", version=2, active=True, ended_at=LATER)
    assert types(contract_facts(contract("ACTIVE"), begun, LATER)) == []
    assert types(contract_facts(contract("CLOSED"), begun, LATER)) == ["contract.ended"]
    for status in ("ACTIVE", "CLOSED", "PAUSED", None):
        assert types(contract_facts(contract(status), over, LATER)) == []


@pytest.mark.parametrize(
    ("ended_at", "modified", "ended"),
    [
        (LATER, LATER + 60, LATER),
        (START // DAY * DAY, START // DAY * DAY + 3600, START // DAY * DAY + 3600),
        (START // DAY * DAY, START + 9 * DAY, START // DAY * DAY),
        (None, LATER, LATER),
        (END + 99 * DAY, LATER, LATER),
        (None, None, END),
    ],
)
def test_when_a_contract_ended_is_as_sharp_as_upwork_says(
    ended_at: int | None, modified: int | None, ended: int
) -> None:
    row = contract("CLOSED", ended_at=ended_at, modified=modified)
    (fact,) = contract_facts(row, Engagement("9001", version=1), END)
    said = translate("upwork", fact.delivery(NOON).body, END, {})
    assert isinstance(said, Acts)
    assert isinstance(said.command, c.EndContract)
    assert said.command.ended_at == ended


def test_an_event_has_the_key_that_its_webhook_has() -> None:
    event = {"id": "ev_1", "type": "policy.active", "created": NOW, "data": {}}
    delivery = Fact("1099policy", event, "ev_1", NOW).delivery(NOON)
    assert (delivery.dedupe, delivery.verdict) == ("body:ev_1", POLLED)
    assert orjson.loads(delivery.body) == event


@pytest.mark.parametrize(
    ("change", "said_at"),
    [
        ({"status": "cancelled", "cancellation_date": LATER - 30}, LATER - 30),
        ({"status": "expired", "expiration_date": LATER - 30}, LATER - 30),
        ({"status": "cancelled", "cancellation_date": LATER + DAY}, None),
        ({"status": "cancelled"}, None),
        ({"expiration_date": END + DAY}, None),
    ],
)
def test_a_status_is_as_old_as_the_date_it_shows(change: dict[str, Any], said_at: int | None) -> None:
    (fact,) = policy_facts(policy(**change), [insured().engagement], LATER)
    assert fact.said_at == said_at


@pytest.mark.parametrize(
    ("said_at", "webhook", "late"),
    [
        (LATER - 61, True, True),
        (LATER - 59, True, False),
        (NOW - 1, True, False),
        (None, True, True),
        (LATER - 61, False, False),
    ],
)
def test_only_what_a_webhook_should_have_brought_by_now_is_late(
    said_at: int | None, webhook: bool, late: bool
) -> None:
    fact = Fact("1099policy", {"type": "policy.active"}, "pl_1", said_at, webhook)
    assert fact.is_late(since=NOW, until=LATER - 60) is late
