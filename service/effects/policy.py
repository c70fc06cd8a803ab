"""Reading a policy back: what it shows, beside what was told of it."""

from collections.abc import Iterator
from typing import Any

from domain import commands as c
from domain import effects as x
from domain.evidence import in_order
from domain.ids import subject
from domain.state import PolicyNews
from service.clients.fields import instant
from service.clients.http import NotThereYet, VendorRefused
from service.clients.policies import is_active, status_of
from service.effects.desk import Desk


async def confirm_policy(effect: x.ConfirmPolicy, desk: Desk) -> c.RecordPolicy:
    """Read a policy back, beside what others under it were told: an engagement may come under it late.

    The news is looked up first, so that the reading is never older than the news.
    """
    if effect.policy_id:
        told = await _told_of(effect.policy_id, desk)
        policy = await desk.ten99policy.policy(effect.policy_id)
    else:
        policies = await desk.ten99policy.policies_of(effect.contractor_id)
        active = [p for p in policies if p.get("id") and _is_active(p)]
        if not active:
            raise NotThereYet(
                vendor="1099Policy", what="the assignment's policy", why="no policy is active yet"
            )
        policy = active[0]
        told = await _told_of(str(policy["id"]), desk)
    policy_id = str(policy["id"])
    if effect.policy_id not in (None, policy_id):
        raise _unreadable(str(effect.policy_id), f"the answer is about {policy_id}")
    there = desk.there()
    news = (*told, *_read(policy, told, effect.said_at, there))
    return c.RecordPolicy(max(n.at for n in news), policy_id, news)


_News = c.NotePolicyActive | c.NotePolicyOver


async def _told_of(policy_id: str, desk: Desk) -> tuple[_News, ...]:
    """What the vendor said of a policy, on whichever engagement it was recorded, in the vendor's order."""
    told: list[PolicyNews] = []
    quote_id = None
    for stream_id in await desk.store.streams_of("policy", policy_id):
        known = (await desk.handler.load(subject(stream_id))).policies.get(policy_id)
        if known:
            told += known.news
            quote_id = quote_id or known.quote_id
    return tuple(
        c.NotePolicyActive(
            n.said_at, policy_id, quote_id, n.effective_at, n.expires_at, n.resumed, n.doubtful
        )
        if n.kind == "active"
        else c.NotePolicyOver(n.said_at, policy_id, _end(n), n.kind == "canceled", n.read_back, n.expires_at)
        for n in in_order(tuple(told))
    )


def _term(news: PolicyNews) -> tuple[int | None, int | None]:
    return news.effective_at, news.expires_at


def _end(news: PolicyNews) -> int:
    return news.said_at if news.ended_at is None else news.ended_at


def _read(policy: dict[str, Any], told: tuple[_News, ...], answers: int | None, now: int) -> Iterator[_News]:
    """What the reading says beyond the news, as new as the news it answers, by the vendor's clock.

    News tells what was so and since when, a reading only what is so: it adds dates that are missing, and
    whether the policy is active where the news so far says otherwise.
    """
    policy_id, quote = str(policy["id"]), policy.get("quote")
    active_now, last = _is_active(policy), told[-1] if told else None
    created = min(instant(policy.get("created")) or now, now)
    since = max(created, answers or created)
    starts_at, ends_at = instant(policy.get("effective_date")), instant(policy.get("expiration_date"))
    dated = starts_at is not None and ends_at is not None
    if active_now and not dated:
        raise _unreadable(policy_id, "it shows no dates")

    def active(at: int, resumed: bool) -> c.NotePolicyActive:
        under = quote if isinstance(quote, str) else None
        return c.NotePolicyActive(at, policy_id, under, starts_at, ends_at, resumed)

    terms = [n for n in told if isinstance(n, c.NotePolicyActive)]
    if dated and (answers is not None or not any(n.effective_at is not None for n in terms)):
        yield active(since, any(n.resumed and n.at == since for n in terms))
    if active_now and isinstance(last, c.NotePolicyOver):
        yield active(last.at, True)
    if not active_now:
        yield from _read_over(policy, last, since, now)


def _read_over(policy: dict[str, Any], last: _News | None, since: int, now: int) -> Iterator[_News]:
    """Its end, where the news has not said so. A cancellation that shows no date counts from now, or from the
    expiration date if that has moved."""
    expires, canceled = instant(policy.get("expiration_date")), status_of(policy) != "expired"
    dated = instant(policy.get("cancellation_date")) or (None if canceled else expires)
    if isinstance(last, c.NotePolicyOver) and dated in (None, last.ended_at):
        return
    at = max(since, last.at if last else since)
    if dated is not None:
        ended, to_come = dated, None
    else:
        ended = since if expires is None else min(expires, now)
        to_come = expires if expires != ended else None
    yield c.NotePolicyOver(at, str(policy["id"]), ended, canceled, read_back=True, expires_at=to_come)


def _unreadable(policy_id: str, why: str) -> VendorRefused:
    return VendorRefused(vendor="1099Policy", what=f"GET policy {policy_id}", why=why, status=200)


def _is_active(policy: dict[str, Any]) -> bool:
    """Raises `VendorRefused` for a status nobody knows: it proves neither cover nor its end."""
    said = is_active(policy)
    if said is None:
        raise _unreadable(str(policy.get("id")), "its status is one nobody here knows")
    return said
