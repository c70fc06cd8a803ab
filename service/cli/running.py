"""How every command runs: its options in common, and how what it cannot do ends."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any

import asyncpg
from cyclopts import Parameter

from domain.errors import CoverdError
from migrations.errors import MigrationError
from service import loops
from service.cli.sandboxes import SandboxesFailed
from service.cli.terminal import FAILED, MISUSED, end
from service.config import ConfigRefused
from service.postgres.errors import EmbeddedPostgresError
from service.settings import SettingsRefused

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]
Url = Annotated[str | None, Parameter(help="Where coverd serves; default from COVERD_HOST and COVERD_PORT.")]
Flag = Annotated[bool, Parameter(negative="")]


NO_SCHEMA = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.UndefinedObjectError,
    asyncpg.InvalidSchemaNameError,
)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a command; what it cannot do becomes one clear sentence and a code."""
    try:
        loops.run(work)
    except (SettingsRefused, ConfigRefused) as error:
        end(str(error), MISUSED)
    except (CoverdError, MigrationError, EmbeddedPostgresError, SandboxesFailed) as error:
        end(str(error), FAILED)
    except NO_SCHEMA:
        end("The database has not the schema of this version: coverd migrate plan says what is to be done.")
    except asyncpg.InsufficientPrivilegeError:
        end("The role in COVERD_DATABASE_URL may not do that: use the one that runs coverd migrate apply.")
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        end(f"The database cannot be used: {type(error).__name__}: {error}".splitlines()[0])
    except OSError as error:
        end(f"The database or a port cannot be used: {type(error).__name__}: {error}".splitlines()[0])
    except (KeyboardInterrupt, asyncio.CancelledError):
        end("Stopped.", 130)
