"""What 1099Policy says of policies and certificates, kept in the order in which it said it.

The folds of those events; see `folds`.
"""

from itertools import groupby, pairwise

from msgspec.structs import replace

from domain import events as e
from domain.state import Certificate, CertificateNews, Engagement, Policy, PolicyNews


def policy_active(s: Engagement, event: e.PolicyActivated, _: int) -> Engagement:
    news = PolicyNews(
        event.said_at,
        s.version,
        "active",
        event.effective_at,
        event.expires_at,
        resumed=event.resumed,
        doubtful=event.doubtful,
    )
    return _policy_told(s, event.policy_id, news, event.quote_id)


def policy_expired(s: Engagement, event: e.PolicyExpired, _: int) -> Engagement:
    over = event.ended_at
    news = PolicyNews(event.said_at, s.version, "expired", ended_at=over, read_back=event.read_back)
    return _policy_told(s, event.policy_id, news)


def policy_canceled(s: Engagement, event: e.PolicyCanceled, _: int) -> Engagement:
    dates = None, event.expires_at, event.ended_at
    news = PolicyNews(event.said_at, s.version, "canceled", *dates, read_back=event.read_back)
    return _policy_told(s, event.policy_id, news)


def _policy_told(s: Engagement, policy_id: str, news: PolicyNews, quote_id: str | None = None) -> Engagement:
    known = s.policies.get(policy_id) or Policy(policy_id)
    told = Policy(policy_id, known.quote_id or quote_id, in_order((*known.news, news)))
    return replace(s, policies={**s.policies, policy_id: told})


def in_order(news: tuple[PolicyNews, ...]) -> tuple[PolicyNews, ...]:
    """By the vendor's clock, which counts whole seconds; within one the order of arrival says nothing.

    In one second no policy ends before it is active nor is resumed before it ends, and one that was active
    ends before it is active again; an end that was read back is later than all of these. Of several terms
    the earliest start is told last and wins: a reading later on may show a later one.
    """
    if all(one.said_at < other.said_at for one, other in pairwise(news)):
        return news  # each in a second of its own, as they came
    told: list[PolicyNews] = []
    for _, second in groupby(sorted(news, key=_place), key=lambda n: n.said_at):
        running = bool(told) and told[-1].kind == "active"
        told += sorted(second, key=lambda n: _turn(n, running))
    return tuple(told)


def _turn(n: PolicyNews, running: bool) -> int:
    if n.kind != "active":
        return 3 if n.read_back else 1
    return 2 if n.resumed or running else 0


def _place(n: PolicyNews) -> tuple[int, ...]:
    times = (n.effective_at, n.expires_at, n.ended_at)
    return n.said_at, *map(_latest_first, times), n.kind == "expired", n.version


def _latest_first(t: int | None) -> int:
    """What is not known comes before what is."""
    return -(1 << 40) if t is None else -t


def certificate_validated(s: Engagement, event: e.CertificateValidated, _: int) -> Engagement:
    news = CertificateNews(event.said_at, s.version, "validated", event.valid_from, event.valid_until)
    return _certificate_told(s, event.certificate_id, news)


def certificate_flagged(s: Engagement, event: e.CertificateFlagged, _: int) -> Engagement:
    return _certificate_told(
        s, event.certificate_id, CertificateNews(event.said_at, s.version, event.verdict)
    )


def _certificate_told(s: Engagement, certificate_id: str, news: CertificateNews) -> Engagement:
    known = s.certificates.get(certificate_id) or Certificate(certificate_id)
    told = replace(known, news=tuple(sorted((*known.news, news), key=_judged)))
    return replace(s, certificates={**s.certificates, certificate_id: told})


def _judged(n: CertificateNews) -> tuple[int, ...]:
    """By the vendor's clock; within one second as a review goes: flagged, then validated, or else denied."""
    stage = {"flagged": 0, "validated": 1, "denied": 2}.get(n.verdict, 0)
    return n.said_at, stage, _latest_first(n.valid_from), _latest_first(n.valid_until), n.version
