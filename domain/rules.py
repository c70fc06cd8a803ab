"""The mapping rules a company configures: one value, read from TOML at the edge and passed in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from domain.values import Patience

_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Rules:
    """How Upwork's words become 1099Policy's.

    ``clients``: Upwork client id → entity. ``categories``: Upwork category or subcategory, by label
    or id → category code. In both ``"*"`` is the default. Lookups of labels are folded, see `fold`.
    """

    clients: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    categories: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    coverage_types: tuple[str, ...] = ("general",)
    default_term_days: int = 90
    proxy_email_domain: str | None = None
    job_name: str = "{title}"
    patience: Patience = field(default_factory=Patience)
    success_url: str | None = None
    cancel_url: str | None = None
    contract_names_freelancer: bool = False
    """Upwork shows whose contract it is, so that news which names nobody can be followed."""

    def entity(self, client_id: str | None) -> str | None:
        """The 1099Policy entity of an Upwork client, or None when nothing maps it."""
        return self.clients.get(client_id or "*") or self.clients.get("*")

    def category_code(self, *names: str | None) -> str | None:
        """The code of the first name that is mapped, an id or a folded label, else the default."""
        folded = {fold(key): code for key, code in self.categories.items()}
        wanted = [fold(name) for name in names if name]
        return next((folded[name] for name in wanted if name in folded), None) or self.categories.get("*")


def fold(label: str) -> str:
    """A label as it is compared: lower case, ``&`` as ``and``, spaces squeezed (Upwork facts, section 10)."""
    return " ".join(label.lower().replace("&", " and ").split())
