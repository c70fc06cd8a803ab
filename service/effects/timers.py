"""Timers: what is due by a clock, the vendor's or ours."""

from domain import commands as c
from domain import effects as x
from service.effects.desk import Desk


class NotYet(Exception):
    """By the vendor's clock the hour has not come: ``seconds`` are left."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


async def wake_up(due_at: int, desk: Desk) -> c.Reassess:
    await desk.ten99policy.tell_time()
    there = desk.now() + desk.ten99policy.ahead_by
    if there < due_at:
        raise NotYet(due_at - there)
    return c.Reassess(int(there))


async def deadline(effect: x.WatchDeadline, desk: Desk) -> c.PassDeadline:
    if effect.by_vendor:
        await desk.ten99policy.tell_time()
    there = desk.now() + (desk.ten99policy.ahead_by if effect.by_vendor else 0)
    if there < effect.due_at:
        raise NotYet(effect.due_at - there)
    return c.PassDeadline(desk.now(), effect.step)
