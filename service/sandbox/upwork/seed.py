"""The guide's own example: contract 9001 of freelancer fl_12345."""

from service.sandbox.clock import Clock
from service.sandbox.upwork.dates import GUIDE_END, GUIDE_START, default_window
from service.sandbox.upwork.records import Contract, Freelancer, Pay, State

ORGANIZATION_ID = "1181921839933591552"
ORGANIZATION_NAME = "Harbor & Pine Studio"
CLIENT_ID = "client_1"
CONTRACT_ID = "9001"
FREELANCER_ID = "fl_12345"


def seeded_state(now: float) -> State:
    state = State()
    state.freelancers[FREELANCER_ID] = Freelancer(
        id=FREELANCER_ID,
        display_name="Ava Nguyen",
        first_name="Ava",
        last_name="Nguyen",
        location={"country": "US", "region": "CA", "locality": "San Francisco"},
    )
    state.contracts[CONTRACT_ID] = Contract(
        id=CONTRACT_ID,
        term_id=CONTRACT_ID,
        offer_id="19001",
        job_id="29001",
        client_id=CLIENT_ID,
        freelancer_id=FREELANCER_ID,
        title="Frontend Developer",
        description="Build dashboard UI and integrate GraphQL APIs",
        hourly_rate=Pay("75.00"),
        fixed_budget=None,
        category={"name": "Web, Mobile & Software Dev"},
        starts=None,
        ends=None,
        attachments=[],
        created_at=now,
        modified_at=now,
        window="open",
    )
    return state


def settle_window(contract: Contract, clock: Clock) -> None:
    """Give the seeded contract its dates when it is first used, so that they don't wander with the clock.

    Tomorrow by the sandbox's clock and 91 days; the guide's own window (fact sheet 11) once the clock is set
    to a time before it, also when the contract was used earlier.
    """
    if contract.window == "fixed":
        return
    if clock.is_set and clock.now() < GUIDE_START:
        contract.starts, contract.ends, contract.window = GUIDE_START, GUIDE_END, "fixed"
    elif contract.window == "open":
        contract.starts, contract.ends = default_window(clock.at())
        contract.window = "tomorrow"
