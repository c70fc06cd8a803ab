"""What read models refuse, and what stops them. A class's docstring is its message."""

from domain.errors import CoverdError


class FeedGap(CoverdError):
    """Bucket {bucket} of the log has no event at position {position}, though it reaches that far."""

    def __init__(self, *, bucket: int, position: int) -> None:
        super().__init__(bucket=bucket, position=position)
        self.position = position


class AlreadyApplied(CoverdError):
    """{stream_id} is at version {version} in this read model and was handed version {again} again."""


class NotStopped(CoverdError):
    """{projection} is not stopped at position {position} of bucket {bucket}: there is nothing to skip."""


class UnknownProjection(CoverdError):
    """There is no read model {name}; there are: {known}."""


class BadCursor(CoverdError):
    """This cursor was not given out by this list."""


class NeverRebuilt(CoverdError):
    """{projection} cannot be rebuilt: readers keep its numbers as cursors, and new ones would break those."""


class RebuildRunning(CoverdError):
    """Another rebuild is under way on this database; one at a time."""


class RebuildStopped(CoverdError):
    """The rebuilt {projection} met an event it cannot take: bucket {bucket}, position {position}: {error}

    The old one keeps serving."""


class SwapBusy(CoverdError):
    """The rebuilt {projection} could not take over in {tries} tries, for the old one was too busy.

    The old one keeps serving; rebuild again at a quieter time."""
