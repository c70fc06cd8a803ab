"""Every projection there is."""

from projections.engagements import Engagements
from projections.errors import UnknownProjection
from projections.freelancers import Freelancers
from projections.projection import Projection

ALL: tuple[Projection, ...] = (Engagements(), Freelancers())


def find(name: str) -> Projection:
    """The projection called ``name``, or the one that owns a read model of that name.

    Raises `UnknownProjection`.
    """
    for projection in ALL:
        if name == projection.name or name in projection.tables:
            return projection
    raise UnknownProjection(name=name, known=", ".join(table for p in ALL for table in p.tables))
