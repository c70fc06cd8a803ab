"""A person may leave a step undone: it waits for nobody, and a retry takes it up again, all or by name."""

from replacing import replace
from story import (
    FRONTEND,
    NOW,
    RULES,
    Story,
    awaiting_opt_in,
    contract_read,
    given,
    insured,
    offer,
    quoted,
    replayed,
)

from domain import commands as c
from domain import events as e
from domain.attention import retryable
from domain.errors import Refused
from domain.react import still_wanted

FALCONER = contract_read(replace(FRONTEND, category="Falconry"))


def parked(step: str, at: int = NOW + 30) -> c.ParkEffect:
    return c.ParkEffect(at, step, "CreateJob", "category_code: unknown")


def skip(step: str, at: int = NOW + 60) -> c.SkipEffect:
    return c.SkipEffect(at, step, "insured by hand")


def leave(code: str, at: int = NOW + 60) -> c.SkipHold:
    return c.SkipHold(at, code, "nobody is to be insured here")


def retry(*steps: str, at: int = NOW + 90) -> c.RequestRetry:
    return c.RequestRetry(at, "after all", steps)


def held() -> Story:
    return given(offer(), FALCONER)


class TestACallThatWasGivenUp:
    def test_it_needs_nobody_once_it_is_skipped(self) -> None:
        story = quoted().given(parked("session")).when(skip("session"))
        story.then(e.EffectSkipped("session", "insured by hand")).needs().starts()

    def test_a_retry_takes_it_up_again(self) -> None:
        quoted().given(parked("session"), skip("session")).when(retry()).starts("session#2").needs()

    def test_given_up_once_more_it_waits_again(self) -> None:
        again = quoted().given(parked("session"), skip("session"), retry(), parked("session", NOW + 120))
        again.needs("effect_parked")

    def test_an_outcome_that_comes_after_all_settles_it(self) -> None:
        done = quoted().given(parked("session"), skip("session"), c.ConfirmSession(NOW + 70, "ias_1", None))
        assert done.engagement.parked == {}

    def test_to_skip_it_twice_says_nothing_new(self) -> None:
        quoted().given(parked("session"), skip("session")).when(skip("session")).nothing_happens()

    def test_only_what_was_given_up_can_be_skipped(self) -> None:
        quoted().when(skip("session")).refuses(Refused, "No call of this engagement was given up")

    def test_the_others_still_wait(self) -> None:
        both = given(offer(), contract_read(), parked("job"), parked("contractor"))
        both.when(skip("job")).needs("effect_parked")

    def test_a_reading_for_another_reason_leaves_it_undone(self) -> None:
        story = given(offer(), contract_read(), parked("job"), parked("contractor"), skip("job"))
        story.given(retry("contractor")).when(contract_read(at=NOW + 91)).starts("contractor#2")


class TestAHold:
    def test_it_needs_nobody_once_it_is_left_as_it_is(self) -> None:
        story = held().when(leave("category_unmapped"))
        story.then(e.HoldSkipped("category_unmapped", "nobody is to be insured here")).needs().starts()

    def test_a_retry_that_meets_it_again_asks_again(self) -> None:
        again = held().given(leave("category_unmapped")).when(retry()).starts("read#2").needs()
        again.when(FALCONER).needs("category_unmapped")

    def test_one_that_says_something_else_waits_again(self) -> None:
        other = contract_read(replace(FRONTEND, category="Heraldry"))
        held().given(leave("category_unmapped")).when(other).needs("category_unmapped")

    def test_one_that_says_the_same_does_not(self) -> None:
        held().given(leave("category_unmapped")).when(FALCONER).needs()

    def test_it_is_forgotten_with_what_it_waited_for(self) -> None:
        mapped = replace(RULES, categories={"*": "jc_any"})
        held_before = held().given(leave("category_unmapped"))
        replace(held_before, rules=mapped).when(contract_read()).starts("job").needs()

    def test_only_what_is_held_can_be_left(self) -> None:
        insured().when(leave("category_unmapped")).refuses(Refused, "not held under this code")
        held().given(leave("category_unmapped")).when(leave("category_unmapped")).nothing_happens()


class TestARetryByName:
    def test_it_starts_only_the_steps_it_names(self) -> None:
        pay = c.RequestInvoice(NOW, "march", 1000, NOW, NOW)
        story = awaiting_opt_in().given(pay, parked("invoice:march"), parked("session:after-refusal"))
        story.when(retry("invoice:march")).starts("invoice:march#2")

    def test_holds_are_tried_by_reading_the_contract_again(self) -> None:
        held().when(retry("read")).then(e.RetryRequested("after all", ("read",))).starts("read#2")

    def test_what_no_longer_waits_is_not_asked_for(self) -> None:
        quoted().when(retry("session", "read")).nothing_happens()

    def test_what_is_tried_again_already_waits_for_nobody(self) -> None:
        both = given(offer(), contract_read(), parked("job"), parked("contractor")).given(retry("job"))
        assert retryable(both.needs().engagement) == set()
        given_up = both.given(parked("read")).needs("effect_parked")
        assert retryable(given_up.engagement) == {"read"}
        assert retryable(held().given(retry("read")).needs().engagement) == set()

    def test_what_was_skipped_is_not_among_what_many_are_tried_again_for(self) -> None:
        story = given(offer(), FALCONER, parked("read"))
        assert retryable(story.engagement) == {"read"}
        assert retryable(story.given(leave("category_unmapped")).engagement) == {"read"}
        assert retryable(story.given(leave("category_unmapped"), skip("read")).engagement) == set()
        assert retryable(held().given(c.EndContract(NOW, NOW)).engagement) == set()

    def test_a_skipped_step_it_does_not_name_stays_skipped(self) -> None:
        story = given(offer(), contract_read(), parked("job"), skip("job"), parked("contractor"))
        story = story.given(retry("contractor"), contract_read(at=NOW + 91)).needs()
        assert story.engagement.parked["job"].skipped


def test_the_history_alone_tells_what_was_skipped_and_the_call_stays_the_same() -> None:
    story = quoted().given(parked("session"), skip("session"))
    assert replayed(story) == story.engagement
    assert still_wanted(story.engagement, "session", 1)
