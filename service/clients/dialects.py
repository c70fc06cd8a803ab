"""How an engagement is read from Upwork, as data: the guide's way and the reference's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.values import Terms
from service.clients.documents import COMBINED, GUIDE_DOCUMENTS, terms_of_guide
from service.clients.reference import CONTRACT_DETAILS, ENGAGEMENT, USER_DETAILS, terms_of_reference


@dataclass(frozen=True, slots=True)
class Dialect:
    """``contract`` and ``freelancer`` are root fields; documents are keyed by their operation's name."""

    contract: str
    freelancer: str
    at_once: tuple[str, ...]
    """Read everything, under the name EngagementById; the next where a server does not know the first."""
    of_contract: Mapping[str, str]
    of_freelancer: Mapping[str, str]
    """Read it in parts, each by ``id``."""
    terms: Callable[[Mapping[str, Any], Mapping[str, Any], int], Terms]
    """The contract, the freelancer and now (epoch seconds)."""
    named_at: str | None = None
    """Where the contract itself names its freelancer. Then their id need not be known beforehand and their
    own record may be refused; and as neither root may be null, one that fails empties the whole answer."""


GUIDE = Dialect(
    contract="contract",
    freelancer="freelancer",
    at_once=COMBINED,
    of_contract={name: text for name, text in GUIDE_DOCUMENTS.items() if name != "FreelancerById"},
    of_freelancer={"FreelancerById": GUIDE_DOCUMENTS["FreelancerById"]},
    terms=lambda contract, freelancer, now: terms_of_guide(contract, freelancer),
)

REFERENCE = Dialect(
    contract="contractDetails",
    freelancer="userDetails",
    at_once=(ENGAGEMENT,),
    of_contract={"ContractDetailsById": CONTRACT_DETAILS},
    of_freelancer={"UserDetailsById": USER_DETAILS},
    terms=terms_of_reference,
    named_at="freelancer.id",
)

DIALECTS = {"guide": GUIDE, "reference": REFERENCE}
