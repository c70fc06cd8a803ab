"""perform: one effect becomes its vendor calls, and their outcome becomes a command."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, assert_never

from domain import commands as c
from domain import effects as x
from domain.evolve import in_order
from domain.ids import subject
from domain.mapping import YEAR, next_day
from domain.state import PolicyNews
from domain.values import KnownContractor, Terms
from service.clients.fields import instant
from service.clients.http import NotThereYet, VendorRefused
from service.clients.policies import is_active, status_of
from service.clients.ten99policy import Ten99Policy
from service.clients.upwork import Upwork
from service.clock import Clock, epoch
from service.config import Config
from service.effects.standing import cancelled_already, standing_assignment
from service.handle import Handler, Origin
from service.ports import Claimed, Store

DAY = int(timedelta(days=1).total_seconds())

KEYS_LIVE = DAY
"""For how many seconds 1099Policy remembers an idempotency key (fact sheet, section 5)."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What performing an effect may use."""

    store: Store
    handler: Handler
    upwork: Upwork
    ten99policy: Ten99Policy
    config: Callable[[], Config]
    clock: Clock

    def now(self) -> int:
        """Epoch seconds."""
        return epoch(self.clock())

    def there(self) -> int:
        """The time at 1099Policy, by the Date of its latest answer."""
        return int(self.now() + self.ten99policy.ahead_by)

    def origin(self, claimed: Claimed) -> Origin:
        """The outcome of one effect is one cause, however often the call was tried."""
        cause = f"effect:{claimed.stream_id}:{claimed.step}:{claimed.generation}"
        return Origin(cause, claimed.correlation, "coverd")


async def perform(effect: x.Effect, claimed: Claimed, desk: Desk) -> c.EngagementCommand:
    """Do what ``effect`` asks and answer its outcome.

    Raises `VendorUnavailable` (try again), `VendorRefused` (park) or `NotYet` (a timer that is early).
    """
    match effect:
        case x.ReadContract():
            return await _read_contract(effect, desk)
        case x.EnsureContractor():
            return await _ensure_contractor(effect, claimed, desk)
        case x.CreateJob():
            send_region = desk.config().send_job_region
            job = await desk.ten99policy.create_job(
                effect.engagement_id, effect.draft, claimed.key, send_region=send_region
            )
            return c.ConfirmJob(desk.now(), str(job["id"]))
        case x.CreateQuote():
            return await _create_quote(effect, claimed, desk)
        case x.OpenSession():
            return await _open_session(effect, claimed, desk)
        case x.CreateAssignment():
            return await _create_assignment(effect, claimed, desk)
        case x.ConfirmPolicy():
            return await _confirm_policy(effect, desk)
        case x.FetchAttachment(attachment):
            content = await desk.upwork.download(attachment.url, desk.config().attachment_hosts)
            sha256 = await desk.store.put_file(content)
            return c.ConfirmAttachmentFetched(desk.now(), attachment.id, attachment.file_name, sha256)
        case x.UploadCertificate():
            return await _upload_certificate(effect, claimed, desk)
        case x.RecordInvoice():
            invoice = await desk.ten99policy.create_invoice(effect, claimed.key)
            return c.ConfirmInvoice(desk.now(), effect.key, str(invoice["id"]))
        case x.EndCoverage():
            return await _end_coverage(effect, claimed, desk)
        case x.ShareOptIn():
            return await _share_opt_in(effect, claimed, desk)
        case x.WakeUp(due_at):
            return await _wake_up(due_at, desk)
        case x.WatchDeadline():
            return await _deadline(effect, desk)
        case _:
            assert_never(effect)


async def _share_opt_in(effect: x.ShareOptIn, claimed: Claimed, desk: Desk) -> c.ConfirmOptInShared:
    """The freelancer's stream first, so that engagements read from now on know; then those already here."""
    origin = desk.origin(claimed)
    command = c.RecordOptIn(desk.now(), effect.policy_id)
    await desk.handler.freelancer(effect.freelancer_id, command, origin)
    told = Origin(f"{origin.cause}:told", origin.correlation, origin.actor)
    for stream_id in await desk.store.streams_of("freelancer", effect.freelancer_id):
        if stream_id.startswith("engagement:") and stream_id != claimed.stream_id:
            await desk.handler.engagement(subject(stream_id), c.NoteOptIn(desk.now()), told)
    return c.ConfirmOptInShared(desk.now())


