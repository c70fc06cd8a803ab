"""What a policy's and a certificate's news add up to, span by span."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.coverage import certificate_spans, policy_spans
from domain.state import Certificate, CertificateNews, Policy, PolicyNews

bounded = settings(max_examples=400, derandomize=True, database=None, deadline=None)

Told = tuple[str, int | None, int | None]
"""``active`` from … until …, or ``expired`` / ``canceled`` at …, the latter with an expiration to come"""


def policy(*told: Told) -> Policy:
    """A policy whose news were said at 1, 2, 3 … and recorded in that order."""
    news = [
        PolicyNews(n, n, "active", a, b)
        if kind == "active"
        else PolicyNews(n, n, kind, ended_at=a, expires_at=b)  # type: ignore[arg-type]
        for n, (kind, a, b) in enumerate(told, 1)
    ]
    return Policy("pl_1", None, tuple(news))


def active(starts: int | None = 100, ends: int | None = 200) -> Told:
    return ("active", starts, ends)


def expired(at: int) -> Told:
    return ("expired", at, None)


def canceled(at: int, expires: int | None = None) -> Told:
    return ("canceled", at, expires)


def periods(*told: Told) -> list[tuple[int | None, int | None]]:
    return [(s.start, s.end) for s in policy_spans(policy(*told))]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param([active()], [(100, 200)], id="an active policy covers its term"),
        pytest.param([active(), active()], [(100, 200)], id="the same news twice adds nothing"),
        pytest.param([active(), active(110, 210)], [(110, 210)], id="newer dates win while it is active"),
        pytest.param([active(), active(None, None)], [(100, 200)], id="news without dates takes none away"),
        pytest.param([active(None, None)], [(None, None)], id="without dates its start is not known"),
        pytest.param([active(None, None), active()], [(100, 200)], id="dates read back settle it"),
        pytest.param([active(100, None)], [(100, None)], id="without an expiry it is open"),
        pytest.param([active(), canceled(150)], [(100, 150)], id="a cancellation cuts it"),
        pytest.param([active(), canceled(250)], [(100, 200)], id="a late cancellation adds no cover"),
        pytest.param([active(), expired(200)], [(100, 200)], id="an expiry ends it where it ends"),
        pytest.param([active(), expired(150)], [(100, 150)], id="an expiry may come early"),
        pytest.param([active(), expired(230)], [(100, 200)], id="an expiry told late adds no cover"),
        pytest.param(
            [active(), canceled(150), expired(200)], [(100, 150)], id="an expiry after a cancellation is none"
        ),
        pytest.param(
            [active(), canceled(150), canceled(170)], [(100, 170)], id="a cancellation date may be corrected"
        ),
        pytest.param(
            [active(), canceled(150), canceled(300)], [(100, 200)], id="a correction stays inside the term"
        ),
        pytest.param([active(), canceled(120, 160)], [(100, 160)], id="an expiration moved earlier ends it"),
        pytest.param([active(), canceled(120, 200)], [(100, 120)], id="one that did not move ends nothing"),
        pytest.param([active(), canceled(120, 230)], [(100, 120)], id="nor does one that moved later"),
        pytest.param([active(ends=None), canceled(120, 160)], [(100, 120)], id="nor where no term is known"),
        pytest.param(
            [active(), canceled(120, 160), canceled(130, 160)], [(100, 160)], id="told twice it stays moved"
        ),
        pytest.param([canceled(150)], [], id="a cancellation of the unknown covers nothing"),
        pytest.param(
            [active(), canceled(150), active()], [(100, 200)], id="reactivated with its dates: no gap"
        ),
        pytest.param(
            [active(), canceled(150), active(150, 300)], [(100, 300)], id="taken up where it was cut: no gap"
        ),
        pytest.param(
            [active(), canceled(150), active(160, 300)], [(100, 150), (160, 300)], id="taken up later: a gap"
        ),
        pytest.param(
            [active(), canceled(150), active(None, None)],
            [(100, 150), (None, None)],
            id="reactivated without dates: when it resumed is not known",
        ),
        pytest.param(
            [active(), canceled(150), active(None, None), active(100, 200)],
            [(100, 150), (100, 200)],
            id="reactivated without dates, then read back",
        ),
        pytest.param(
            [active(None, None), canceled(150), active(100, 300)],
            [(100, 300)],
            id="a start learnt at the reactivation holds for before",
        ),
        pytest.param(
            [active(), active(300, 400)], [(100, 200), (300, 400)], id="a term that ran out stays on record"
        ),
        pytest.param([active(), active(200, 300)], [(100, 300)], id="a renewal joins the term before it"),
        pytest.param(
            [active(), canceled(50), active()],
            [(100, 50), (100, 200)],
            id="cancelled before it began, then not",
        ),
    ],
)
def test_the_periods_of_a_policy(told: list[Told], expected: list[tuple[int | None, int | None]]) -> None:
    assert periods(*told) == expected


def test_a_period_names_every_event_that_proves_it_and_what_ended_it() -> None:
    [span] = policy_spans(policy(active(), canceled(150), expired(200)))
    assert (span.evidence, span.over_by) == ((1, 2, 3), "canceled")
    [reopened] = policy_spans(policy(active(), canceled(150), active()))
    assert (reopened.evidence, reopened.over_by) == ((1, 2, 3), None)


HORIZON = range(12)
ticks = st.integers(0, 11)
dated = st.tuples(st.just("active"), ticks, ticks)
over = st.tuples(st.sampled_from(["expired", "canceled"]), ticks, st.none())


@bounded
@given(st.lists(st.one_of(dated, over), max_size=7))
def test_policy_periods_agree_with_a_scan_of_every_instant(told: list[Told]) -> None:
    spans = policy_spans(policy(*told))
    assert [t for t in HORIZON if any(s.holds(t) for s in spans)] == sorted(scanned(told))


def scanned(told: list[Told]) -> set[int]:
    """The covered instants by pencil: past terms are a set of ticks, the present one a pair of ticks."""
    past: set[int] = set()
    last: tuple[int, int] | None = None  # the term being spoken of
    term_end, live = 0, False
    for kind, a, b in told:
        if kind == "active":
            assert a is not None
            assert b is not None
            if last and (not live or a >= last[1]):
                if a <= last[1]:
                    last = (min(last[0], a), b)
                else:
                    past |= set(range(*last))
                    last = (a, b)
            else:
                last = (a, b)
            live = True
        elif last:
            assert a is not None
            if live:
                term_end, live = last[1], False
            elif kind == "expired":
                a = min(a, last[1])
            last = (last[0], min(a, term_end))
    return past | (set(range(*last)) if last else set())


def certificate(*told: tuple[str, int | None, int | None], said_at: int = 10) -> Certificate:
    news = [CertificateNews(n * said_at, n, verdict, a, b) for n, (verdict, a, b) in enumerate(told, 1)]
    return Certificate("crt_1", tuple(news))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param([("validated", 5, 90)], [(5, 90)], id="validated for its own term"),
        pytest.param([("validated", None, None)], [(10, None)], id="without dates from the hour it was said"),
        pytest.param([("flagged", None, None)], [], id="flagged covers nothing"),
        pytest.param([("validated", 5, 90), ("flagged", None, None)], [(5, 20)], id="a flag ends it"),
        pytest.param(
            [("validated", 5, 15), ("denied", None, None)], [(5, 15)], id="a late denial adds no cover"
        ),
        pytest.param(
            [("flagged", None, None), ("validated", 5, 90)], [(5, 90)], id="approved after a review"
        ),
        pytest.param(
            [("validated", 5, 90), ("flagged", None, None), ("validated", 25, 90)],
            [(5, 20), (25, 90)],
            id="the review in between is a gap",
        ),
        pytest.param(
            [("validated", 10, 90), ("validated", 20, None)],
            [(10, 90)],
            id="the same approval told again, without dates, takes nothing away",
        ),
        pytest.param([("validated", 10, None), ("validated", 5, 90)], [(5, 90)], id="dates told later win"),
        pytest.param(
            [("validated", 5, 15), ("validated", 30, 90)], [(5, 15), (30, 90)], id="renewed after it ran out"
        ),
    ],
)
def test_the_periods_of_a_certificate(
    told: list[tuple[str, int | None, int | None]], expected: list[tuple[int, int | None]]
) -> None:
    assert [(s.start, s.end) for s in certificate_spans(certificate(*told))] == expected
