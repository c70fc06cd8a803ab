"""Every flow of the guide as the news its vendors send, in the polite order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from orders.vendors import Call, Facts, Record
from story import DAY, END, NOW, START

LATER = END + 30 * DAY


@dataclass(frozen=True)
class News:
    """One thing a vendor says at ``at`` (its own clock, seconds), as the document it sends.

    ``after`` is the call without which the vendor could not have said it.
    """

    source: str
    at: int
    document: dict[str, Any]
    after: Call | None = None

    @property
    def name(self) -> str:
        return f"{self.document['type']}@{self.at - NOW}"

    def body(self, copy: int, *, metadata: bool) -> bytes:
        """The raw body. A ``copy`` tells the same under an id of its own; 1099Policy's reference knows no
        metadata on policies and certificates."""
        document = {**self.document, "id": f"{self.document['id']}{'-again' * copy}"}
        data = document["data"]
        if not metadata:
            plain = {k: v for k, v in data.items() if k != "custom_metadata"}
            nested = plain.get("object")
            if isinstance(nested, dict):
                plain["object"] = {k: v for k, v in nested.items() if k != "custom_metadata"}
            document["data"] = plain
        return orjson.dumps(document)


@dataclass(frozen=True)
class Flow:
    """``prelude`` always happens politely first; ``news`` in any order; ``looked_at`` when all is over."""

    name: str
    state: str
    prelude: tuple[News, ...]
    news: tuple[News, ...]
    facts: Facts
    engagements: tuple[str, ...]
    looked_at: int

    @property
    def ends(self) -> bool:
        return any(news.document["type"] == "contract.ended" for news in self.news)

    @property
    def instants(self) -> tuple[int, ...]:
        """Where the answer may change, and just before and after."""
        edges = {NOW, START, END, self.looked_at, *(news.at for news in self.news)}
        for records in self.facts.policies.values():
            edges |= {v for r in records for v in r.shown.values() if isinstance(v, int) and v > 1}
        for news in self.news:
            shown = news.document["data"].get("object")
            edges |= {v for v in (shown if isinstance(shown, dict) else {}).values() if isinstance(v, int)}
        return tuple(sorted({t + d for t in edges for d in (-1, 0, 1)}))


@dataclass
class Script:
    """Writes a flow. ``tag`` makes its ids its own; an engagement is named by a letter."""

    tag: str
    said: list[News] = field(default_factory=list)
    policies: dict[str, list[Record]] = field(default_factory=dict)
    assigned: dict[str, str] = field(default_factory=dict)
    canceled: dict[str, tuple[int, int]] = field(default_factory=dict)
    certificates: set[str] = field(default_factory=set)
    prelude: int = 0
    looked_at: int = START + 60 * DAY

    def id(self, letter: str) -> str:
        return f"{self.tag}{letter}"

    def offer(self, letter: str = "a", at: int = NOW) -> None:
        self._upwork("offer.accepted", letter, at)

    def active(self, letter: str = "a", at: int = NOW + DAY) -> None:
        self._upwork("contract.active", letter, at)

    def ended(self, letter: str = "a", at: int = START + 20 * DAY) -> None:
        self._upwork("contract.ended", letter, at)

    def certificate_attached(self, letter: str = "a") -> None:
        self.certificates.add(self.id(letter))

    def assigned_under(self, policy: str, letter: str) -> None:
        self.assigned[self.id(letter)] = f"pl_{self.tag}{policy}"

    def the_rest_is_shuffled(self) -> None:
        """What was said so far is the prelude."""
        self.prelude = len(self.said)

    def policy(
        self,
        type: str,
        at: int,
        letter: str = "a",
        name: str = "p",
        starts: int | None = START,
        ends: int | None = END,
        canceled: int | None = None,
        dated: bool = True,
    ) -> None:
        """News of a policy that came from this engagement's session; the policy is so from then on.

        ``dated``: whether the news carries the dates, or the API alone.
        """
        id, engagement = f"pl_{self.tag}{name}", self.id(letter)
        status = {
            "policy.expired": "expired",
            "policy.canceled": "cancelled",
            "policy.cancelled": "cancelled",
        }
        shown = {
            "id": id,
            "quote": f"qt_{engagement}",
            "contractor": f"cn_fl_{self.tag}",
            "status": status.get(type, "active"),
            "is_active": type not in status,
            "effective_date": starts,
            "expiration_date": ends,
            "cancellation_date": canceled,
            "created": self.policies[id][0].since if id in self.policies else at,
            "custom_metadata": {"engagement_id": engagement},
        }
        self.policies.setdefault(id, []).append(Record(at, shown))
        told = shown if dated else {k: v for k, v in shown.items() if not k.endswith("_date")}
        data = {**told, "object": "policy"}
        self._say("1099policy", type, at, {"created": at, "data": data}, (engagement, "open_session"))

    def certificate(
        self, type: str, at: int, letter: str = "a", starts: int | None = NOW, ends: int | None = END
    ) -> None:
        engagement = self.id(letter)
        shown: dict[str, Any] = {
            "id": f"crt_{engagement}",
            "contractor": f"cn_fl_{self.tag}",
            "custom_metadata": {"engagement_id": engagement},
        }
        if type in ("certificate.validated", "certificate.approved"):
            shown |= {"effective_date": starts, "expiration_date": ends}
        data = {"object": shown}
        self._say("1099policy", type, at, {"created": at, "data": data}, (engagement, "upload_certificate"))

    def assignment_cancelled(
        self, letter: str, at: int, canceled: int | None = None, after: str = "create_assignment"
    ) -> None:
        """An assignment is cancelled at 1099Policy; ``after`` is the call that brings it about."""
        engagement = self.id(letter)
        if after == "create_assignment":
            self.canceled[engagement] = at, at if canceled is None else canceled
        data = {
            "object": "assignment",
            "id": f"an_{engagement}",
            "job": f"jb_{engagement}",
            "cancelled": True,
            "cancellation_date": at if canceled is None else canceled,
            "custom_metadata": {"engagement_id": engagement},
        }
        self._say(
            "1099policy", "assignment.cancelled", at, {"created": at, "data": data}, (engagement, after)
        )

    def _upwork(self, type: str, letter: str, at: int) -> None:
        ids = {
            "offer": {"id": f"of_{self.id(letter)}"},
            "contract": {"id": self.id(letter)},
            "freelancer": {"id": f"fl_{self.tag}"},
            "client": {"id": "org_7"},
        }
        when = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
        self._say("upwork", type, at, {"createdAt": when, "organizationId": "org_7", "data": ids}, None)

    def _say(self, source: str, type: str, at: int, rest: dict[str, Any], after: Call | None) -> None:
        document = {"id": f"ev_{self.tag}{len(self.said)}", "type": type, **rest}
        self.said.append(News(source, at, document, after))

    def flow(self, name: str, state: str) -> Flow:
        engagements = {n.document["data"]["contract"]["id"] for n in self.said if n.source == "upwork"}
        return Flow(
            name,
            state,
            tuple(self.said[: self.prelude]),
            tuple(self.said[self.prelude :]),
            Facts(self.policies, self.assigned, self.canceled, frozenset(self.certificates)),
            tuple(sorted(engagements)),
            self.looked_at,
        )


def _insured(s: Script) -> None:
    s.offer()
    s.active()
    s.policy("policy.active", NOW + 2 * DAY)


def _returning(s: Script, active_at: int = NOW + 4 * DAY) -> None:
    """The freelancer has opted in with engagement a; b comes under the same policy."""
    _insured(s)
    s.the_rest_is_shuffled()
    s.assigned_under("p", "b")
    s.offer("b", NOW + 3 * DAY)
    s.active("b", active_at)


def first_time(s: Script) -> str:
    _insured(s)
    return "insured"


def no_offer_first(s: Script) -> str:
    s.active()
    s.policy("policy.active", NOW + 2 * DAY)
    return "insured"


def news_without_dates(s: Script) -> str:
    s.offer()
    s.active()
    s.policy("policy.active", NOW + 2 * DAY, dated=False)
    return "insured"


def returning(s: Script) -> str:
    _returning(s)
    return "insured"


def own_certificate(s: Script) -> str:
    s.certificate_attached()
    s.offer()
    s.active()
    s.certificate("certificate.validated", NOW + 2 * DAY)
    return "coi_validated"


def flagged(s: Script) -> str:
    s.certificate_attached()
    s.offer()
    s.active()
    s.certificate("certificate.flagged", NOW + 2 * DAY)
    return "under_review"


def denied(s: Script) -> str:
    s.certificate_attached()
    s.offer()
    s.certificate("certificate.flagged", NOW + 2 * DAY)
    s.certificate("certificate.denied", NOW + 3 * DAY)
    return "under_review"


def flagged_then_validated(s: Script) -> str:
    flagged(s)
    s.certificate("certificate.approved", NOW + 3 * DAY)
    return "coi_validated"


def expired(s: Script) -> str:
    _insured(s)
    s.policy("policy.expired", START + 10 * DAY, ends=START + 10 * DAY)
    return "lapsed"


def canceled(s: Script) -> str:
    _insured(s)
    s.policy("policy.canceled", START + 10 * DAY, canceled=START + 10 * DAY)
    return "lapsed"


def canceled_back_dated(s: Script) -> str:
    _insured(s)
    s.policy("policy.cancelled", START + 10 * DAY, canceled=START + 3 * DAY)
    return "lapsed"


def canceled_by_a_sooner_expiration(s: Script) -> str:
    _insured(s)
    s.policy("policy.canceled", START + 10 * DAY, ends=START + 20 * DAY)
    s.policy("policy.canceled", START + 11 * DAY, ends=START + 20 * DAY)
    return "lapsed"


def canceled_again_for_earlier(s: Script) -> str:
    _insured(s)
    s.policy("policy.canceled", START + 10 * DAY, canceled=START + 9 * DAY)
    s.policy("policy.canceled", START + 11 * DAY, canceled=START + 4 * DAY)
    return "lapsed"


def canceled_ahead(s: Script) -> str:
    _insured(s)
    s.policy("policy.canceled", START + 10 * DAY, canceled=START + 30 * DAY)
    return "lapsed"


def falls_back_to_the_certificate(s: Script) -> str:
    s.certificate_attached()
    s.offer()
    s.active()
    s.certificate("certificate.validated", NOW + 2 * DAY)
    s.policy("policy.active", NOW + 3 * DAY)
    s.policy("policy.canceled", START + 10 * DAY, canceled=START + 10 * DAY)
    return "coi_validated"


def falls_back_to_the_policy(s: Script) -> str:
    s.certificate_attached()
    s.offer()
    s.active()
    s.certificate("certificate.validated", NOW + 2 * DAY)
    s.policy("policy.active", NOW + 3 * DAY, starts=START + DAY)
    s.certificate("certificate.flagged", START + 10 * DAY)
    return "insured"


def both_fall(s: Script) -> str:
    falls_back_to_the_certificate(s)
    s.certificate("certificate.denied", START + 12 * DAY)
    return "lapsed"


def certificate_runs_out(s: Script) -> str:
    s.certificate_attached()
    s.offer()
    s.certificate("certificate.validated", NOW + 2 * DAY, ends=START + 5 * DAY)
    return "lapsed"


def policy_runs_out(s: Script) -> str:
    _insured(s)
    s.looked_at = LATER
    return "lapsed"


def recovered_without_a_gap(s: Script) -> str:
    canceled(s)
    s.policy("policy.reactivated", START + 12 * DAY)
    return "insured"


def recovered_with_a_gap(s: Script) -> str:
    canceled(s)
    s.policy("policy.reactivated", START + 12 * DAY, starts=START + 13 * DAY)
    return "insured"


def recovered_with_a_new_policy(s: Script) -> str:
    expired(s)
    s.policy("policy.active", START + 12 * DAY, name="new", starts=START + 13 * DAY)
    return "insured"


def recovered_and_canceled_again(s: Script) -> str:
    recovered_without_a_gap(s)
    s.policy("policy.canceled", START + 14 * DAY, canceled=START + 14 * DAY)
    return "lapsed"


def first_time_to_the_end(s: Script) -> str:
    _insured(s)
    s.ended()
    return "ended"


def first_time_ended_before_its_start(s: Script) -> str:
    _insured(s)
    s.ended(at=START - DAY)
    return "ended"


def active_after_the_end(s: Script) -> str:
    s.offer()
    s.active()
    s.ended()
    s.policy("policy.active", START + 21 * DAY)
    return "ended"


def certificate_to_the_end(s: Script) -> str:
    own_certificate(s)
    s.ended()
    return "ended"


def returning_to_the_end(s: Script) -> str:
    _returning(s)
    s.ended("b")
    return "ended"


def returning_ended_before_its_start(s: Script) -> str:
    _returning(s)
    s.ended("b", START - DAY)
    return "ended"


def assignment_is_cancelled(s: Script) -> str:
    _returning(s)
    s.assignment_cancelled("b", START + 10 * DAY, START + 8 * DAY)
    return "lapsed"


def assignment_is_cancelled_before_its_start(s: Script) -> str:
    _returning(s)
    s.assignment_cancelled("b", START - DAY)
    return "lapsed"


def assignment_is_cancelled_and_the_contract_ends(s: Script) -> str:
    assignment_is_cancelled(s)
    s.ended("b")
    return "ended"


def assignment_is_cancelled_because_the_contract_ended(s: Script) -> str:
    returning_ended_before_its_start(s)
    s.assignment_cancelled("b", START - DAY + 60, after="cancel_assignments")
    return "ended"


def one_policy_expires_for_both(s: Script) -> str:
    _returning(s)
    s.policy("policy.expired", START + 10 * DAY, ends=START + 10 * DAY)
    return "lapsed"


def one_policy_is_canceled_for_both(s: Script) -> str:
    _returning(s)
    s.policy("policy.canceled", START + 10 * DAY, canceled=START + 8 * DAY)
    return "lapsed"


def one_policy_expires_sooner_for_both(s: Script) -> str:
    _returning(s)
    s.policy("policy.canceled", START + 10 * DAY, ends=START + 20 * DAY)
    return "lapsed"


def one_policy_recovers_for_both(s: Script) -> str:
    one_policy_is_canceled_for_both(s)
    s.policy("policy.reactivated", START + 12 * DAY, starts=START + 13 * DAY)
    return "insured"


def one_late_policy_is_canceled_for_both(s: Script) -> str:
    """Contract c had a session of its own before anybody had opted in; b comes under the policy it led to."""
    s.offer()
    s.offer("c", NOW + 1)
    s.policy("policy.active", NOW + 2 * DAY)
    s.the_rest_is_shuffled()
    s.assigned_under("q", "b")
    s.policy("policy.active", NOW + 3 * DAY, "c", "q")
    s.offer("b", NOW + 4 * DAY)
    s.active("b", NOW + 5 * DAY)
    s.policy("policy.canceled", START + 10 * DAY, "c", "q", canceled=START + 8 * DAY)
    return "lapsed"


def news_without_dates_then_canceled(s: Script) -> str:
    news_without_dates(s)
    s.policy("policy.canceled", START + 10 * DAY, canceled=START + 10 * DAY)
    return "lapsed"


FLOWS: tuple[Callable[[Script], str], ...] = (
    first_time,
    no_offer_first,
    news_without_dates,
    news_without_dates_then_canceled,
    returning,
    own_certificate,
    flagged,
    denied,
    flagged_then_validated,
    expired,
    canceled,
    canceled_back_dated,
    canceled_by_a_sooner_expiration,
    canceled_again_for_earlier,
    canceled_ahead,
    falls_back_to_the_certificate,
    falls_back_to_the_policy,
    both_fall,
    certificate_runs_out,
    policy_runs_out,
    recovered_without_a_gap,
    recovered_with_a_gap,
    recovered_with_a_new_policy,
    recovered_and_canceled_again,
    first_time_to_the_end,
    first_time_ended_before_its_start,
    active_after_the_end,
    certificate_to_the_end,
    returning_to_the_end,
    returning_ended_before_its_start,
    assignment_is_cancelled,
    assignment_is_cancelled_before_its_start,
    assignment_is_cancelled_and_the_contract_ends,
    assignment_is_cancelled_because_the_contract_ended,
    one_policy_expires_for_both,
    one_policy_is_canceled_for_both,
    one_policy_expires_sooner_for_both,
    one_policy_recovers_for_both,
    one_late_policy_is_canceled_for_both,
)


def written(flow: Callable[[Script], str], tag: str) -> Flow:
    script = Script(tag)
    state = flow(script)
    return script.flow(flow.__name__, state)