class NotYet(Exception):
    """By the vendor's clock the hour has not come: ``seconds`` are left."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


async def _wake_up(due_at: int, desk: Desk) -> c.Reassess:
    await desk.ten99policy.tell_time()
    there = desk.now() + desk.ten99policy.ahead_by
    if there < due_at:
        raise NotYet(due_at - there)
    return c.Reassess(int(there))


async def _deadline(effect: x.WatchDeadline, desk: Desk) -> c.PassDeadline:
    if effect.by_vendor:
        await desk.ten99policy.tell_time()
    there = desk.now() + (desk.ten99policy.ahead_by if effect.by_vendor else 0)
    if there < effect.due_at:
        raise NotYet(effect.due_at - there)
    return c.PassDeadline(desk.now(), effect.step)


def _runs_for_terms(terms: Terms) -> bool:
    """Whether a quote covers only a part of the contract: one without an end, or longer than a year."""
    return terms.starts_at is not None and (terms.ends_at is None or terms.ends_at - terms.starts_at > YEAR)


async def _read_contract(effect: x.ReadContract, desk: Desk) -> c.RecordTerms:
    terms = await desk.upwork.read(effect.engagement_id, effect.freelancer_id)
    if _runs_for_terms(terms) and (terms.starts_at or 0) <= desk.now() - DAY:
        await desk.ten99policy.tell_time(anew=True)  # whether a term is over is for its clock to say
    freelancer_id = effect.freelancer_id or terms.freelancer_id
    if freelancer_id is None:
        return c.RecordTerms(desk.now(), terms, KnownContractor(), desk.there())
    known = await desk.handler.load_freelancer(freelancer_id)
    return c.RecordTerms(
        desk.now(),
        terms,
        KnownContractor(
            contractor_id=known.contractor_id,
            opted_in=known.opted_in_at is not None,
            first_name=known.first_name,
            last_name=known.last_name,
        ),
        desk.there(),
    )


async def _ensure_contractor(effect: x.EnsureContractor, claimed: Claimed, desk: Desk) -> c.ConfirmContractor:
    """Our own record, else by e-mail, else created (fact sheet section 10, rows 9 and 26)."""
    known = await desk.handler.load_freelancer(effect.freelancer_id)
    if known.contractor_id:
        return c.ConfirmContractor(desk.now(), known.contractor_id, known.opted_in_at is not None)
    found, opted_in = await _find_contractor(effect.draft.email, desk)
    if found is None:
        try:
            found = await desk.ten99policy.create_contractor(effect.freelancer_id, effect.draft, claimed.key)
        except VendorRefused as refused:
            if refused.code != "duplicate_email":
                raise
            found, opted_in = await _find_contractor(effect.draft.email, desk)
            if found is None:
                raise
    origin = desk.origin(claimed)
    link = c.LinkContractor(desk.now(), str(found["id"]), effect.draft.email)
    linked = await desk.handler.freelancer(effect.freelancer_id, link, origin)
    if opted_in:
        told = Origin(f"{origin.cause}:opted-in", origin.correlation, origin.actor)
        await desk.handler.freelancer(effect.freelancer_id, c.RecordOptIn(desk.now(), None), told)
    return c.ConfirmContractor(
        desk.now(), linked.contractor_id or str(found["id"]), opted_in or linked.opted_in_at is not None
    )


async def _find_contractor(email: str, desk: Desk) -> tuple[dict[str, Any] | None, bool]:
    """The contractor and whether any policy of theirs was ever issued: then they have opted in."""
    found = await desk.ten99policy.find_contractor(email)
    if found is None:
        return None, False
    return found, bool(await desk.ten99policy.policies_of(str(found["id"])))


MATCHING = ("contractor_has_matching_policy", "contract_has_matching_policy")
"""The vendor's new and old word for it (fact sheet, section 4)."""


