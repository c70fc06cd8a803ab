"""What a store refuses, and which of the driver's errors mean that it cannot be reached."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from domain.errors import CoverdError


class StoreUnavailable(CoverdError):
    """The store cannot be reached: {why}."""


class NotStorable(CoverdError):
    """The store cannot keep this: {why}."""


AGAIN = (
    asyncpg.PostgresConnectionError,  # 08
    asyncpg.TransactionRollbackError,  # 40, deadlock among them
    asyncpg.AdminShutdownError,  # 57P01 to 57P03
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,  # it ended the connection
    asyncpg.IdleSessionTimeoutError,
    asyncpg.InvalidCachedStatementError,  # the schema was migrated meanwhile
    asyncpg.InternalServerError,  # XX000
    asyncpg.ReadOnlySQLTransactionError,  # a primary that became a standby
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # an idle connection whose server died
    OSError,  # TimeoutError among them
)
"""Worth a second try at once: every write settles by its cause or key."""

_GONE = (
    *AGAIN,
    asyncpg.OperatorInterventionError,  # 57, a statement that took too long among them
    asyncpg.InsufficientResourcesError,  # 53
    asyncpg.ObjectNotInPrerequisiteStateError,  # 55, a lock that took too long among them
    asyncpg.TransactionTimeoutError,
    asyncpg.PostgresSystemError,  # 58, a disk that fails among them
    asyncpg.InvalidAuthorizationSpecificationError,  # 28
    asyncpg.InvalidCatalogNameError,  # 3D, the database was dropped
)
_REFUSED = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)


def is_passing(error: BaseException) -> bool:
    """Whether the same statement may succeed when it is sent again at once."""
    return isinstance(error, AGAIN) and not _ours(error)


def translated(error: Exception) -> Exception:
    """The driver's error in our words where there are any."""
    if isinstance(error, _GONE) and not _ours(error):
        return StoreUnavailable(why=_words(error))
    if isinstance(error, _REFUSED):
        return NotStorable(why=_words(error))
    return error


@contextmanager
def as_unavailable() -> Iterator[None]:
    """Raises `StoreUnavailable` where the driver says that the database is gone or overwhelmed."""
    try:
        yield
    except _GONE as error:
        if _ours(error):
            raise
        raise StoreUnavailable(why=_words(error)) from error


def _ours(error: BaseException) -> bool:
    """Arguments that the driver refuses are InterfaceErrors too, and a fault of ours."""
    return isinstance(error, ValueError)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".: ")
