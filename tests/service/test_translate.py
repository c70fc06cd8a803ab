"""A vendor's words become a command and the ids that lead to its engagement, whatever they say."""

from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain import commands as c
from service.clients.fields import instant
from service.ingest.translate import (
    ALIASES,
    ASSIGNMENT_TYPES,
    QUIET_FAMILIES,
    TEN99POLICY_TYPES,
    UPWORK_TYPES,
    Acts,
    Quiet,
    Translation,
    Unknown,
    Unusable,
    is_known,
    translate,
)

RECEIVED, SAID = 1_764_700_000, 1_764_650_000
START, END = 1_764_628_800, 1_772_448_000


def from_upwork(type: Any, data: Any, aliases: dict[str, str] | None = None, **more: Any) -> Translation:
    body = {"id": "wh_1", "type": type, "createdAt": SAID, "organizationId": "org_1", "data": data} | more
    return translate("upwork", orjson.dumps(body), RECEIVED, aliases or {})


def from_1099policy(type: Any, data: Any, aliases: dict[str, str] | None = None, **more: Any) -> Translation:
    body = {"id": "ev_1", "type": type, "created": SAID, "data": data} | more
    return translate("1099policy", orjson.dumps(body), RECEIVED, aliases or {})


IDS = {
    "offer": {"id": "of_77"},
    "contract": {"id": "9001"},
    "freelancer": {"id": "fl_12345"},
    "client": {"id": "cl_1"},
}
POLICY = {
    "id": "pl_1",
    "object": "policy",
    "quote": "qt_Zk39A2L",
    "effective_date": START,
    "expiration_date": END,
}


# Upwork.


def test_an_accepted_offer() -> None:
    command = c.AcceptOffer(SAID, "of_77", "fl_12345", "cl_1")
    assert from_upwork("offer.accepted", IDS) == Acts("offer.accepted", command, "9001", ())


def test_an_active_contract() -> None:
    command = c.ActivateContract(SAID, "of_77", "fl_12345", "cl_1")
    assert from_upwork("contract.active", IDS) == Acts("contract.active", command, "9001", ())


def test_an_ended_contract_ended_when_the_news_was_made() -> None:
    assert from_upwork("contract.ended", IDS) == Acts("contract.ended", c.EndContract(SAID, SAID), "9001", ())


def test_an_ended_contract_may_name_another_day() -> None:
    said = from_upwork("contract.ended", {"contract": {"id": "9001", "endedAt": "2026-01-15"}})
    assert isinstance(said, Acts)
    assert said.command == c.EndContract(SAID, 1_768_435_200)


def test_without_a_time_of_its_own_news_counts_from_when_it_came() -> None:
    for created in (None, "soon", "", True, [], "²", 1e30):
        said = from_upwork("offer.accepted", IDS, createdAt=created)
        assert isinstance(said, Acts)
        assert said.command.at == RECEIVED


@pytest.mark.parametrize("contract", ["9001", 9001, {"id": 9001}, {"id": " 9001 "}])
def test_an_id_may_be_a_number_or_stand_alone(contract: Any) -> None:
    said = from_upwork("offer.accepted", {**IDS, "contract": contract})
    assert isinstance(said, Acts)
    assert said.engagement_id == "9001"


def test_other_ids_may_be_missing() -> None:
    said = from_upwork("offer.accepted", {"contract": {"id": "9001"}})
    assert isinstance(said, Acts)
    assert said.command == c.AcceptOffer(SAID)


BAD_IDS = [
    *(None, {}, {"id": None}, {"id": ""}, {"id": " "}, True, 1.5, [], ["9001"], {"id": {}}, {"id": False}),
    *("a\x00b", "a\nb", "a\u2028b", "x" * 201, "ж" * 101, "🦀" * 126),
]


@pytest.mark.parametrize("contract", BAD_IDS)
def test_without_a_contract_upworks_news_is_unusable(contract: Any) -> None:
    for type_name in UPWORK_TYPES:
        said = from_upwork(type_name, {**IDS, "contract": contract})
        assert isinstance(said, Unusable)
        assert said.type == type_name
        assert "data.contract.id" in said.why


@pytest.mark.parametrize("data", [None, [], "9001", 7])
def test_news_whose_data_is_no_object_is_unusable(data: Any) -> None:
    assert isinstance(from_upwork("contract.active", data), Unusable)
    assert isinstance(from_1099policy("policy.active", data), Unusable)


# 1099Policy.