async def _create_quote(effect: x.CreateQuote, claimed: Claimed, desk: Desk) -> c.EngagementCommand:
    async def send(effective_date: int, key: str) -> dict[str, Any]:
        return await desk.ten99policy.create_quote(
            effect, key, effective_date=effective_date, end_date=effect.window.ends_at
        )

    try:
        quote, effective, moved_from = await _dated(send, effect.window.starts_at, claimed.key, desk)
    except VendorRefused as refused:
        if refused.code in MATCHING:
            return c.WaiveQuote(desk.now(), refused.why)
        raise
    return c.ConfirmQuote(
        desk.now(),
        str(quote["id"]),
        instant(quote.get("effective_date")) or effective,
        instant(quote.get("end_date")) or effect.window.ends_at,
        moved_from,
    )


async def _dated(
    send: Callable[[int, str], Awaitable[dict[str, Any]]], starts_at: int, key: str, desk: Desk
) -> tuple[dict[str, Any], int, int | None]:
    """Send with the contract's start; where the vendor refuses it as past, with the next day.

    The refusal is definite and may be stored for its key, so the moved one has a key of its own, again the
    same on every try. Answers the object, the start that was accepted, and the one that was refused, if any.
    """
    try:
        return await send(starts_at, key), starts_at, None
    except VendorRefused as refused:
        if refused.code != "effective_date_invalid":
            raise
    tomorrow = next_day(desk.there())
    return await send(tomorrow, f"{key}-next-day"), tomorrow, starts_at


async def _open_session(effect: x.OpenSession, claimed: Claimed, desk: Desk) -> c.EngagementCommand:
    if effect.may_have_opted_in:
        known = await desk.handler.load_freelancer(effect.freelancer_id)
        if known.opted_in_at is not None:
            return c.NoteOptIn(desk.now())
    rules = desk.config().rules
    urls = {
        name: url.replace("{engagement_id}", effect.engagement_id)
        for name, url in (("success_url", rules.success_url), ("cancel_url", rules.cancel_url))
        if url
    }
    session = await desk.ten99policy.open_session(effect.engagement_id, effect.quote_id, urls, claimed.key)
    url = session.get("url")
    return c.ConfirmSession(desk.now(), str(session["id"]), url if isinstance(url, str) else None)


async def _create_assignment(effect: x.CreateAssignment, claimed: Claimed, desk: Desk) -> c.EngagementCommand:
    """Under a key that an earlier try may not have had, what that try made is looked for first."""
    other_key = claimed.generation > 1 or desk.now() - epoch(claimed.created_at) > KEYS_LIVE
    left = await _left(effect, claimed, desk) if other_key else None
    if left is not None:
        return _assigned(left, effect, effect.window.starts_at, desk.now())

    async def send(effective_date: int, key: str) -> dict[str, Any]:
        try:
            return await desk.ten99policy.create_assignment(
                effect, key, effective_date=effective_date, end_date=effect.window.ends_at
            )
        except VendorRefused:
            left = await _left(effect, claimed, desk) if claimed.attempt > 1 else None
            if left is None:
                raise
            return left

    try:
        made, effective, _ = await _dated(send, effect.window.starts_at, claimed.key, desk)
    except VendorRefused as refused:
        if refused.code == "no_active_policy" or "No matching policy" in refused.why:
            return c.NoteAssignmentRefused(desk.now(), refused.why)
        raise
    return _assigned(made, effect, effective, desk.now())


async def left_behind(effect: x.Effect, claimed: Claimed, desk: Desk) -> c.EngagementCommand | None:
    """What an effect that is wanted no more has made all the same: its answer was lost. None where nothing.

    An attempt that the store was away for is not counted, so that even a first one may have called.
    """
    if not isinstance(effect, x.CreateAssignment):
        return None
    left = await _left(effect, claimed, desk)
    return None if left is None else _assigned(left, effect, effect.window.starts_at, desk.now())


