"""The web pages: they say exactly what is so, to everyone, and nothing a stranger wrote runs in them."""

import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_any
from hypothesis import strategies as st
from lives import life
from msgspec import structs
from page_site import Shelf, Site, assert_locked_down, moment, recorded
from replacing import replace
from story import (
    CONTRACTOR,
    DAY,
    END,
    FRONTEND,
    JOB,
    NOW,
    QUOTE,
    SESSION,
    START,
    Story,
    activated,
    assigned,
    awaiting_opt_in,
    certificate_uploaded,
    contract_read,
    flagged,
    given,
    insured,
    offer,
    policy_active,
    quoted,
    validated,
)

from domain import codec
from domain import commands as c
from domain import lifecycle as life_of
from domain.events import EngagementEvent
from domain.values import Pay, Person
from service.ports import Delivery, EffectRow, StoredDelivery
from service.web.formats import instant, spoken, usd, wage, web_link, without_mail
from service.web.labels import STATES
from service.web.machine import PLACES, USUAL, drawing
from service.web.timeline import entries, path
from service.web.words import said


@pytest.fixture
async def site() -> AsyncIterator[Callable[..., Any]]:
    """Makes sites from stories; all are closed afterwards."""
    made: list[Site] = []

    async def make(*stories: Story, now: int = NOW + 4 * DAY) -> Site:
        made.append(Site(Shelf(*stories), now))
        await made[-1].client.start_server()
        return made[-1]

    yield make
    for one in made:
        await one.client.close()


STORIES = {
    life_of.OFFERED: given(offer(), contract_read()),
    life_of.CONTRACTOR_READY: given(offer(), contract_read(), CONTRACTOR),
    life_of.QUOTED: quoted(),
    life_of.AWAITING_OPT_IN: awaiting_opt_in(),
    life_of.ASSIGNED: assigned(),
    life_of.INSURED: insured(),
    life_of.COI_VALIDATED: certificate_uploaded().given(validated()),
    life_of.UNDER_REVIEW: certificate_uploaded().given(flagged()),
    life_of.LAPSED: insured().given(c.NotePolicyOver(NOW + 3 * DAY, "pl_1", NOW + 3 * DAY, canceled=True)),
    life_of.ENDED: insured().given(c.EndContract(START + DAY, START + DAY)),
}


@pytest.mark.parametrize("state", STORIES)
async def test_every_state_has_a_page_whose_drawing_marks_it(state: str, site: Any) -> None:
    seen = await (await site(STORIES[state])).see("/engagements/9001")
    assert seen.marked("now") == {state}
    assert seen.marked("now") | seen.marked("walked") | seen.marked("ahead") == {*life_of.LIVE, "ended"}
    assert f"It is {STATES[state].lower()} now." in seen.words
    assert (await (await site(STORIES[state])).see("/")).words.count("Frontend Developer") == 1


def test_a_story_is_kept_for_every_state() -> None:
    assert set(STORIES) == {*life_of.LIVE, life_of.ENDED} == set(PLACES)


def test_only_moves_of_the_table_are_drawn_and_the_way_walked_is_solid() -> None:
    moves = {(row.source, row.dest) for row in life_of.TABLE}
    assert set(USUAL) <= moves
    drawn = drawing(path(entries(recorded(insured()))))
    assert [box.state for box in drawn.boxes if box.mark == "walked"] == [
        "offered",
        "contractor_ready",
        "quoted",
        "awaiting_opt_in",
    ]
    assert sum(arrow.walked for arrow in drawn.arrows) == 4


@pytest.mark.parametrize("seed", range(40))
async def test_any_life_can_be_shown(seed: int, site: Any) -> None:
    story = life(seed, "life/9?&<")
    seen = await (await site(story, now=story.engagement.latest_at)).see("/engagements/life%2F9%3F%26%3C")
    assert seen.marked("now") == {story.engagement.state}


