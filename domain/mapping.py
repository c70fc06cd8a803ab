"""An Upwork record becomes 1099Policy values, or a hold that says what is missing. It never guesses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from hashlib import sha256

from domain.names import split_name
from domain.places import country_code, region_code
from domain.rules import Rules
from domain.values import ContractorDraft, Hold, JobDraft, Pay, Person, Terms, Window

DAY = int(timedelta(days=1).total_seconds())
YEAR = 365 * DAY
MIN_WAGE, MAX_WAGE = 100, 1_000_000_000
"""Cents; what 1099Policy accepts on a job (fact sheet 6.3)."""
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?")

NAMING = frozenset({"name_missing", "name_unclear", "email_missing"})
HIRING = frozenset(
    {
        *("client_unmapped", "category_unmapped", "title_missing", "payroll_contract"),
        *("pay_missing", "pay_currency", "pay_not_exact", "pay_out_of_range", "pay_by_the_week"),
    }
)
DATING = frozenset({"start_missing", "window_empty"})
"""The holds that keep a contractor, a job, or a quote from being made."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What could be mapped, and a hold for each thing that could not. ``notes`` tell what was decided."""

    contractor: ContractorDraft | None
    job: JobDraft | None
    window: Window | None
    holds: tuple[Hold, ...]
    notes: tuple[str, ...] = ()


def map_engagement(
    engagement_id: str,
    freelancer_id: str,
    client_id: str | None,
    terms: Terms,
    names: tuple[str, str] | None,
    rules: Rules,
    now: int | None = None,
) -> Mapped:
    """Map everything at once so that a person sees every hole in one look.

    ``names`` is a person's decision on (first, last), which wins over what Upwork shows. ``now`` is the time
    at 1099Policy, which quotes nothing that is over; None: the dates are taken as they stand.
    """
    if terms.kind == "payroll":
        return Mapped(None, None, None, (PAYROLL,))
    contractor = _contractor(freelancer_id, terms.person, names, rules)
    job = _job(engagement_id, client_id, terms, rules)
    window, notes = _window(terms, rules, now)
    parts = (contractor, job, window)
    holds = [hold for part in parts if isinstance(part, list) for hold in part]
    if isinstance(window, Window) and terms.ends_at is not None and terms.ends_at > window.ends_at:
        holds.append(OVER_A_YEAR)
    return Mapped(
        contractor if isinstance(contractor, ContractorDraft) else None,
        job if isinstance(job, JobDraft) else None,
        window if isinstance(window, Window) else None,
        tuple(holds),
        notes,
    )


FREELANCER_MISSING = Hold(
    "freelancer_missing",
    "Upwork's news names no freelancer, so nobody can be insured.",
    "Wait for contract.active, which may name them, or send the event again with data.freelancer.id.",
)
PAYROLL = Hold(
    "payroll_contract",
    "The contract runs through payroll: the freelancer is employed, not an independent contractor.",
    "Nothing is to be insured here. If that is wrong, correct the contract at Upwork, then retry.",
)
OVER_A_YEAR = Hold(
    "term_over_a_year",
    "The contract runs longer than the year a quote may cover: what lies beyond is not asked for yet.",
    "Nothing now: cover is renewed before that year ends. Or shorten the contract at Upwork.",
)
"""It keeps nothing from being made: a year is insured, and the rest shows as a gap until it is renewed."""
BY_THE_WEEK = Hold(
    "pay_by_the_week",
    "The contract pays a weekly stipend, which is neither an hourly rate nor a fixed price.",
    "Agree an hourly rate or a fixed price at Upwork, then retry; or insure this contract by hand.",
)
"""The last two have no place in the guide's mapping, and none is made up (Upwork facts, 6.1 and 7)."""


def _contractor(
    freelancer_id: str, person: Person, names: tuple[str, str] | None, rules: Rules
) -> ContractorDraft | list[Hold]:
    split = names or split_name(person)
    email = _address(person.email) or proxy_email(freelancer_id, rules)
    holds = [h for h in (split, email) if isinstance(h, Hold)]
    if isinstance(split, Hold) or isinstance(email, Hold):
        return holds
    return ContractorDraft(
        first_name=split[0],
        last_name=split[1],
        email=email,
        country=country_code(person.country),
        region=region_code(person.region, person.country),
        city=person.city,
    )


_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+")
_MAILBOX = re.compile(r"[A-Za-z0-9_~+-]+(\.[A-Za-z0-9_~+-]+)*")
LONGEST_MAILBOX = 64
"""Characters before the ``@`` (RFC 5321, 4.5.3.1.1)."""


def _address(email: str | None) -> str | None:
    """What stands where an e-mail should and is none counts as missing."""
    return email if email is not None and _EMAIL.fullmatch(email) else None


def proxy_email(freelancer_id: str, rules: Rules) -> str | Hold:
    """``<freelancer id>@<domain>``, the same for ever (guide 4.1): by it the contractor is found again.

    Ids are opaque; one that cannot stand in an address is represented by its digest.
    """
    if rules.proxy_email_domain:
        fits = len(freelancer_id) <= LONGEST_MAILBOX and _MAILBOX.fullmatch(freelancer_id)
        mailbox = freelancer_id if fits else f"id-{sha256(freelancer_id.encode()).hexdigest()[:32]}"
        return f"{mailbox}@{rules.proxy_email_domain}"
    return Hold(
        "email_missing",
        "Upwork gives no e-mail for the freelancer and no proxy domain is configured.",
        "Set proxy_email_domain under [contractor] in the configuration file, then retry.",
    )


