"""Upwork's own categories beside those the configuration maps."""

from collections.abc import Sequence

from domain.rules import Rules, fold
from service.clients.rows import CategoryRow
from service.preflight.findings import Hole


def beside(categories: Sequence[CategoryRow], rules: Rules) -> list[Hole]:
    """Upwork's top categories that nothing maps, unless there is a default; and what is mapped that Upwork
    does not list (Upwork facts, section 10)."""
    mapped = {fold(name) for name in rules.categories}
    holes = []
    missing = [row.label for row in categories if not _is_mapped(row, mapped)]
    if missing and "*" not in mapped:
        message = f"Nothing maps these categories of Upwork as a whole: {'; '.join(missing)}."
        fix = "Add those you hire in under [categories], by label or id."
        holes.append(Hole("categories_unmapped", message, fix, certain=False))
    shown = {fold(word) for row in categories for each in (row, *row.below) for word in (each.id, each.label)}
    strange = [name for name in rules.categories if name != "*" and fold(name) not in shown]
    if strange and categories:
        message = f"[categories] names what Upwork does not list: {'; '.join(strange)}."
        fix = "Write each as Upwork does, by its label or its id; it matches nothing otherwise."
        holes.append(Hole("categories_unlisted", message, fix, certain=False))
    return holes


def _is_mapped(row: CategoryRow, mapped: set[str]) -> bool:
    """Itself, or everything below it."""
    if fold(row.id) in mapped or fold(row.label) in mapped:
        return True
    return bool(row.below) and all(_is_mapped(each, mapped) for each in row.below)