async def test_the_answer_says_that_cover_is_in_place_but_has_not_begun(site: Any) -> None:
    seen = await (await site(insured())).see("/engagements/9001")
    begins = "Policy pl_1 is in place; its cover begins on 1 December 2025, 22:40 UTC."
    assert f"Not covered yet. {begins}" in seen.words
    assert "#event-9" in {a.get("href") for a in seen.all("a")}


async def test_the_answer_names_the_policy_and_its_end(site: Any) -> None:
    seen = await (await site(insured(), now=START + DAY)).see("/engagements/9001")
    assert f"Covered. Covered by policy pl_1. Cover runs until {spoken(END)}." in seen.words


async def test_an_unknown_answer_says_since_when_and_is_never_shown_as_cover(site: Any) -> None:
    undated = awaiting_opt_in().given(policy_active(starts=None, ends=None))
    there = await site(undated)
    seen = await there.see("/engagements/9001")
    assert f"Unknown since {spoken(NOW + 2 * DAY)}." in seen.words
    assert "Covered." not in seen.words
    assert "Unknown" in (await there.see("/")).words


async def test_a_lapse_says_since_when_and_shows_the_gap(site: Any) -> None:
    lapsed = insured().given(c.NotePolicyOver(START + DAY, "pl_1", START + DAY, canceled=True))
    seen = await (await site(lapsed, now=START + 2 * DAY)).see("/engagements/9001")
    assert f"Not covered since {spoken(START + DAY)}. Policy pl_1 was cancelled." in seen.words
    assert f"Nothing covers {instant(START + DAY)} {instant(END)} Gap" in seen.words


async def test_a_contract_that_has_begun_uncovered_is_told_as_such(site: Any) -> None:
    seen = await (await site(awaiting_opt_in(), now=START + DAY)).see("/engagements/9001")
    assert f"The contract began on {spoken(START)}." in seen.words


async def test_the_history_tells_what_came_when_and_by_which_delivery(site: Any) -> None:
    seen = await (await site(insured())).see("/engagements/9001")
    assert "News from Upwork" in seen.words
    assert "Answer from 1099Policy" in seen.words
    assert "speaks of " + instant(NOW) in seen.words
    assert "/v1/deliveries/dl_1" in {a.get("href") for a in seen.all("a")}
    assert "$75.00/hour" in seen.words


HOSTILE = '<script>alert("1")</script>'


async def test_nothing_a_stranger_wrote_becomes_markup(site: Any) -> None:
    terms = replace(FRONTEND, title=HOSTILE, pay=Pay("hourly", "1.005", HOSTILE), person=Person("<b>"))
    evil = given(c.AcceptOffer(NOW, HOSTILE, HOSTILE, HOSTILE), contract_read(terms)).given(
        c.ParkEffect(NOW, "job", "CreateJob", f"refused: {HOSTILE}")
    )
    there = await site(evil)
    for url in ("/", "/engagements/9001", "/?q=%3Cscript%3E"):
        await there.see(url)
    assert HOSTILE in (await there.see("/engagements/9001")).text


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https:evil", " https://x.example", "http://[", "//x.example"]
)
async def test_only_web_addresses_are_linked(url: str, site: Any) -> None:
    story = quoted().given(replace(SESSION, url=url))
    seen = await (await site(story)).see("/engagements/9001")
    assert url not in [a.get("href") for a in seen.all("a")]
    assert url.strip() in seen.words


async def test_the_session_is_linked_only_while_the_opt_in_is_awaited(site: Any) -> None:
    url = "https://apply.example/ias_1"
    waiting = await (await site(awaiting_opt_in())).see("/engagements/9001")
    assert url in [a.get("href") for a in waiting.all("a")]
    assert url not in str((await (await site(insured())).see("/engagements/9001")).elements)


