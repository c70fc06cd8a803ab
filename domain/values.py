"""The values events and effects are made of. Money is integer cents, instants are epoch seconds in UTC."""

from typing import Literal

from msgspec import Struct

WageType = Literal["hourly", "flatfee"]
ContractKind = Literal["payroll", "weekly_retainer"]
"""Contracts that are unlike the guide's: an employee's, and one that pays by the week."""


class Value(Struct, frozen=True, gc=False):
    """What never changes, and is made of such: it can be in no cycle, so the garbage collector leaves it out.
    Looking at a hundred thousand of them again and again takes a good part of the time of a fold."""


class Pay(Value, frozen=True):
    """What Upwork says a contract pays: ``amount`` is exact decimal text in ``currency``."""

    wage_type: WageType
    amount: str
    currency: str | None = None


class Person(Value, frozen=True):
    """A freelancer as Upwork names them. Every field is personal and none may reach a log."""

    display_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None


class Attachment(Value, frozen=True):
    """A file Upwork lists on a contract; ``url`` is where it can be downloaded."""

    id: str
    file_name: str
    url: str
    content_type: str | None = None

    @property
    def may_be_certificate(self) -> bool:
        """A PDF by its type or its name (guide 4.6); the bytes are checked after the download."""
        return self.content_type == "application/pdf" or self.file_name.lower().endswith(".pdf")


class Terms(Value, frozen=True):
    """A contract as read back from Upwork, in one shape for every dialect."""

    title: str | None
    description: str | None
    pay: Pay | None
    category: str | None
    starts_at: int | None
    ends_at: int | None
    person: Person
    attachments: tuple[Attachment, ...] = ()
    category_id: str | None = None
    client_id: str | None = None
    freelancer_id: str | None = None
    subcategory: str | None = None
    subcategory_id: str | None = None
    term_id: str | None = None
    """Upwork's other id of a contract, which changes with its terms (Upwork facts, section 5)."""
    kind: ContractKind | None = None


class KnownContractor(Value, frozen=True):
    """What the freelancer's own stream already knows when an engagement is read."""

    contractor_id: str | None = None
    opted_in: bool = False
    first_name: str | None = None
    last_name: str | None = None


class ContractorDraft(Value, frozen=True):
    """The contractor to create at 1099Policy (guide 4.1)."""

    first_name: str
    last_name: str
    email: str
    country: str | None = None
    region: str | None = None
    city: str | None = None


class JobDraft(Value, frozen=True):
    """The job to create at 1099Policy (guide 4.2). ``wage`` is integer cents."""

    name: str
    description: str
    entity: str
    category_code: str
    wage: int
    wage_type: WageType
    region: str | None = None


class Window(Value, frozen=True):
    """Half-open span [starts_at, ends_at) the engagement must be covered for."""

    starts_at: int
    ends_at: int


class Patience(Value, frozen=True):
    """How long a step may take before a person is told, and how long before its end cover is renewed."""

    opt_in_days: int = 3
    review_hours: int = 48
    expiry_days: tuple[int, ...] = (30, 7, 1)
    """Days before the end of cover, in any order; none of them: nobody is told."""
    renewal_days: int = 14


class Hold(Value, frozen=True):
    """Why an engagement waits for a person: a stable code, a sentence, and what will clear it."""

    code: str
    message: str
    fix: str
