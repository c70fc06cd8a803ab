"""Reads that wait for a turn at the same moment go to Upwork in one request, each under its own alias.

A request waits for the vendor's limit and for nothing else, and takes on what is asked meanwhile: so a lone
read goes out at once, and under load each request carries what came since the one before.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.clients.aliases import together, variables_together
from service.clients.graphql import Found, Graphql, Question
from service.clients.shares import Apart, Told, first_told, in_doubt, shares, too_many

MOST = 25
"""Reads in one request."""


@dataclass(eq=False, slots=True)
class _Batch:
    """One request in the making."""

    name: str
    document: str
    variables: list[Mapping[str, Any]] = field(default_factory=list)
    answers: list["asyncio.Future[Found]"] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None

    @property
    def size(self) -> int:
        return len(self.answers)

    def question(self, times: int) -> Question:
        """The first so many; one alone is asked as its document stands."""
        if times == 1:
            return Question(self.name, self.document, self.variables[0])
        variables = variables_together(self.variables[:times])
        return Question(self.name, together(self.document, times), variables)

    def tell(self, told: list[Told]) -> None:
        for answer, said in zip(self.answers, told, strict=True):
            if answer.done():
                continue  # whoever asked has given up
            if isinstance(said, Found):
                answer.set_result(said)
            else:
                answer.set_exception(said)


class Gathering:
    """Asks each question alone or with others; the answer is the same. Raises what `Graphql.ask` raises.

    ``on_request`` is told of each request how many reads go in it.
    """

    def __init__(self, graphql: Graphql) -> None:
        self._graphql = graphql
        self.on_request: Callable[[int], None] = lambda _reads: None
        self._open: dict[tuple[str, int], _Batch] = {}
        self._fits: dict[str, int] = {}
        """How many times the server lets a document be asked in one request, where fewer than `MOST`: half
        after each that was too much for it, one more after each full one that was not."""

    async def ask(self, question: Question, most: int = MOST) -> Found:
        """``most``: in a request of how many at most."""
        while True:
            try:
                found = await self._join(question, max(1, min(most, self._fits.get(question.document, MOST))))
            except Apart as apart:
                most = apart.most
                continue
            if (failure := found.failure(question.name)) is not None:
                raise failure
            return found

    async def _join(self, question: Question, most: int) -> Found:
        batch = self._batch(question, most)
        answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        batch.variables.append(question.variables)
        batch.answers.append(answer)
        try:
            return await answer
        finally:
            if batch.task and all(other.done() for other in batch.answers):
                batch.task.cancel()  # nobody waits for it any more

    def _batch(self, question: Question, most: int) -> _Batch:
        key = question.document, most
        batch = self._open.get(key)
        if batch is None or batch.size >= most:
            batch = self._open[key] = _Batch(question.name, question.document)
            batch.task = asyncio.create_task(self._ask(batch, key), name="upwork-reads")
        return batch

    async def _ask(self, batch: _Batch, key: tuple[str, int]) -> None:
        try:
            told = await self._told(batch, key)
        except Exception as error:
            told = [error] * batch.size
        finally:
            self._close(batch, key)
        batch.tell(told)

    async def _told(self, batch: _Batch, key: tuple[str, int]) -> list[Told]:
        def closed() -> Question:
            self._close(batch, key)
            self.on_request(batch.size)
            return batch.question(batch.size)

        said = await self._said(closed)
        if batch.size > 1 and in_doubt(said):
            told = first_told(await self._said(lambda: batch.question(1)), batch.size)
        else:
            told = shares(said, batch.size)
        self._learn(batch.document, told)
        return told

    async def _said(self, question: Callable[[], Question]) -> Told:
        try:
            return await self._graphql.ask_in_turn(question)
        except Exception as error:
            return error

    def _close(self, batch: _Batch, key: tuple[str, int]) -> None:
        if self._open.get(key) is batch:
            del self._open[key]

    def _learn(self, document: str, told: list[Told]) -> None:
        fits = self._fits.get(document, MOST)
        if too_many(told):
            self._fits[document] = min(fits, len(told) // 2)
        elif len(told) >= fits and all(isinstance(one, Found) for one in told):
            self._fits[document] = min(MOST, fits + 1)