async def _left(effect: x.CreateAssignment, claimed: Claimed, desk: Desk) -> dict[str, Any] | None:
    engagement = await desk.handler.load(effect.engagement_id)
    since = int(epoch(claimed.created_at) + desk.ten99policy.ahead_by)
    return await standing_assignment(desk.ten99policy, effect, engagement, since)


def _assigned(
    made: dict[str, Any], effect: x.CreateAssignment, effective: int, now: int
) -> c.ConfirmAssignment | c.NoteAssignmentRefused:
    refusal = _ineligible(made)
    if refusal is not None:
        return c.NoteAssignmentRefused(now, refusal, str(made["id"]))
    policy_id = made.get("policy")
    starts_at, asked = instant(made.get("effective_date")) or effective, effect.window.starts_at
    return c.ConfirmAssignment(
        now,
        str(made["id"]),
        policy_id if isinstance(policy_id, str) else None,
        starts_at,
        instant(made.get("end_date")) or effect.window.ends_at,
        moved_from=asked if starts_at > asked else None,
    )


def _ineligible(made: dict[str, Any]) -> str | None:
    """Why the assignment does not cover, or None where it does (fact sheet 6.7: an object with ``result``).

    Only a plain yes is a yes; an answer that cannot be read is for a person, never for cover.
    """
    said = made.get("eligible")
    result = said.get("result") if isinstance(said, dict) else said
    if said is None or result is True:
        return None
    if result is False:
        message = said.get("message") if isinstance(said, dict) else None
        return str(message or "not eligible")
    raise VendorRefused(
        vendor="1099Policy",
        what="POST /assignments",
        why=f"it says neither eligible nor not for {made['id']}",
        status=201,
    )


async def _confirm_policy(effect: x.ConfirmPolicy, desk: Desk) -> c.RecordPolicy:
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


async def _upload_certificate(
    effect: x.UploadCertificate, claimed: Claimed, desk: Desk
) -> c.ConfirmCertificateUploaded:
    content = await desk.store.file(effect.sha256)
    if content is None:
        raise VendorRefused(
            vendor="coverd", what="the certificate", why="its file is not in the store", status=404
        )
    certificate = await desk.ten99policy.upload_certificate(
        effect.engagement_id, effect.contractor_id, effect.file_name, content, claimed.key
    )
    return c.ConfirmCertificateUploaded(desk.now(), str(certificate["id"]), effect.sha256)


async def _end_coverage(effect: x.EndCoverage, claimed: Claimed, desk: Desk) -> c.EngagementCommand:
    """What others have cancelled refuses to be ended, and is over."""
    try:
        return await _ended(effect, claimed, desk)
    except VendorRefused:
        there = desk.there()
        cancelled = await cancelled_already(desk.ten99policy, effect.assignment_id, there)
        if cancelled is None:
            raise
        return cancelled


async def _ended(effect: x.EndCoverage, claimed: Claimed, desk: Desk) -> c.ConfirmCoverageEnded:
    """Fact sheet section 10, row 18: cancel by job before the start, shorten the assignment after it."""
    named = effect.assignment_id if effect.earlier else None
    if effect.ended_at < effect.starts_at and not effect.earlier:
        try:
            await desk.ten99policy.cancel_assignments(effect.job_id, claimed.key)
            return c.ConfirmCoverageEnded(desk.now(), "canceled_by_job")
        except VendorRefused as refused:
            if effect.assignment_id is None and refused.status in (400, 404, 409):
                return c.ConfirmCoverageEnded(desk.now(), "left_to_its_end")
            if effect.assignment_id is None or refused.status not in (400, 409):
                raise
    assert effect.assignment_id is not None
    end_date = max(effect.ended_at, effect.starts_at + 1)
    try:
        await desk.ten99policy.shorten_assignment(effect.assignment_id, end_date)
    except VendorRefused as refused:
        if refused.code not in ("end_date_invalid", "effective_date_invalid"):
            raise
        end_date = next_day(max(desk.there(), effect.ended_at))
        await desk.ten99policy.shorten_assignment(effect.assignment_id, end_date)
    return c.ConfirmCoverageEnded(desk.now(), "assignment_shortened", end_date, named)
