"""The corners of a life: an end that leaves a policy running, and plans that a later look has overtaken."""

from replacing import replace
from story import (
    DAY,
    FRONTEND,
    NOW,
    START,
    awaiting_opt_in,
    contract_read,
    flagged,
    given,
    insured,
    offer,
    policy_active,
)

from domain import commands as c
from domain import events as e
from domain.values import Pay


def test_a_policy_that_has_begun_is_left_to_its_end_and_the_event_says_so() -> None:
    after = insured().when(c.EndContract(START + DAY, START + DAY)).starts()
    after.then(e.ContractEnded(START + DAY), e.CoverageEnded("left_to_its_end"))
    after.when(c.EndContract(START + 2 * DAY, START + DAY)).then(e.ContractEnded(START + DAY))


def test_a_refused_certificate_does_not_hide_that_a_policy_has_lapsed() -> None:
    refused = awaiting_opt_in().given(flagged(verdict="denied")).becomes("under_review")
    lapsed = refused.given(
        policy_active(NOW + 4 * DAY), c.NotePolicyOver(NOW + 5 * DAY, "pl_1", NOW + 5 * DAY, canceled=True)
    )
    lapsed.becomes("lapsed").needs("coverage_lapsed")


def test_a_job_that_was_refused_is_not_sent_again_as_it_was_once_its_pay_is_held() -> None:
    euros = replace(FRONTEND, pay=Pay("hourly", "75.00", "EUR"))
    refused = given(
        offer(), contract_read(), c.ParkEffect(NOW, "job", "CreateJob", "no"), c.RequestRetry(NOW, "again")
    )
    held = refused.when(contract_read(euros)).starts()
    held.needs("pay_currency")
    held.given(c.RequestRetry(NOW, "in dollars now")).when(contract_read()).starts("job#2")
