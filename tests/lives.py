"""Random but repeatable lives of engagements: commands of every kind, in any order, at any time."""

from collections.abc import Callable
from random import Random

from replacing import replace
from story import DAY, END, FRONTEND, NOW, SHA, START, Story, given

from domain import commands as c
from domain.values import KnownContractor, Person


def life(seed: int, id: str, length: int = 25) -> Story:
    """An engagement after ``length`` commands, most of which record something."""
    random = Random(f"{seed} {id}")
    freelancer, client = random.choice(["fl_1", "fl_2", None]), random.choice(["cl_1", "cl_2"])
    story, at = given(c.AcceptOffer(NOW, "of_1", freelancer, client), id=id), NOW
    for _ in range(length):
        at += random.choice([0, 60, DAY, 20 * DAY])
        story = story.when(random.choice(_KINDS)(random, at))
    return story


def _terms(random: Random, at: int) -> c.RecordTerms:
    person = random.choice([FRONTEND.person, Person()])
    known = random.choice([KnownContractor(), KnownContractor("cn_1", opted_in=True)])
    return c.RecordTerms(at, replace(FRONTEND, person=person), known)


def _active(random: Random, at: int) -> c.NotePolicyActive:
    starts = random.choice([None, START, at, at + 5 * DAY])
    ends = random.choice([None, END, at + 30 * DAY])
    return c.NotePolicyActive(at, _policy(random), random.choice([None, "qt_1"]), starts, ends)


def _over(random: Random, at: int) -> c.NotePolicyOver:
    ended = at + random.choice([-DAY, 0, DAY])
    return c.NotePolicyOver(at, _policy(random), ended, canceled=random.random() < 0.5)


def _policy(random: Random) -> str:
    return random.choice(["pl_1", "pl_2"])


def _validated(random: Random, at: int) -> c.NoteCertificateValidated:
    ends = random.choice([None, at + 20 * DAY])
    return c.NoteCertificateValidated(at, "crt_1", random.choice([None, at - DAY]), ends)


def _ended(random: Random, at: int) -> c.EngagementCommand:
    """Seldom: nothing much follows an end."""
    if random.random() < 0.8:
        return c.Reassess(at)
    return c.EndContract(at, at + random.choice([0, 10 * DAY]))


_KINDS: tuple[Callable[[Random, int], c.EngagementCommand], ...] = (
    _terms,
    _active,
    _active,
    _over,
    _validated,
    _ended,
    lambda random, at: c.NoteCertificateFlagged(at, "crt_1", random.choice(["flagged", "denied"])),
    lambda random, at: c.ActivateContract(at, "of_1", "fl_1", "cl_1"),
    lambda random, at: c.ConfirmContractor(at, "cn_1", opted_in=random.random() < 0.5),
    lambda random, at: c.ConfirmJob(at, "jb_1"),
    lambda random, at: c.ConfirmQuote(at, "qt_1", START, END),
    lambda random, at: c.ConfirmAssignment(at, "an_1", "pl_1", START, END),
    lambda random, at: c.ParkEffect(at, random.choice(["job", "quote"]), "CreateJob", "503: try later"),
    lambda random, at: c.RequestRetry(at, "mended"),
    lambda random, at: c.SubmitCertificate(at, "acord-25.pdf", SHA),
    lambda random, at: c.ConfirmCertificateUploaded(at, "crt_1", SHA),
)
