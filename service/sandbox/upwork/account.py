"""The sandbox as one object: clock, faults, calls, webhooks and everything it remembers."""

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from service.sandbox.clock import Clock
from service.sandbox.control import Calls, Faults
from service.sandbox.emit import Emitter, Target
from service.sandbox.upwork.intake import take_contract
from service.sandbox.upwork.options import UpworkOptions
from service.sandbox.upwork.records import Contract, UnsentEvent
from service.sandbox.upwork.seed import ORGANIZATION_ID, seeded_state, settle_window

WEBHOOK_PATH = "/webhooks/upwork"
WEBHOOK_HEADER = "X-Upwork-Webhook-Token"


class UpworkAccount:
    """Implements the shared `Sandbox` protocol; `state` is plain records, changed only here and in intake."""

    def __init__(self, options: UpworkOptions) -> None:
        self.options = options
        self.clock = Clock()
        self.faults = Faults()
        self.calls = Calls()
        self.emitter = Emitter(
            self.clock,
            self.faults,
            retry_base_seconds=options.retry_base_seconds,
            lanes=options.webhook_lanes,
        )
        self.state = seeded_state(self.clock.now())

    def objects(self) -> dict[str, Any]:
        """Contracts, freelancers and file names by id. Tokens are counted, not shown."""
        state = self.state
        return {
            "contracts": {id: msgspec.to_builtins(each) for id, each in state.contracts.items()},
            "freelancers": {id: msgspec.to_builtins(each) for id, each in state.freelancers.items()},
            "files": {id: {"content_type": file.content_type} for id, file in state.files.items()},
            "tokens": {"access": len(state.access_tokens), "refresh": len(state.refresh_tokens)},
        }

    def reset(self) -> None:
        self.state = seeded_state(self.clock.now())

    # ---- contracts

    def contract(self, id: str) -> Contract | None:
        """By contract id or term id (fact sheet 6.2), with its dates settled."""
        contract = self.state.contracts.get(id)
        if contract is None:
            contract = next((each for each in self.state.contracts.values() if each.term_id == id), None)
        if contract:
            settle_window(contract, self.clock)
        return contract

    def take_contract(self, body: dict[str, Any]) -> Contract:
        """Make or change a contract from a control body; raises `Unusable`."""
        contract = take_contract(body, self.state, self.clock)
        settle_window(contract, self.clock)
        return contract

    def accept_offer(self, contract: Contract) -> str:
        contract.accepted = True
        return self._tell("offer.accepted", contract)

    def activate(self, contract: Contract) -> str:
        """A closed contract stays closed: the late news is told all the same."""
        contract.accepted = True
        if contract.status != "CLOSED":
            contract.status = "ACTIVE"
        return self._tell("contract.active", contract)

    def end(self, contract: Contract, ended_at: Any) -> str:
        """Close it; the end date becomes `ended_at`, a date or an instant (fact sheet 7)."""
        contract.status = "CLOSED"
        contract.ends, contract.window = ended_at, "fixed"
        return self._tell("contract.ended", contract)

    # ---- webhooks

    def emit(self, type: str, data: Any, order_key: str = "") -> str:
        """Queue a webhook in the body of fact sheet 8.2, with the client beside; returns its id."""
        id = f"evt_{uuid.uuid4().hex}"
        body = {
            "id": id,
            "type": type,
            "createdAt": self.clock.at().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "organizationId": ORGANIZATION_ID,
            "data": data,
        }
        self.emitter.emit(id, type, body, self._targets(), order_key)
        return id

    def send_unsent(self) -> None:
        """At least once: what was still on its way when the sandbox stopped is sent again."""
        for event in self.state.unsent:
            self.emitter.emit(event.id, event.type, event.body, self._targets())
        self.state.unsent = []

    def unsent(self) -> list[UnsentEvent]:
        waiting = set(self.emitter.undelivered())
        found = {each.id: each for each in self.emitter.log if each.id in waiting} if waiting else {}
        return [UnsentEvent(each.id, each.type, msgspec.json.decode(each.raw)) for each in found.values()]

    def _tell(self, type: str, contract: Contract) -> str:
        contract.modified_at = self.clock.now()
        data = {
            "offer": {"id": contract.offer_id},
            "contract": {"id": contract.id},
            "freelancer": {"id": contract.freelancer_id},
        }
        if contract.client_id is not None:
            data["client"] = {"id": contract.client_id}
        return self.emit(type, data, order_key=contract.id)

    def _targets(self) -> list[Target]:
        if not self.options.callback:
            return []
        url = self.options.callback.rstrip("/") + WEBHOOK_PATH
        return [Target(url, WEBHOOK_PATH, self._sign)]

    def _sign(self, raw: bytes, now: float) -> Mapping[str, str]:
        """The proof is a shared token in a header: no signature is known (fact sheet 8.2)."""
        return {WEBHOOK_HEADER: self.options.webhook_token}
