"""A freelancer's first and last name, or a hold: what does not split without doubt is never guessed."""

import re
import unicodedata

from nameparser import HumanName

from domain.values import Hold, Person

MISSING = Hold(
    "name_missing",
    "Upwork shows no name for the freelancer.",
    "Set the freelancer's first and last name here, or fix the profile at Upwork, then retry.",
)
UNCLEAR = Hold(
    "name_unclear",
    "The freelancer's display name does not split into a first and a last name without doubt.",
    "Set the freelancer's first and last name here; the decision is kept.",
)

_NOT_ONE_PERSON = {
    *("inc", "llc", "llp", "ltd", "limited", "gmbh", "corp", "co", "company", "plc", "pty", "pvt", "and"),
    *("sa", "sas", "sarl", "srl", "bv", "oy", "kg", "holdings", "enterprises", "ventures", "partners"),
    *("agency", "associates", "consulting", "consultants", "creative", "design", "designs", "development"),
    *("digital", "freelance", "global", "group", "international", "labs", "marketing", "media", "services"),
    *("software", "solutions", "studio", "studios", "systems", "team", "tech", "technologies"),
}
"""Words of a company's name, or of two people's."""

_PARTICLES = {
    *("al", "bin", "bint", "da", "de", "del", "della", "den", "der", "di", "dos", "du", "ibn", "la", "le"),
    *("ten", "ter", "van", "vom", "von", "zu"),
}

_NO_NAME = re.compile(r"[^\w\s.,'’‘`-]|[\d_]")
"""What no name is written with: the field holds more than a name."""


def split_name(person: Person) -> tuple[str, str] | Hold:
    """First and last name: explicit ones win, else the display name where it splits without doubt.

    Upwork shows many a last name as a letter only ("Jane S.", Upwork facts 6.1): that is no name to insure.
    """
    first, last = _tidy(person.first_name), _tidy(person.last_name)
    if _is_whole(first, last):
        return first, last
    shown = _tidy(person.display_name)
    if not shown:
        return MISSING
    parsed = HumanName(shown)
    if _is_more(parsed, shown) or _is_surname(parsed) or _is_short(parsed):
        return UNCLEAR
    return " ".join(part for part in (parsed.first, parsed.middle) if part), str(parsed.last)


def _tidy(name: str | None) -> str:
    return " ".join(unicodedata.normalize("NFC", name or "").split())


def _is_whole(first: str, last: str) -> bool:
    """Neither only an initial: "Ava M." may be a first name, "van B." is no last name."""
    return all(_is_word(word) for word in (*(first.split() or [""])[:1], *(last.split() or [""])[-1:]))


def _is_word(text: str) -> bool:
    """One letter is a whole name in scripts that write words with one."""
    letters = text.rstrip(".")
    return len(letters) > 1 or (letters.isalpha() and not _latin(letters))


def _is_more(parsed: HumanName, shown: str) -> bool:
    """A title, a profession, a company, or letters whose order of names is another."""
    extras = parsed.title or parsed.suffix or parsed.nickname or _NO_NAME.search(shown)
    return bool(extras) or not _latin(shown) or _is_company(shown)


def _is_short(parsed: HumanName) -> bool:
    """One of the two names is missing or shortened; between them an initial may stand."""
    first, last = str(parsed.first), str(parsed.last)
    joined = any(len(word) == 1 and word.islower() for word in str(parsed.middle).split())
    return "." in first or last.endswith(".") or joined or not _is_whole(first, last)


def _is_surname(parsed: HumanName) -> bool:
    """Only a family name with its particles: "van der Berg", but not "Van Nguyen"."""
    first, last = str(parsed.first), str(parsed.last)
    particles = first.lower() in _PARTICLES and last.split()[:1]
    return bool(particles) and (first.islower() or last.split()[0].lower() in _PARTICLES)


def _latin(text: str) -> bool:
    return all(not c.isalpha() or ord(c) < 0x250 for c in text)


def _is_company(text: str) -> bool:
    return any(word.strip(".,").lower() in _NOT_ONE_PERSON for word in text.split()) or "&" in text
