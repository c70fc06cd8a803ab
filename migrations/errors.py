"""What can be wrong between the migration files and a database; each class's docstring is the message."""

from dataclasses import dataclass


class MigrationError(Exception):
    """The migrations cannot go on."""

    def __str__(self) -> str:
        return " ".join((type(self).__doc__ or "").split()).format(**vars(self))


@dataclass(eq=False)
class BadFile(MigrationError):
    """Migration file {file} cannot be used: {reason}."""

    file: str
    reason: str


@dataclass(eq=False)
class GapInFiles(MigrationError):
    """Migration file {file} is out of line: number {expected:04d} is expected there. Numbers start at 0001
    and leave nothing out: give the file that number, or put the missing file back."""

    file: str
    expected: int


@dataclass(eq=False)
class GapInDatabase(MigrationError):
    """The database was brought to version {at:04d} without {file}, and migrations only go forward: give that
    file the next free number."""

    file: str
    at: int


@dataclass(eq=False)
class Changed(MigrationError):
    """{file} is not what was applied to the database: put the file back as it was, and make the change in a
    new migration."""

    file: str


@dataclass(eq=False)
class Ahead(MigrationError):
    """The database is ahead of this program: it holds migration {file}, and the program ends at {newest:04d}.
    Run the newer program, or put the missing file back."""

    file: str
    newest: int


@dataclass(eq=False)
class Behind(MigrationError):
    """The database schema is behind: it is at {at:04d}, and this program needs {wanted:04d} ({file}). Run
    `coverd migrate apply`."""

    file: str
    at: int
    wanted: int


@dataclass(eq=False)
class Failed(MigrationError):
    """{file} failed{place} and is not applied: {reason}. Mend the cause and run `coverd migrate apply`
    again; the files before it stay applied."""

    file: str
    place: str
    reason: str