def test_an_active_policy() -> None:
    command = c.NotePolicyActive(SAID, "pl_1", "qt_Zk39A2L", START, END)
    routes = (("policy", "pl_1"), ("quote", "qt_Zk39A2L"))
    assert from_1099policy("policy.active", POLICY) == Acts("policy.active", command, None, routes)


def test_both_envelopes_say_the_same() -> None:
    assert from_1099policy("policy.active", {"object": POLICY}) == from_1099policy("policy.active", POLICY)


def test_the_engagement_is_named_by_metadata_where_the_vendor_echoes_it() -> None:
    for engagement_id in ("9001", 9001):
        said = from_1099policy(
            "policy.active", {**POLICY, "custom_metadata": {"engagement_id": engagement_id}}
        )
        assert isinstance(said, Acts)
        assert said.engagement_id == "9001"
    for metadata in (None, [], "9001", {}, {"engagement_id": None}, {"engagement_id": "a\x00"}):
        said = from_1099policy("policy.active", {**POLICY, "custom_metadata": metadata})
        assert isinstance(said, Acts)
        assert said.engagement_id is None


def test_every_id_the_object_names_leads_to_its_engagement_its_own_first() -> None:
    data = {"id": "crt_1", "job": {"id": "jb_1"}, "assignment": "an_1", "quote": 7, "contractor": "cn_1"}
    said = from_1099policy("certificate.validated", data)
    assert isinstance(said, Acts)
    assert said.routes == (("certificate", "crt_1"), ("quote", "7"), ("assignment", "an_1"), ("job", "jb_1"))


def test_a_policy_without_dates_is_active_all_the_same() -> None:
    said = from_1099policy("policy.active", {"id": "pl_1", "effective_date": "soon"})
    assert isinstance(said, Acts)
    assert said.command == c.NotePolicyActive(SAID, "pl_1")


@pytest.mark.parametrize(
    ("expires", "ended"), [(None, SAID), (SAID - 10, SAID - 10), (SAID + 10, SAID), ("junk", SAID)]
)
def test_an_expired_policy_ended_at_its_expiration_or_when_it_was_said(expires: Any, ended: int) -> None:
    said = from_1099policy("policy.expired", {"id": "pl_1", "expiration_date": expires})
    assert isinstance(said, Acts)
    assert said.command == c.NotePolicyOver(SAID, "pl_1", ended, canceled=False)


@pytest.mark.parametrize(
    ("dates", "ended"),
    [
        ({}, SAID),
        ({"cancellation_date": SAID - 99}, SAID - 99),
        ({"cancellation_date": SAID + 99}, SAID + 99),
        ({"cancellation_date": SAID - 99, "expiration_date": SAID - 5}, SAID - 99),
        ({"cancellation_date": None, "expiration_date": SAID - 5}, SAID - 5),
        ({"cancellation_date": "2025-12-01T22:40:00Z"}, START),
        ({"cancellation_date": SAID + 99, "expiration_date": END}, SAID + 99),
        ({"cancellation_date": "junk"}, SAID),
    ],
)
def test_a_cancelled_policy_ends_on_its_cancellation_date(dates: dict[str, Any], ended: int) -> None:
    for type_name in ("policy.canceled", "policy.cancelled"):
        said = from_1099policy(type_name, {"id": "pl_1", **dates})
        assert isinstance(said, Acts)
        assert said.type == "policy.canceled"
        assert said.command == c.NotePolicyOver(SAID, "pl_1", ended, canceled=True)


def test_a_cancellation_without_a_date_carries_the_expiration_that_may_have_moved() -> None:
    said = from_1099policy("policy.canceled", {"id": "pl_1", "expiration_date": END})
    assert isinstance(said, Acts)
    assert said.command == c.NotePolicyOver(SAID, "pl_1", SAID, canceled=True, expires_at=END)


@pytest.mark.parametrize("type_name", ["certificate.validated", "certificate.approved"])
def test_a_validated_certificate(type_name: str) -> None:
    data = {"id": "crt_1", "status": "approved", "effective_date": START, "expiration_date": END}
    command = c.NoteCertificateValidated(SAID, "crt_1", START, END)
    expected = Acts("certificate.validated", command, None, (("certificate", "crt_1"),))
    assert from_1099policy(type_name, {"object": data}) == expected


