"""The sandboxes' own record of a world: what they hold of each contract, and what follows."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Record:
    """What the vendors hold of one contract."""

    contract: Row
    sessions: list[Row]
    policies: list[Row]
    certificates: list[Row]

    @property
    def state(self) -> str:
        """Where the guide says such a contract must stand."""
        if self.contract["status"] == "CLOSED":
            return "ended"
        verdict = self.certificates[-1]["status"] if self.certificates else None
        if any(policy["status"] == "active" for policy in self.policies):
            return "insured"
        if verdict == "approved":
            return "coi_validated"
        if verdict == "flagged":
            return "under_review"
        return "lapsed" if self.policies else "awaiting_opt_in"

    def covered(self, at: int) -> bool:
        if self.contract["status"] == "CLOSED":
            return False
        by_policy = any(
            policy["status"] == "active" and policy["effective_date"] <= at < policy["expiration_date"]
            for policy in self.policies
        )
        return by_policy or any(row["status"] == "approved" for row in self.certificates)


class Records:
    """Everything both sandboxes hold, by contract."""

    def __init__(self, upwork: Row, ten99policy: Row) -> None:
        self._upwork = upwork
        self._held: dict[str, list[Row]] = ten99policy

    def of(self, engagement_id: str) -> Record:
        contract = self._upwork["contracts"][engagement_id]
        jobs = {j["id"] for j in self._held["jobs"] if _engagement(j) == engagement_id}
        quotes = {q["id"] for q in self._held["quotes"] if q["job"] in jobs}
        people = {
            c["id"]
            for c in self._held["contractors"]
            if (c.get("custom_metadata") or {}).get("upwork_freelancer_id") == contract["freelancer_id"]
        }
        return Record(
            contract,
            [s for s in self._held["sessions"] if s["quote"] in quotes],
            [p for p in self._held["policies"] if p["quote"] in quotes],
            [c for c in self._held["certificates"] if c["contractor"] in people],
        )

    def doubled(self) -> dict[str, list[Any]]:
        """Objects that exist more than once for what they are for."""
        purposes = {
            "contractors": [c["email"] for c in self._held["contractors"]],
            "jobs": [_engagement(j) for j in self._held["jobs"]],
            "quotes": [q["job"] for q in self._held["quotes"]],
            "sessions": [s["quote"] for s in self._held["sessions"]],
            "assignments": [a["job"] for a in self._held["assignments"]],
            "certificates": [(c["contractor"], c["filename"]) for c in self._held["certificates"]],
        }
        found = {name: [k for k, n in Counter(made).items() if n > 1] for name, made in purposes.items()}
        return {name: twice for name, twice in found.items() if twice}


def _engagement(job: Row) -> Any:
    return (job.get("custom_metadata") or {}).get("engagement_id")