def _job(engagement_id: str, client_id: str | None, terms: Terms, rules: Rules) -> JobDraft | list[Hold]:
    entity = rules.entity(client_id) or Hold(
        "client_unmapped",
        f"Upwork client {client_id or '(not named)'} is mapped to no 1099Policy entity.",
        f'Add "{client_id or "*"}" under [clients] in the configuration file, then retry.',
    )
    code = rules.category_code(
        terms.subcategory_id, terms.subcategory, terms.category_id, terms.category
    ) or Hold(
        "category_unmapped",
        f"Upwork category {_category(terms)} is mapped to no category code.",
        f'Add "{terms.category or terms.category_id or "*"}" under [categories] in the configuration file, '
        "then retry.",
    )
    wage = BY_THE_WEEK if terms.kind == "weekly_retainer" else cents(terms.pay)
    title = terms.title or Hold(
        "title_missing", "The contract has no title.", "Give the contract a title at Upwork, then retry."
    )
    holds = [h for h in (entity, code, wage, title) if isinstance(h, Hold)]
    if (
        isinstance(entity, Hold)
        or isinstance(code, Hold)
        or isinstance(wage, Hold)
        or isinstance(title, Hold)
        or terms.pay is None
    ):
        return holds
    return JobDraft(
        name=rules.job_name.replace("{id}", engagement_id).replace("{title}", title),
        description=terms.description or title,
        entity=entity,
        category_code=code,
        wage=wage,
        wage_type=terms.pay.wage_type,
        region=region_code(terms.person.region, terms.person.country),
    )


def _category(terms: Terms) -> str:
    shown = (terms.category or terms.category_id, terms.subcategory or terms.subcategory_id)
    return " / ".join(name for name in shown if name) or "(none)"


def cents(pay: Pay | None) -> int | Hold:
    """The wage in exact integer cents (fact sheet section 10, rows 22–23), or why it cannot be."""
    if pay is None:
        return Hold(
            "pay_missing",
            "The contract shows neither an hourly rate nor a fixed budget.",
            "Only hourly and fixed-price contracts can be insured: set the pay at Upwork, then retry.",
        )
    if pay.currency is not None and pay.currency.upper() != "USD":
        return Hold(
            "pay_currency",
            f"The contract pays in {pay.currency}; 1099Policy takes US dollars only.",
            "Agree the pay in USD at Upwork, then retry.",
        )
    exact = Fraction(pay.amount.strip()) * 100 if _NUMBER.fullmatch(pay.amount.strip()) else None
    if exact is None or exact.denominator != 1:
        return Hold(
            "pay_not_exact",
            f"The pay {pay.amount} is not a whole number of cents.",
            "Correct the pay at Upwork to at most two decimals, then retry.",
        )
    if not MIN_WAGE <= exact <= MAX_WAGE:
        return Hold(
            "pay_out_of_range",
            f"The pay {pay.amount} lies outside what 1099Policy accepts (1.00 to 10,000,000.00 USD).",
            "Correct the pay at Upwork, then retry.",
        )
    return int(exact)


def next_window(terms: Terms, before: Window | None, rules: Rules, now: int) -> Window | None:
    """What to ask for once ``before`` is about to end, from the next day where that is past; None where the
    contract does not run beyond it."""
    if before is None or (terms.ends_at is not None and terms.ends_at <= before.ends_at):
        return None
    return _term(terms, before.ends_at if before.ends_at > now else next_day(now), rules)


def _term(terms: Terms, starts: int, rules: Rules) -> Window | None:
    """A term from ``starts`` on: to the contract's end, a year at most, or the default where it has none."""
    if terms.ends_at is None:
        return Window(starts, starts + min(rules.default_term_days * DAY, YEAR))
    return Window(starts, min(terms.ends_at, starts + YEAR)) if starts < terms.ends_at else None


def next_day(now: int) -> int:
    """The start of the next day in UTC, which 1099Policy takes for a start that is past."""
    return (now // DAY + 1) * DAY


def _window(terms: Terms, rules: Rules, now: int | None) -> tuple[Window | list[Hold], tuple[str, ...]]:
    if terms.starts_at is None:
        hold = Hold(
            "start_missing",
            "The contract has no start date.",
            "Set the start date at Upwork, then retry.",
        )
        return [hold], ()
    starts, ends = terms.starts_at, terms.ends_at
    if ends is not None and ends <= starts:
        hold = Hold(
            "window_empty",
            "The contract does not end after it starts.",
            "Correct the contract's dates at Upwork, then retry.",
        )
        return [hold], ()
    window = _term(terms, starts, rules)
    late = now is not None and window is not None and window.ends_at <= next_day(now)
    following = _term(terms, next_day(now), rules) if late and now is not None else None
    window = following or window
    assert window is not None
    return window, tuple(_notes(terms, window, following is not None))


def _notes(terms: Terms, window: Window, late: bool) -> Iterator[str]:
    if terms.ends_at is None:
        yield f"Upwork gives no end: default term of {(window.ends_at - window.starts_at) // DAY} days."
    elif window.ends_at - window.starts_at == YEAR and terms.ends_at > window.ends_at:
        yield "The term is longer than the year a quote may cover: cut to a year."
    if late:
        yield "The contract has run for longer than a term already: cover is asked for from the next day."