@pytest.mark.parametrize(
    ("type_name", "verdict"),
    [
        ("certificate.flagged", "flagged"),
        ("certificate.denied", "denied"),
        ("certificate.error", "error"),
    ],
)
def test_a_flagged_certificate(type_name: str, verdict: str) -> None:
    said = from_1099policy(type_name, {"id": "crt_1"})
    assert isinstance(said, Acts)
    assert said.type == "certificate.flagged"
    assert said.command == c.NoteCertificateFlagged(SAID, "crt_1", verdict)


@pytest.mark.parametrize("bad", BAD_IDS)
def test_without_an_id_1099policys_news_is_unusable(bad: Any) -> None:
    for type_name in TEN99POLICY_TYPES:
        said = from_1099policy(type_name, {**POLICY, "id": bad})
        assert isinstance(said, Unusable), type_name
        assert "data.id" in said.why


# Names of events.


def test_every_alias_leads_to_an_event_we_act_on() -> None:
    assert set(ALIASES.values()) <= UPWORK_TYPES | TEN99POLICY_TYPES | ASSIGNMENT_TYPES
    for alias, known in ALIASES.items():
        tell = from_upwork if known in UPWORK_TYPES else from_1099policy
        said = tell(alias, {**POLICY, **IDS})
        assert isinstance(said, Acts), alias
        assert said.type == known


def test_a_company_may_add_names_of_its_own() -> None:
    said = from_upwork("Contract Ended!", IDS, {"Contract Ended!": "contract.ended"})
    assert isinstance(said, Acts)
    assert said.type == "contract.ended"


def test_a_name_of_its_own_may_lead_to_another_name() -> None:
    said = from_1099policy("coi.rejected", {"id": "crt_1"}, {"coi.rejected": "certificate.denied"})
    assert isinstance(said, Acts)
    assert said.command == c.NoteCertificateFlagged(SAID, "crt_1", "denied")


def test_a_name_of_its_own_wins_over_ours() -> None:
    said = from_1099policy("policy.reactivated", POLICY, {"policy.reactivated": "policy.canceled"})
    assert isinstance(said, Acts)
    assert said.type == "policy.canceled"


@pytest.mark.parametrize(
    "type_name",
    [
        *("application.created", "application.complete", "application.manual_review_approved"),
        *("assignment.active", "invoice.charge_card_failed", "category_code.added"),
    ],
)
def test_the_rest_of_1099policys_events_are_quiet(type_name: str) -> None:
    assert from_1099policy(type_name, {"id": "x_1"}) == Quiet(type_name)


def test_a_cancelled_assignment_counts_from_its_date_and_is_led_by_its_id_and_its_job() -> None:
    data = {"id": "an_1", "job": "jb_1", "policy": "pl_1", "cancelled": True}
    dated = from_1099policy("assignment.cancelled", {**data, "cancellation_date": SAID - 60})
    assert isinstance(dated, Acts)
    assert dated.command == c.NoteAssignmentCancelled(SAID, "an_1", SAID - 60)
    assert dated.routes == (("assignment", "an_1"), ("job", "jb_1"))
    plain = from_1099policy("assignment.canceled", data)
    assert isinstance(plain, Acts)
    assert plain.command == c.NoteAssignmentCancelled(SAID, "an_1", SAID)


@pytest.mark.parametrize(
    ("type_name", "data"),
    [
        ("assignment.cancelled", {}),
        ("assignment.cancelled", {"id": "an_1", "cancelled": False}),
        ("assignment.changed", {"id": "an_1", "effective_date": SAID}),
    ],
)
def test_news_of_an_assignment_that_says_nothing_is_quiet(type_name: str, data: dict[str, Any]) -> None:
    assert from_1099policy(type_name, data) == Quiet(type_name)


def test_what_a_company_calls_quiet_is_quiet() -> None:
    aliases = {"session.created": "application.created"}
    assert from_1099policy("session.created", {}, aliases) == Quiet("session.created")


@pytest.mark.parametrize("type_name", ["policy.created", "Policy.Active", "application", "x"])
def test_a_type_nobody_knows_is_unknown(type_name: str) -> None:
    assert from_1099policy(type_name, POLICY) == Unknown(type_name)
    assert from_upwork(type_name, IDS) == Unknown(type_name)


def test_each_source_speaks_for_itself_only() -> None:
    for type_name in TEN99POLICY_TYPES:
        assert from_upwork(type_name, {**POLICY, **IDS}) == Unknown(type_name)
    for type_name in UPWORK_TYPES:
        assert from_1099policy(type_name, {**POLICY, **IDS}) == Unknown(type_name)