async def test_no_name_e_mail_or_address_is_shown(site: Any) -> None:
    person = Person("Ava Nguyen", "Ava", "Nguyen", "ava@home.example", "US", "CA", "San Francisco")
    terms = replace(FRONTEND, title="Mail ava@home.example now", person=person)
    story = given(offer(), contract_read(terms), CONTRACTOR, JOB, QUOTE).given(
        c.SubmitCertificate(NOW, "Ava Nguyen.pdf", "ab" * 32),
        c.ParkEffect(NOW, "session", "OpenSession", "no such person: ava@home.example"),
    )
    there = await site(story)
    call = EffectRow("engagement:9001", "session", 1, "1099policy", "OpenSession", "waiting", 2, *[None] * 5)
    there.shelf.effects = [replace(call, last_error="503 for ava@home.example")]
    for url in ("/", "/engagements/9001"):
        seen = await there.see(url)
        for private in ("ava@", "Ava", "Nguyen", "San Francisco"):
            assert private not in seen.text + str(seen.elements)
    assert "What came back: 503 for (e-mail hidden)" in seen.words


async def test_what_needs_attention_comes_first_with_why_and_what_to_do(site: Any) -> None:
    there = await site(
        STORIES["lapsed"],
        replace(insured(), engagement=structs.replace(insured().engagement, engagement_id="9002")),
    )
    listed = (await there.see("/")).words
    assert listed.index("What covered this engagement has ended") < listed.index("9002")
    one = (await there.see("/engagements/9001")).words
    assert "What to do: A new or reinstated policy" in one


async def test_a_held_name_says_how_to_set_it(site: Any) -> None:
    held = given(offer(), contract_read(replace(FRONTEND, person=Person("Madonna"))))
    seen = await (await site(held)).see("/engagements/9001")
    assert "POST /v1/freelancers/fl_12345/name" in seen.words
    assert "POST /v1/engagements/9001/retry" in seen.words


async def test_deliveries_that_need_a_person_are_listed(site: Any) -> None:
    there = await site(insured())
    sent = Delivery("1099policy", "x", b"<secret>", {}, "proven", moment(NOW))
    there.shelf.deliveries = [
        StoredDelivery("dl_9", sent, "policy.blessed", "unknown_type", "No rule knows it.", (), None, 1),
        StoredDelivery("dl_8", sent, None, "unusable", None, (), None, 1),
    ]
    seen = await there.see("/")
    assert "Unknown event type: policy.blessed from 1099Policy" in seen.words
    assert "/v1/deliveries/dl_9" in {a.get("href") for a in seen.all("a")}
    assert "secret" not in seen.text


async def test_a_newcomer_is_told_what_to_do(site: Any) -> None:
    seen = await (await site()).see("/")
    assert "No engagements yet" in seen.words
    assert "X-Upwork-Webhook-Token" in seen.words


async def test_filters_reach_the_lists_and_stay_in_the_form(site: Any) -> None:
    there = await site(insured())
    seen = await there.see("/?q=pl_1&state=insured&covered=false")
    assert there.lists.asked[0]["ids"] == ["9001"]
    assert (there.lists.asked[0]["state"], there.lists.asked[0]["covered"]) == ("insured", "false")
    assert [a["value"] for a in seen.all("option") if "selected" in a] == ["insured", "false"]
    assert "/?state=insured&covered=false&q=pl_1&cursor=next%2Bpage" in {a.get("href") for a in seen.all("a")}


async def test_an_id_that_leads_nowhere_finds_nothing(site: Any) -> None:
    seen = await (await site(insured())).see("/?q=nobody&state=&covered=")
    assert "Nothing matches" in seen.words


@pytest.mark.parametrize(
    "query", ["state=happy", "covered=maybe", "attention=no", "sort=up", "q=" + "x" * 201]
)
async def test_a_filter_that_is_none_is_refused_in_the_same_look(query: str, site: Any) -> None:
    assert "req-7" in (await (await site()).see(f"/?{query}", status=400)).words


async def test_a_strange_cursor_is_a_400_page(site: Any) -> None:
    assert "not one of ours" in (await (await site()).see("/?cursor=strange", status=400)).words


