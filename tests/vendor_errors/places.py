"""Where an engagement stands when an operation makes its calls."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from contracts.given import NOON
from vendor_errors.client import ENDS, FILE, PDF, STARTS
from vendor_errors.stages import Place, Stage

from domain import commands as c
from service.clock import epoch


async def offered(stage: Stage) -> None:
    """A freelancer whom 1099Policy does not know: contract, contractor, job, quote, session."""
    stage.armed = True
    await stage.offer()


async def offered_in_parts(stage: Stage) -> None:
    stage.client.in_parts = True
    await offered(stage)


async def offered_to_one_known(stage: Stage) -> None:
    """1099Policy knows the contractor, who has opted in before."""
    stage.ledger.known = True
    await offered(stage)


async def offered_by_the_reference(stage: Stage) -> None:
    stage.client.by_reference = True
    stage.replica = stage.scene.make(dialect="reference")
    await offered(stage)


async def offered_by_the_reference_in_parts(stage: Stage) -> None:
    stage.client.in_parts = True
    await offered_by_the_reference(stage)


async def attached(stage: Stage) -> None:
    """A possible certificate hangs on the contract."""
    url = f"{stage.scene.upwork.base}{FILE}"
    stage.client.attached = [{"id": "at_1", "fileName": "acord-25.pdf", "url": url}]
    await offered(stage)


async def activated(stage: Stage) -> None:
    """The contract of one who has opted in begins: the assignment, and the reading of its policy."""
    stage.ledger.known = True
    await stage.offer()
    stage.armed = True
    await stage.activate()


async def activated_without_a_policy(stage: Stage) -> None:
    """The same, where the assignment does not say under which policy it comes."""
    stage.ledger.names_policy = False
    await activated(stage)


async def ended_before_its_start(stage: Stage) -> None:
    await assigned(stage)
    stage.armed = True
    await stage.end()


async def ended_after_its_start(stage: Stage) -> None:
    await assigned(stage)
    stage.scene.clock.move((STARTS - NOON).total_seconds() + 86_400)
    await stage.work()
    stage.armed = True
    await stage.end()


async def ended_when_others_had_cancelled(stage: Stage) -> None:
    """The assignment refuses to be shortened, and is looked at."""
    await assigned(stage)
    stage.scene.clock.move((STARTS - NOON).total_seconds() + 86_400)
    await stage.work()
    stage.ledger.made["/assignments"][0] |= {"cancelled": True, "cancellation_date": stage.ledger.now()}
    stage.armed = True
    await stage.end()


async def handed_in(stage: Stage) -> None:
    """A certificate of their own."""
    await stage.offer()
    sha256 = await stage.scene.store.put_file(PDF)
    stage.armed = True
    await stage.tell(lambda now: c.SubmitCertificate(now, "acord-25.pdf", sha256))
    await stage.work()


async def offered_when_the_token_ran_out(stage: Stage) -> None:
    """The token that is held has run out, and there is another that renews it."""
    stage.client.renews = True
    await stage.replica.worker._desk.upwork._tokens.access()
    stage.scene.clock.move(86_400)
    await offered(stage)


async def begun(stage: Stage) -> None:
    """A contract that has run for longer than a day is read: whether its term is over is for the vendor's
    clock to say."""
    stage.client.starts = NOON - timedelta(days=30)
    stage.client.ends = None
    await offered(stage)


def afresh(path: str, begin: Callable[[Stage], Awaitable[None]]) -> Place:
    """A person has tried again what was refused once: what an earlier try made is looked for first."""

    async def place(stage: Stage) -> None:
        stage.ledger.refuses = {f"POST {path}": "invalid_input"}
        await begin(stage)
        stage.ledger.refuses = {}
        stage.armed = True
        await stage.tell(lambda now: c.RequestRetry(now, "it is mended"))
        await stage.work()

    return place


async def paid(stage: Stage) -> None:
    """Final pay is to be recorded."""
    await stage.offer()
    stage.armed = True
    await stage.tell(lambda now: c.RequestInvoice(now, "k1", 120_000, epoch(STARTS), epoch(ENDS)))
    await stage.work()


async def assigned(stage: Stage) -> None:
    stage.ledger.known = True
    await stage.offer()
    await stage.activate()


PLACES: dict[str, Place] = {
    "an offer": offered,
    "an offer, read in parts": offered_in_parts,
    "an offer to one who is known": offered_to_one_known,
    "an offer, by the reference": offered_by_the_reference,
    "an offer, by the reference in parts": offered_by_the_reference_in_parts,
    "an offer when the token ran out": offered_when_the_token_ran_out,
    "an offer with a file": attached,
    "a start": activated,
    "a start under whatever policy": activated_without_a_policy,
    "an end before the start": ended_before_its_start,
    "an end": ended_after_its_start,
    "an end of what others cancelled": ended_when_others_had_cancelled,
    "a certificate": handed_in,
    "final pay": paid,
    "an offer of one that has begun": begun,
    "a job, tried afresh": afresh("/jobs", offered),
    "a quote, tried afresh": afresh("/quotes", offered),
    "a session, tried afresh": afresh("/apply/sessions", offered),
    "a start, tried afresh": afresh("/assignments", activated),
    "a certificate, tried afresh": afresh("/files/certificates", handed_in),
    "final pay, tried afresh": afresh("/invoices", paid),
}
