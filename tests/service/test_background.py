"""What should go on goes on: a failure that nobody foresaw is logged, and the work begins anew."""

import asyncio

from structlog.testing import capture_logs

from service.background import going_on


class Work:
    """Fails as often as it is told, then goes on until it is ended."""

    def __init__(self, failures: int) -> None:
        self.begun = self.ended = 0
        self._failures = failures
        self.goes_on = asyncio.Event()

    async def __call__(self) -> None:
        self.begun += 1
        if self.begun <= self._failures:
            raise LookupError("nobody foresaw this")
        self.goes_on.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended += 1


async def test_work_that_fails_is_logged_and_begins_anew() -> None:
    work = Work(failures=2)
    with capture_logs() as logs:
        async with going_on("tokens", work, again=0.0):
            await asyncio.wait_for(work.goes_on.wait(), 10)
    assert [(line["what"], line["exc_info"]) for line in logs] == [("tokens", True)] * 2
    assert (work.begun, work.ended) == (3, 1)


async def test_work_that_comes_to_its_end_is_not_begun_anew() -> None:
    begun: list[int] = []

    async def once() -> None:
        begun.append(1)

    async with going_on("secrets", once, again=0.0):
        for _ in range(10):
            await asyncio.sleep(0)
    assert begun == [1]
