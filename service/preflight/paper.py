"""What the rules alone leave open, known without asking anybody."""

import re
from collections.abc import Iterator

from domain.rules import Rules
from service.preflight.findings import Hole
from service.settings import Dialect


def on_paper(rules: Rules, upwork: Dialect) -> list[Hole]:
    """``upwork`` is the dialect in which contracts are read there."""
    return [
        *_clients(rules, upwork),
        *_categories(rules),
        *_contractors(rules),
        *_quotes(rules),
        *_words(rules),
    ]


def _clients(rules: Rules, upwork: Dialect) -> Iterator[Hole]:
    if not rules.clients:
        yield Hole(
            "clients_none",
            "No client is mapped to an entity: every engagement will wait for a person.",
            'Add your clients, or "*" for all of them, under [clients], each with its 1099Policy entity.',
        )
    elif "*" not in rules.clients:
        unnamed = " or not named (the guide's documents name none)" if upwork == "guide" else ""
        yield _note(
            "clients_open",
            f'No "*" under [clients]: engagements of clients not listed{unnamed} will wait for a person.',
            'List every client, or add "*" under [clients].',
        )


def _categories(rules: Rules) -> Iterator[Hole]:
    if not rules.categories:
        yield Hole(
            "categories_none",
            "No category is mapped to a code: every engagement will wait for a person.",
            'Add your categories, or "*" for all of them, under [categories], each with its category_code.',
        )
    elif "*" not in rules.categories:
        yield _note(
            "categories_open",
            'No "*" under [categories]: engagements in categories not listed there will wait for a person.',
            'List every category you hire in, or add "*" under [categories].',
        )


def _contractors(rules: Rules) -> Iterator[Hole]:
    if not rules.proxy_email_domain:
        yield _note(
            "email_open",
            "No proxy_email_domain: freelancers whose e-mail Upwork keeps to itself will wait for a person.",
            "Set proxy_email_domain under [contractor].",
        )


def _quotes(rules: Rules) -> Iterator[Hole]:
    alone = {"media", "cyber"} & set(rules.coverage_types)
    if alone and "general" not in rules.coverage_types:
        yield _note(
            "coverage_types_apart",
            f"1099Policy quotes {' and '.join(sorted(alone))} only together with general, except in Hawaii.",
            'Add "general" to coverage_types under [quote].',
        )
    if "workers-comp" in rules.coverage_types:
        yield _note(
            "coverage_types_by_state",
            "1099Policy refuses workers-comp for work in ND, OH, WA and WY: those will wait for a person.",
            "Leave workers-comp out of coverage_types under [quote], or see to those states by hand.",
        )


def _words(rules: Rules) -> Iterator[Hole]:
    if not rules.success_url or not rules.cancel_url:
        yield _note(
            "way_back_open",
            "No success_url and cancel_url: freelancers are not led back from the application session.",
            "Set both under [session].",
        )
    for setting, text, known in (
        ("[job] name", rules.job_name, {"id", "title"}),
        ("[session] success_url", rules.success_url, {"engagement_id"}),
        ("[session] cancel_url", rules.cancel_url, {"engagement_id"}),
    ):
        strange = [word for word in re.findall(r"\{([a-z_]+)\}", text or "") if word not in known]
        if strange:
            yield _note(
                "placeholder_unknown",
                f"{setting} holds {{{strange[0]}}}, which is sent as it stands.",
                f"It may hold {' and '.join(f'{{{word}}}' for word in sorted(known))}.",
            )


def _note(code: str, message: str, fix: str) -> Hole:
    return Hole(code, message, fix, certain=False)
