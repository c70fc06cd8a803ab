"""Every sequence of a few pieces of news and answers, one after another in every order, exhaustively.

What a vendor answers to a call can only follow the call; everything else may come at any time, and again.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from story import (
    ASSIGNMENT,
    CONTRACTOR,
    DAY,
    END,
    FRONTEND,
    JOB,
    NOW,
    QUOTE,
    SESSION,
    SHA,
    START,
    Story,
    activated,
    awaiting_opt_in,
    contract_read,
    flagged,
    given,
    insured,
    offer,
    policy_active,
    policy_read,
    quoted,
    returning,
    validated,
)

from domain import commands as c
from domain import effects as x
from domain import events as e
from domain.coverage import answer
from domain.evolve import evolve
from domain.lifecycle import ENDED
from domain.react import wanted
from domain.state import Engagement

LONGEST = 4
HOURS = (NOW, START - 1, START, START + 2 * DAY, START + 6 * DAY, END - 1, END)

over = c.NotePolicyOver(START + 3 * DAY, "pl_1", START + 2 * DAY, canceled=True)

NEWS: tuple[c.EngagementCommand, ...] = (
    offer(),
    activated(),
    c.EndContract(START + 4 * DAY, START + 4 * DAY),
    policy_active(),
    policy_active(at=NOW + 3 * DAY, starts=None, ends=None),
    over,
    policy_active(at=START + 5 * DAY, starts=START + 6 * DAY),
    c.NoteAssignmentCancelled(START + 3 * DAY, "an_1", START + 3 * DAY),
    validated(),
    flagged(at=START + 2 * DAY, verdict="denied"),
    c.NoteOptIn(NOW + DAY),
    c.Reassess(END),
)

ANSWERS: dict[type[x.Effect], c.EngagementCommand] = {
    x.ReadContract: contract_read(FRONTEND),
    x.EnsureContractor: CONTRACTOR,
    x.CreateJob: JOB,
    x.CreateQuote: QUOTE,
    x.OpenSession: SESSION,
    x.CreateAssignment: ASSIGNMENT,
    x.ConfirmPolicy: policy_read(),
    x.UploadCertificate: c.ConfirmCertificateUploaded(NOW, "crt_1", SHA),
    x.EndCoverage: c.ConfirmCoverageEnded(START + 4 * DAY, "assignment_shortened", START + 4 * DAY),
    x.ShareOptIn: c.ConfirmOptInShared(NOW),
}

OBJECTS = (x.EnsureContractor, x.CreateJob, x.CreateQuote, x.OpenSession, x.CreateAssignment)
"""Calls that make something at 1099Policy; an upload has a file of its own each time."""

BASES: dict[str, Callable[[], Story]] = {
    "of nothing yet": given,
    "of a first offer": lambda: given(offer(), contract_read()),
    "of a quote": quoted,
    "of an open session": awaiting_opt_in,
    "of an insured one": insured,
    "of a contractor who has opted in": returning,
    "of one whose certificate is to be uploaded": lambda: quoted().given(
        c.SubmitCertificate(NOW, "coi.pdf", SHA)
    ),
}


@dataclass(frozen=True)
class Node:
    """A story after some turns; ``asked`` holds every call that was ever wanted, done or not."""

    story: Story
    turns: tuple[c.EngagementCommand, ...] = ()
    asked: frozenset[type[x.Effect]] = field(default_factory=frozenset)


def next_turns(node: Node) -> Iterator[Node]:
    """Any news, and the answer to anything that was asked for, early or late or a second time.

    A turn that records nothing is as if it had not been: what would follow it is told elsewhere.
    """
    for command in (*NEWS, *(ANSWERS[kind] for kind in ANSWERS if kind in node.asked)):
        story = node.story.when(command)
        if story.told:
            yield Node(story, (*node.turns, command), node.asked | asked_by(story))


def asked_by(story: Story) -> frozenset[type[x.Effect]]:
    return frozenset(type(w.effect) for w in wanted(story.engagement) if type(w.effect) in ANSWERS)


def told(node: Node) -> str:
    return " → ".join(str(turn) for turn in node.turns)


def faults(before: Story, node: Node) -> Iterator[str]:
    """Which of the invariants do not hold after the last turn."""
    after, s = node.story, node.story.engagement
    folded: Engagement = before.engagement
    for entry in after.entries[len(before.entries) :]:
        folded = evolve(folded, entry)
    if folded != s:
        yield "the events do not fold into the state"
    if before.engagement.state == ENDED and s.state != ENDED:
        yield "the end is not final"
    if s.ended_at is not None and s.state != ENDED:
        yield "an end is on record and the state is another"
    if s.state == ENDED and any(isinstance(w.effect, OBJECTS) for w in wanted(s)):
        yield "something is still to be made after the end"
    made = Counter(type(effect) for effect in {w.key: w.effect for w in after.ever}.values())
    twice = [kind.__name__ for kind in OBJECTS if made[kind] > 1]
    if twice:
        yield f"asked for twice: {twice}"
    if s.policies and any(isinstance(w.effect, x.OpenSession | x.CreateAssignment) for w in wanted(s)):
        yield "a second cover is asked for where a policy is on record"
    yield from covers_without_evidence(after, s)


def covers_without_evidence(story: Story, s: Engagement) -> Iterator[str]:
    facts = {entry.version: entry.event for entry in story.entries}
    for at in HOURS:
        said = answer(s, at)
        if answer(s, at, silent_since=at - 1).covered:
            yield f"covered at {at} though nobody can know"
        if not said.covered:
            continue
        if s.ended_at is not None and s.ended_at <= at:
            yield f"covered at {at}, after the end"
        if not any(proves(facts[version], at) for version in said.evidence):
            yield f"covered at {at} by nothing: {said}"


def proves(fact: e.Event, at: int) -> bool:
    """Whether this one fact, for all that is said of it, says that there is cover at that instant."""
    match fact:
        case e.PolicyActivated(_, _, _, starts, ends):
            return starts is not None and starts <= at and (ends is None or at < ends)
        case e.CertificateValidated(_, _, starts, ends):
            return starts <= at and (ends is None or at < ends)
        case _:
            return False


def walked(base: Story) -> Iterator[tuple[Story, Node]]:
    nodes = [Node(base, (), asked_by(base))]
    for _ in range(LONGEST):
        reached: list[Node] = []
        for node in nodes:
            for after in next_turns(node):
                yield node.story, after
                reached.append(after)
        nodes = distinct(reached)


def distinct(nodes: list[Node]) -> list[Node]:
    """One node of each engagement and its calls: the same again, numbered differently, goes on alike."""
    kept: dict[object, Node] = {}
    for node in nodes:
        made = frozenset(w.key for w in node.story.ever if isinstance(w.effect, OBJECTS))
        alike = re.sub(r"(version|created_by)=\d+", "", repr(node.story.engagement))
        kept.setdefault((alike, made, node.asked), node)
    return list(kept.values())


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.replace(" ", "_"))
def test_every_short_history_keeps_the_invariants(base: str) -> None:
    seen = 0
    for before, node in walked(BASES[base]()):
        seen += 1
        found = list(faults(before, node))
        if found:
            pytest.fail(f"{base}, after {told(node)}:\n" + "\n".join(found), pytrace=False)
    assert seen > 2_000