async def test_an_unknown_engagement_is_a_404_page(site: Any) -> None:
    assert "404" in (await (await site()).see("/engagements/nope", status=404)).words


async def test_static_files_are_kept_for_ever_and_nothing_else_is_served(site: Any) -> None:
    there = await site()
    page = await there.see("/")
    urls = [str(a["href"]) for a in page.all("link")]
    for url in urls:
        async with there.client.get(url) as answered:
            assert answered.status == 200
            assert "immutable" in answered.headers["Cache-Control"]
            assert_locked_down(answered.headers)
    await there.see("/static/pages.py", status=404)


@pytest.mark.parametrize("kind", get_args(EngagementEvent))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@for_any(data=st.data())
def test_every_event_has_words(kind: type[EngagementEvent], data: st.DataObject) -> None:
    event = data.draw(st.from_type(kind))
    words = said(event)
    assert re.match(r"[A-Z]", words)
    assert "None" not in words or "None" in json.dumps(codec.event_data(event))  # where it is null


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (instant(1_795_500_105), "24 Nov 2026, 06:01:45 UTC"),
        (instant(datetime(2026, 11, 24, 6, 1, 45, 900_000, UTC)), "24 Nov 2026, 06:01:45 UTC"),
        (spoken(1_772_409_600), "2 March 2026, 00:00 UTC"),
        (spoken(1_772_409_601), "2 March 2026, 00:00:01 UTC"),
        (instant(10**18), "second 1000000000000000000 since 1970"),
        (usd(7500), "$75.00"),
        (usd(123_456_789), "$1,234,567.89"),
        (wage(500_000, "flatfee"), "$5,000.00 flat fee"),
        (without_mail("to a.b+c@x-y.example!"), "to (e-mail hidden)!"),
        (without_mail("@" * 50), "@" * 50),
        (web_link("https://x.example/a?b=c"), "https://x.example/a?b=c"),
    ],
)
def test_values_read_exactly(told: object, expected: str) -> None:
    assert told == expected


async def test_an_activated_contract_is_told(site: Any) -> None:
    seen = await (await site(quoted().given(activated()))).see("/engagements/9001")
    assert "The contract became active: offer of_77, freelancer fl_12345." in seen.words


async def test_what_is_left_undone_says_why_until_somebody_asks_for_it(site: Any) -> None:
    given_up = quoted().given(c.ParkEffect(NOW, "session", "OpenSession", "refused"))
    left = given_up.given(c.SkipEffect(NOW + 60, "session", "insured <b>by hand</b>"))
    seen = await (await site(left)).see("/engagements/9001")
    assert "Left undone The call to open the application session insured <b>by hand</b>" in seen.words
    assert "A person decided to leave a step undone; a retry takes it up again." in seen.words
    assert "Needs attention" not in seen.words
    again = left.given(c.RequestRetry(NOW + 90, "after all"))
    assert "Left undone" not in (await (await site(again)).see("/engagements/9001")).words


async def test_a_hold_left_as_it_is_shows_its_own_words_and_the_latest_reason(site: Any) -> None:
    held = given(offer(), contract_read(replace(FRONTEND, category="Falconry")))
    left = held.given(
        c.SkipHold(NOW, "category_unmapped", "first thought"),
        c.RequestRetry(NOW + 30, "try"),
        c.SkipHold(NOW + 60, "category_unmapped", "second thought"),
    )
    words = (await (await site(left)).see("/engagements/9001")).words
    section = words.partition("Left undone")[2].partition("Where it stands")[0]
    assert "Upwork category Falconry is mapped to no category code. second thought" in section
    assert "first thought" not in section


def test_the_history_names_the_person_who_asked() -> None:
    (first, *_) = recorded(quoted())
    asked = structs.replace(first, actor="token:Ava", cause="request:retry:1")
    assert [x.actor for x in entries([asked, structs.replace(first, version=2)])] == ["token:Ava", None]