def test_aliases_may_lead_to_whatever_is_understood() -> None:
    known = [*UPWORK_TYPES, *TEN99POLICY_TYPES, *ALIASES, *(f"{family}any" for family in QUIET_FAMILIES)]
    assert all(is_known(name) for name in known)
    assert not any(is_known(name) for name in ("", "policy", "policy.created", "applications.created"))


@pytest.mark.parametrize("type", [None, "", 7, [], {}, True, "a\x00b", "x" * 201, " "])
def test_without_a_type_news_is_unusable(type: Any) -> None:
    assert from_upwork(type, IDS) == Unusable(None, "The body has no type.")


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"{", b"null", b"7", b"[]", b'"x"', b"[" * 5000, b'{"type": "\\ud800"}', b"1e999"]
)
def test_what_is_no_json_object_is_unusable(body: bytes) -> None:
    for source in ("upwork", "1099policy"):
        assert isinstance(translate(source, body, RECEIVED, {}), Unusable)


def test_an_id_too_long_to_be_exact_is_not_guessed() -> None:
    """A number beyond 64 bits has lost its last digits by the time it is read."""
    body = b'{"type":"offer.accepted","data":{"contract":{"id":123456789012345678901234}}}'
    assert isinstance(translate("upwork", body, RECEIVED, {}), Unusable)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(["9001", "2025-12-01", "2025-12-01T10:00+0100", "²", "policy", "9" * 400])
)
names = st.sampled_from(
    [
        *("id", "object", "contract", "offer", "freelancer", "client", "quote", "job", "assignment"),
        *("effective_date", "expiration_date", "cancellation_date", "custom_metadata", "engagement_id"),
        "endedAt",
    ]
)
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6),
    max_leaves=20,
)
types = st.sampled_from([*UPWORK_TYPES, *TEN99POLICY_TYPES, *ALIASES, "application.created"])


@given(st.sampled_from(["upwork", "1099policy"]), types | scalars, junk, junk)
@example("upwork", "contract.ended", {"contract": {"id": "9001", "endedAt": "²"}}, 10**17)
@example("1099policy", "policy.active", {"id": "pl_1", "effective_date": 1e300}, "9999-12-31T23:59:59-12:00")
def test_no_body_does_more_than_not_be_understood(source: str, type_name: Any, data: Any, at: Any) -> None:
    body = {"type": type_name, "data": data, "created": at, "createdAt": at}
    said = translate(source, orjson.dumps(body), RECEIVED, {})
    assert isinstance(said, Acts | Quiet | Unknown | Unusable)
    if isinstance(said, Acts):
        ids = [said.engagement_id or "9001", *(id for _, id in said.routes)]
        assert all(0 < len(id) <= 200 and id.isprintable() for id in ids)
        moments = [
            getattr(said.command, name, None) for name in ("at", "ended_at", "effective_at", "valid_from")
        ]
        assert all(m is None or 0 <= m < 253_402_300_800 for m in moments), "Postgres holds every instant"


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_not_be_understood(body: bytes) -> None:
    for source in ("upwork", "1099policy"):
        assert isinstance(translate(source, body, RECEIVED, {}), Quiet | Unknown | Unusable | Acts)


# Dates.


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2025-12-01", 1_764_547_200),
        ("2025-12-01T22:40:00Z", START),
        ("2025-12-01T22:40:00.999Z", START),
        ("2025-12-01T23:40:00+01:00", START),
        ("2025-12-01T23:40:00+0100", START),
        ("2025-12-01T23:40+0100", START),
        ("2025-12-01T14:40:00-0800", START),
        ("2025-12-01T22:40:00", START),
        ("2025-12-01 22:40:00", START),
        (" 2025-12-01T22:40:00Z ", START),
        (START, START),
        (float(START), START),
        (str(START), START),
        (START * 1000, START),
        (str(START * 1000 + 999), START),
        (0, 0),
    ],
)
def test_a_date_is_read_however_upwork_writes_it(written: Any, seconds: int) -> None:
    assert instant(written) == seconds


@pytest.mark.parametrize(
    "written",
    [
        *(
            None,
            True,
            False,
            "",
            " ",
            "soon",
            "2025-13-01",
            "2025-12-01T25:00Z",
            [],
            {},
            "²",
            "٣",
            "9" * 5000,
        ),
        *(-1, 10**17, 10**30, 1e300, float("inf"), float("nan"), "1969-12-31", "2025-12-01T22:40:00+99:00"),
    ],
)
def test_what_is_no_date_is_none(written: Any) -> None:
    assert instant(written) is None
