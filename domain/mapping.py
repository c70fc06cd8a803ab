"""An Upwork record becomes 1099Policy values, or a hold that says what is missing. It never guesses."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

import pycountry
from nameparser import HumanName

from domain.rules import Rules
from domain.values import ContractorDraft, Hold, JobDraft, Pay, Person, Terms, Window

DAY = int(timedelta(days=1).total_seconds())
YEAR = 365 * DAY
MIN_WAGE, MAX_WAGE = 100, 1_000_000_000
"""Cents; what 1099Policy accepts on a job (fact sheet 6.3)."""
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?")

_NOT_ONE_PERSON = {
    *("inc", "llc", "ltd", "limited", "gmbh", "corp", "co", "company", "sa", "bv", "srl", "plc", "and"),
    *("agency", "consulting", "group", "labs", "services", "solutions", "studio", "studios", "team"),
    "technologies",
}
"""Words of a company's name, or of two people's."""


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
) -> Mapped:
    """Map everything at once so that a person sees every hole in one look.

    ``names`` is a person's decision on (first, last), which wins over what Upwork shows.
    """
    if terms.kind == "payroll":
        return Mapped(None, None, None, (PAYROLL,))
    contractor = _contractor(freelancer_id, terms.person, names, rules)
    job = _job(engagement_id, client_id, terms, rules)
    window, notes = _window(terms, rules)
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
    email = person.email or proxy_email(freelancer_id, rules)
    holds = [h for h in (split, email) if isinstance(h, Hold)]
    if isinstance(split, Hold) or isinstance(email, Hold):
        return holds
    return ContractorDraft(
        first_name=split[0],
        last_name=split[1],
        email=email,
        country=country_code(person.country),
        region=person.region,
        city=person.city,
    )


def proxy_email(freelancer_id: str, rules: Rules) -> str | Hold:
    """``<freelancer id>@<domain>``, the same for ever (guide 4.1)."""
    if rules.proxy_email_domain:
        return f"{freelancer_id}@{rules.proxy_email_domain}"
    return Hold(
        "email_missing",
        "Upwork gives no e-mail for the freelancer and no proxy domain is configured.",
        "Set proxy_email_domain under [contractor] in the configuration file, then retry.",
    )


def split_name(person: Person) -> tuple[str, str] | Hold:
    """First and last name: explicit ones win, else the display name where it splits without doubt."""
    if _full(person.first_name) and _full(person.last_name):
        return str(person.first_name).strip(), str(person.last_name).strip()
    shown = " ".join(unicodedata.normalize("NFC", person.display_name or "").split())
    if not shown:
        return Hold(
            "name_missing",
            "Upwork shows no name for the freelancer.",
            "Set the freelancer's first and last name here, or fix the profile at Upwork, then retry.",
        )
    parsed = HumanName(shown)
    first = " ".join(part for part in (parsed.first, parsed.middle) if part)
    extras = parsed.title or parsed.suffix or parsed.nickname or _NO_NAME.search(shown)
    doubtful = extras or not _latin(shown) or _is_company(shown) or _is_surname(parsed)
    if doubtful or not _full(parsed.first) or not _full(parsed.last):
        return Hold(
            "name_unclear",
            "The freelancer's display name does not split into a first and a last name without doubt.",
            "Set the freelancer's first and last name here; the decision is kept.",
        )
    return first, str(parsed.last)


def _full(name: str | None) -> bool:
    return name is not None and len(name.strip().rstrip(".")) > 1


_NO_NAME = re.compile(r"[^\w\s.,'’‘`-]|[\d_]")
"""What no name is written with: the field holds more than a name."""

_PARTICLES = {
    *("al", "bin", "bint", "da", "de", "del", "della", "den", "der", "di", "dos", "du", "ibn", "la", "le"),
    *("ten", "ter", "van", "vom", "von", "zu"),
}


def _is_surname(parsed: HumanName) -> bool:
    """Only a family name with its particles: "van der Berg", but not "Van Nguyen"."""
    first, last = str(parsed.first), str(parsed.last)
    particles = first.lower() in _PARTICLES and last.split()[:1]
    return bool(particles) and (first.islower() or last.split()[0].lower() in _PARTICLES)


def _latin(text: str) -> bool:
    return all(not c.isalpha() or ord(c) < 0x250 for c in text)


def _is_company(text: str) -> bool:
    return any(word.strip(".,").lower() in _NOT_ONE_PERSON for word in text.split()) or "&" in text


_EVERYDAY = {"uk": "GB", "turkey": "TR", "russia": "RU", "ivory coast": "CI"}
"""Names in everyday use that the ISO 3166 tables do not list."""


def country_code(country: str | None) -> str | None:
    """Two letters for a country's code or English name; None when it isn't one (it is optional)."""
    name = (country or "").strip()
    try:
        return _EVERYDAY.get(name.lower()) or str(pycountry.countries.lookup(name).alpha_2)
    except LookupError:
        return None


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
        f'Add "{terms.category or "*"}" under [categories] in the configuration file, then retry.',
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
        region=terms.person.region,
    )


def _category(terms: Terms) -> str:
    shown = [name for name in (terms.category, terms.subcategory) if name]
    return " / ".join(shown) or "(none)"


def cents(pay: Pay | None) -> int | Hold:
    """The wage in exact integer cents (fact sheet section 10, rows 22–23), or why it cannot be."""
    if pay is None:
        return Hold(
            "pay_missing",
            "The contract shows neither an hourly rate nor a fixed budget.",
            "Only hourly and fixed-price contracts can be insured: set the pay at Upwork, then retry.",
        )
    if pay.currency not in (None, "USD"):
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


def next_window(terms: Terms, before: Window | None, rules: Rules) -> Window | None:
    """What to ask for once ``before`` is about to end; None where the contract does not run beyond it."""
    if before is None or (terms.ends_at is not None and terms.ends_at <= before.ends_at):
        return None
    if terms.ends_at is None:
        return Window(before.ends_at, before.ends_at + min(rules.default_term_days * DAY, YEAR))
    return Window(before.ends_at, min(terms.ends_at, before.ends_at + YEAR))


def _window(terms: Terms, rules: Rules) -> tuple[Window | list[Hold], tuple[str, ...]]:
    if terms.starts_at is None:
        hold = Hold(
            "start_missing",
            "The contract has no start date.",
            "Set the start date at Upwork, then retry.",
        )
        return [hold], ()
    starts, ends, notes = terms.starts_at, terms.ends_at, ()
    if ends is None:
        term = min(rules.default_term_days * DAY, YEAR)
        return Window(starts, starts + term), (f"Upwork gives no end: default term of {term // DAY} days.",)
    if ends <= starts:
        hold = Hold(
            "window_empty",
            "The contract ends before it starts.",
            "Correct the contract's dates at Upwork, then retry.",
        )
        return [hold], ()
    if ends - starts > YEAR:
        return Window(starts, starts + YEAR), (
            "The term is longer than the year a quote may cover: cut to a year.",
        )
    return Window(starts, ends), notes
