"""The guide's own example, contract 9001, from `offer.accepted` to `insured`, told as it happens."""

from collections.abc import Callable
from typing import Any

from domain import codec
from service.demo.driver import Driver, Peer
from service.web.words import said

CONTRACT = "9001"

Say = Callable[[str], None]


class _Story:
    """Tells each new event and each new vendor call once, in the order they are seen."""

    def __init__(self, drive: Driver, say: Say) -> None:
        self._drive = drive
        self._say = say
        self._told_events = 0
        self._told_calls: dict[str, int] = {}

    async def skip_what_was(self) -> None:
        """Do not tell calls of earlier days."""
        for name, peer in self._peers():
            self._told_calls[name] = len(await _requests(peer))

    async def tell(self) -> None:
        for name, peer in self._peers():
            await self._tell_calls(name, peer)
        if await self._drive.service.find(f"/v1/engagements/{CONTRACT}") is None:
            return
        events = await self._drive.events(CONTRACT)
        for event in events[self._told_events :]:
            words = said(codec.engagement_event_from(event["type"], event["data"]))
            self._say(f"  {event['version']:>3}  {event['type']:<18} {words}")
        self._told_events = len(events)

    async def _tell_calls(self, name: str, peer: Peer) -> None:
        requests = await _requests(peer)
        for request in requests[self._told_calls.get(name, 0) :]:
            self._say(f"       → {name} {request['method']} {request['path']} ← {request.get('status', '?')}")
        self._told_calls[name] = len(requests)

    def _peers(self) -> tuple[tuple[str, Peer], ...]:
        return (("Upwork", self._drive.upwork), ("1099Policy", self._drive.ten99policy))


async def _requests(peer: Peer) -> list[dict[str, Any]]:
    found = await peer.get("/_control/calls?detail=1")
    requests: list[dict[str, Any]] = found["requests"]
    return requests


async def run_example(drive: Driver, say: Say) -> str:
    """Drive contract 9001 to `insured`; on a later start only tell where it stands. Answers its state."""
    known = await drive.service.find(f"/v1/engagements/{CONTRACT}")
    if known is not None and known["state"] not in (
        "offered",
        "contractor_ready",
        "quoted",
        "awaiting_opt_in",
    ):
        say(f"Contract {CONTRACT} is already here: {known['state']}. {known['reason']}")
        return str(known["state"])
    story = _Story(drive, say)
    await story.skip_what_was()
    if known is None:
        say(f"Upwork: the offer for contract {CONTRACT} is accepted; its webhook is on the way.")
        await drive.offer(CONTRACT)
    await _until(drive, story, "awaiting_opt_in")
    say("Freelancer: opens the application session and opts in (the sandbox does it for them).")
    await drive.complete_session(CONTRACT)
    shown = await _until(drive, story, "insured")
    await story.tell()
    say(f"Contract {CONTRACT} is {shown['state']}. {shown['reason']}")
    return str(shown["state"])


async def _until(drive: Driver, story: _Story, state: str) -> dict[str, Any]:
    async def look() -> bool:
        await story.tell()
        found = await drive.service.find(f"/v1/engagements/{CONTRACT}")
        return found is not None and found["state"] == state

    await drive.until_true(look, f"contract {CONTRACT} to be {state}")
    await story.tell()
    return await drive.status(CONTRACT)
