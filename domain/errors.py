"""What the domain refuses. A class's docstring is its message; fields fill it in."""


class CoverdError(Exception):
    """coverd could not do this."""

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__((type(self).__doc__ or "").strip().format(**fields))


class ImpossibleTransition(CoverdError):
    """No engagement in state {state} can take the event {event}."""


class Refused(CoverdError):
    """{reason}"""


class NotKnown(CoverdError):
    """No engagement {engagement_id} is known here; it begins with an accepted offer or an active contract."""
