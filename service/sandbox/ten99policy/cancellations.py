"""How cover ends and comes back: policies and assignments (fact sheet 8)."""

from service.sandbox.ten99policy.events import announce, named
from service.sandbox.ten99policy.table import Row
from service.sandbox.ten99policy.vendor import Ten99Policy


def cancel_policy(
    vendor: Ten99Policy, policy: Row, changes: Row | None = None, event: str | None = None
) -> None:
    """Off from now on, or from the `cancellation_date` among the changes."""
    off: Row = {"status": "cancelled", "is_active": False, "cancellation_date": vendor.now()}
    vendor.state.policies.change(policy["id"], {**off, **(changes or {})})
    announce(vendor, event or named(vendor, "policy.canceled"), policy, "policy")


def expire_policy(
    vendor: Ten99Policy, policy: Row, changes: Row | None = None, event: str | None = None
) -> None:
    """Over: the expiration date moves to now when it lay ahead, unless the changes name one."""
    over: Row = {
        "status": "expired",
        "is_active": False,
        "expiration_date": min(policy["expiration_date"], vendor.now()),
    }
    vendor.state.policies.change(policy["id"], {**over, **(changes or {})})
    announce(vendor, event or "policy.expired", policy, "policy")


def reactivate_policy(
    vendor: Ten99Policy, policy: Row, changes: Row | None = None, event: str | None = None
) -> None:
    """Back on with its original dates, unless the changes name others."""
    on: Row = {
        "status": "active",
        "is_active": True,
        "cancellation_date": None,
        "expiration_date": vendor.state.note(policy["id"]).get("expiration_date", policy["expiration_date"]),
    }
    vendor.state.policies.change(policy["id"], {**on, **(changes or {})})
    announce(vendor, event or "policy.reactivated", policy, "policy")


def cancel_all_of(vendor: Ten99Policy, contractor: str) -> None:
    """What deleting a contractor does to the active policies."""
    for policy in vendor.state.policies.where("contractor", contractor):
        if policy["is_active"]:
            cancel_policy(vendor, policy)
    cancel_later_assignments(vendor, contractor)


def cancel_all_of_job(vendor: Ten99Policy, job: str) -> None:
    """What deleting an entity does to the policies of its jobs."""
    for quote in vendor.state.quotes.where("job", job):
        for policy in vendor.state.policies.where("quote", quote["id"]):
            if policy["is_active"]:
                cancel_policy(vendor, policy)


def cancel_later_assignments(vendor: Ten99Policy, contractor: str) -> None:
    for assignment in vendor.state.assignments.where("contractor", contractor):
        if can_be_cancelled(vendor, assignment):
            cancel_assignment(vendor, assignment, "policy_cancelled")


def can_be_cancelled(vendor: Ten99Policy, assignment: Row) -> bool:
    """Only before its start, and once (fact sheet 6.7)."""
    return not assignment["cancelled"] and assignment["effective_date"] > vendor.now()


def cancel_assignment(vendor: Ten99Policy, assignment: Row, reason: str | None) -> None:
    changes: Row = {"cancelled": True, "cancellation_date": vendor.now(), "cancellation_reason": reason}
    vendor.state.assignments.change(assignment["id"], changes)
    announce(vendor, "assignment.cancelled", assignment, "assignment")
