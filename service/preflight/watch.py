"""What a running service repeats of the look around: category codes, after each change of the file."""

import asyncio
from collections.abc import Callable

import structlog

from service.clients.http import VendorRefused, VendorUnavailable
from service.clients.ten99policy import Ten99Policy
from service.config import Config
from service.metrics import Metrics
from service.preflight.ten99policy import unknown_codes
from service.store.errors import StoreUnavailable

log = structlog.get_logger("coverd.config")

LOOK_SECONDS = 15.0
"""Between two looks at the file."""


async def warn_on_change(
    config: Callable[[], Config], client: Ten99Policy, metrics: Metrics, seconds: float
) -> None:
    """Check the category codes at the start and after each change of the configuration, for ever: what is
    unknown is warned of and counted. A vendor that does not answer is asked again after ``seconds``."""
    checked: Config | None = None
    while True:
        now, pause = config(), min(LOOK_SECONDS, seconds)
        if now is not checked:
            try:
                holes = [hole for hole in await unknown_codes(client, now.rules) if hole.certain]
            except StoreUnavailable:
                pause = seconds  # nobody can say whether the vendor is to be left alone
            except (VendorRefused, VendorUnavailable) as error:
                pause = seconds
                log.info("the category codes could not be checked", why=error.plain)
            else:
                checked = now
                metrics.config_holes.set(len(holes))
                for hole in holes:
                    log.warning(hole.message, code=hole.code, fix=hole.fix)
        await asyncio.sleep(pause)
