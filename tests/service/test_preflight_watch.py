"""A running service checks the category codes at its start and after each change of the file."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from story import WHOLE
from structlog.testing import capture_logs

from service.clients.http import VendorUnavailable
from service.config import Config
from service.metrics import Metrics
from service.preflight.watch import warn_on_change


class Codes:
    """A 1099Policy that lists one code, once it ``answers``."""

    dialect = "reference"

    def __init__(self) -> None:
        self.answers = True
        self.asked = 0

    async def read(self, path: str) -> Any:
        self.asked += 1
        if not self.answers:
            raise VendorUnavailable(vendor="1099Policy", what=path, why="503", status=503)
        return [{"category_code": "jc_1", "name": "One"}]


class Watched:
    """The configuration as the watch sees it: each change, and after it one look that finds none."""

    def __init__(self, *changes: Callable[[], Config]) -> None:
        self._changes = [look for change in changes for look in (change, None)]
        self._now = Config()
        self.seen = asyncio.Event()

    def __call__(self) -> Config:
        change = self._changes.pop(0) if self._changes else self.seen.set()
        self._now = self._now if change is None else change()
        return self._now


async def watched(*changes: Callable[[], Config], vendor: Codes) -> Metrics:
    metrics, config = Metrics(), Watched(*changes)
    watch = asyncio.create_task(warn_on_change(config, vendor, metrics, seconds=0.0))  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        await config.seen.wait()
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    return metrics


def config(code: str) -> Config:
    return Config(rules=replace(WHOLE, categories={"*": code}))


async def test_codes_are_checked_at_the_start_and_once_after_each_change_of_the_file() -> None:
    vendor = Codes()
    with capture_logs() as logs:
        metrics = await watched(lambda: config("jc_1"), lambda: config("jc_2"), vendor=vendor)
    assert vendor.asked == 2
    assert [line["code"] for line in logs] == ["category_code_unknown"]
    assert metrics.registry.get_sample_value("coverd_config_holes") == 1
    metrics = await watched(lambda: config("jc_2"), lambda: config("jc_1"), vendor=vendor)
    assert metrics.registry.get_sample_value("coverd_config_holes") == 0


async def test_a_vendor_that_does_not_answer_is_asked_again() -> None:
    vendor = Codes()
    vendor.answers = False
    bad = config("jc_2")

    def answering() -> Config:
        vendor.answers = True
        return bad

    metrics = await watched(lambda: bad, answering, vendor=vendor)
    assert metrics.registry.get_sample_value("coverd_config_holes") == 1
