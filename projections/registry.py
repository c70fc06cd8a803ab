"""Every projection there is, each behind those it follows: one round brings all of them up to date."""

from projections.engagements import Engagements
from projections.errors import UnknownProjection
from projections.freelancers import Freelancers
from projections.projection import Projection
from projections.public_feed import PublicFeed

ALL: tuple[Projection, ...] = (Engagements(), Freelancers(), PublicFeed())


def find(name: str) -> Projection:
    """The projection called ``name``, or the one that owns a read model of that name.

    Raises `UnknownProjection`.
    """
    for projection in ALL:
        if name == projection.name or name in projection.tables:
            return projection
    raise UnknownProjection(name=name, known=", ".join(table for p in ALL for table in p.tables))
