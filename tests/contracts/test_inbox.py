"""The inbox: every delivery once, byte for byte, and looked at again until it is settled."""

import asyncio
from datetime import timedelta

import pytest
from contracts.given import NOON, delivery
from msgspec.structs import replace

from service.ports import Window
from service.store.errors import NotStorable


async def test_a_delivery_is_kept_byte_for_byte(store):
    given = delivery(body=b'{"id":1,\r\n "name":"\xff\x00"}')
    id, new = await store.receive(given)

    assert new
    stored = await store.delivery(id)
    assert stored.delivery == given
    assert (stored.id, stored.outcome, stored.type, stored.streams) == (id, None, None, ())
    assert (stored.detail, stored.processed_at) == (None, None)


async def test_the_same_delivery_again_answers_with_the_first_ones_id(store):
    first, _ = await store.receive(delivery())
    assert await store.receive(delivery(body=b"another body")) == (first, False)
    assert (await store.delivery(first)).delivery.body == delivery().body


async def test_the_same_id_from_another_source_is_another_delivery(store):
    first, _ = await store.receive(delivery())
    second, new = await store.receive(delivery(source="1099policy"))
    assert new
    assert second != first


async def test_of_many_equal_deliveries_at_once_one_is_new(store):
    answers = await asyncio.gather(*(store.receive(delivery()) for _ in range(20)))
    assert len({id for id, _ in answers}) == 1
    assert sorted(new for _, new in answers) == [False] * 19 + [True]


async def test_many_deliveries_at_once_each_get_their_own_id(store):
    given = [delivery(f"header:{n}", body=b"%d" % n) for n in range(300)]
    answers = await asyncio.gather(*(store.receive(one) for one in given))

    assert len({id for id, _ in answers}) == 300
    for (id, new), one in zip(answers[::50], given[::50], strict=True):
        assert new
        assert (await store.delivery(id)).delivery == one


async def test_what_can_never_be_kept_is_refused(store):
    for dedupe in ("header:\0", "header:\ud800", "header:" + "x" * 600):
        with pytest.raises(NotStorable):
            await store.receive(delivery(dedupe))


async def test_whoever_received_a_delivery_has_its_time_before_others_take_it(store, clock):
    id, _ = await store.receive(delivery())

    assert await store.claim_deliveries(10, 30, clock.move(19)) == []
    (claimed,) = await store.claim_deliveries(10, 30, clock.move(1))
    assert (claimed.id, claimed.attempt) == (id, 2)
    assert await store.claim_deliveries(10, 30, clock.move(29)) == []
    assert [one.attempt for one in await store.claim_deliveries(10, 30, clock.move(1))] == [3]


async def test_one_that_nobody_has_leased_is_anybodys_at_once(store, clock):
    id, new = await store.receive(delivery(), leased=False)
    assert new
    (claimed,) = await store.claim_deliveries(10, 30, clock())
    assert claimed.id == id


async def test_no_delivery_is_claimed_by_two_at_once(store, clock):
    for number in range(40):
        await store.receive(delivery(f"header:{number}"))
    clock.move(60)

    shares = await asyncio.gather(*(store.claim_deliveries(15, 60, clock()) for _ in range(8)))
    rest = await store.claim_deliveries(100, 60, clock())

    claimed = [one.id for share in [*shares, rest] for one in share]
    assert len(claimed) == len(set(claimed)) == 40
    assert max(len(share) for share in shares) <= 15


async def test_a_settled_delivery_is_not_looked_at_again(store, clock):
    id, _ = await store.receive(delivery())
    await store.settle_delivery(id, "applied", "offer.accepted", None, ["engagement:9001"])

    stored = await store.delivery(id)
    assert (stored.outcome, stored.type, stored.detail) == ("applied", "offer.accepted", None)
    assert (stored.streams, stored.processed_at) == (("engagement:9001",), clock())
    assert await store.claim_deliveries(10, 60, clock.move(3600)) == []


async def test_a_parked_delivery_comes_back_at_its_time(store, clock):
    id, _ = await store.receive(delivery())
    await store.settle_delivery(
        id, "parked", "policy.active", "nobody knows it", [], clock() + timedelta(seconds=5)
    )

    assert await store.claim_deliveries(10, 60, clock.move(4)) == []
    assert [one.id for one in await store.claim_deliveries(10, 60, clock.move(1))] == [id]


async def test_waking_makes_parked_deliveries_due_and_no_others(store, clock):
    later = clock() + timedelta(hours=1)
    ids = {}
    for outcome in ("parked", "failed", "applied"):
        ids[outcome], _ = await store.receive(delivery(outcome))
        await store.settle_delivery(
            ids[outcome], outcome, "t", None, [], later if outcome != "applied" else None
        )

    assert await store.wake_parked() == 1

    assert [one.id for one in await store.claim_deliveries(10, 60, clock())] == [ids["parked"]]


async def test_replaying_makes_a_settled_delivery_due_as_if_never_tried(store, clock):
    id, _ = await store.receive(delivery())
    await store.settle_delivery(id, "failed", "offer.accepted", "refused", [])

    assert await store.replay_delivery(id) is True

    (again,) = await store.claim_deliveries(10, 60, clock())
    assert (again.id, again.attempt, again.outcome) == (id, 1, "failed")


@pytest.mark.parametrize("odd", ["", "nonsense", "000-" + "0" * 32, "fff-" + "f" * 32, "0x1-" + "0" * 32])
async def test_a_delivery_nobody_sent_is_not_there(store, odd):
    await store.receive(delivery())
    assert await store.delivery(odd) is None
    assert await store.replay_delivery(odd) is False
    await store.settle_delivery(odd, "applied", None, None, [])
    assert (await store.deliveries())[0].outcome is None


async def test_an_id_with_the_wrong_bucket_is_not_there(store):
    id, _ = await store.receive(delivery())
    other = f"{(int(id[:3], 16) + 1) % 1024:03x}{id[3:]}"
    assert await store.delivery(other) is None
    assert await store.replay_delivery(other) is False


async def test_words_that_cannot_be_kept_are_mended_and_not_refused(store):
    id, _ = await store.receive(delivery())
    await store.settle_delivery(id, "unknown_type", "a\0b", "half \ud800", [])
    stored = await store.delivery(id)
    assert (stored.type, stored.detail) == ("a\ufffdb", "half ?")


async def test_deliveries_are_listed_newest_first_and_paged_without_loss(store, clock):
    sent = []
    for number in range(7):
        id, _ = await store.receive(delivery(f"header:{number}", received_at=clock()))
        sent.append(id)
    newest_first = sent[::-1]

    first = [one.id for one in await store.deliveries(limit=3)]
    assert first == newest_first[:3]
    late, _ = await store.receive(delivery("header:late", received_at=clock.move(-60)))
    await store.settle_delivery(newest_first[3], "quiet", "t", None, [])
    second = [one.id for one in await store.deliveries(before=first[-1], limit=3)]
    third = [one.id for one in await store.deliveries(before=second[-1], limit=3)]

    assert first + second + third == newest_first
    assert (await store.deliveries(limit=1))[0].id == late
    assert await store.deliveries(before=third[-1]) == []
    assert await store.deliveries(before="nonsense") == []


async def test_deliveries_may_be_listed_by_source_and_outcome(store):
    for number, (source, outcome) in enumerate(
        [("upwork", "applied"), ("1099policy", "applied"), ("1099policy", "failed"), ("upwork", None)]
    ):
        id, _ = await store.receive(delivery(f"header:{number}", source=source))
        if outcome:
            await store.settle_delivery(id, outcome, "t", None, [])

    async def listed(**filters: str) -> list[str]:
        return [one.delivery.dedupe[-1] for one in await store.deliveries(**filters)]

    assert await listed() == ["3", "2", "1", "0"]
    assert await listed(source="upwork") == ["3", "0"]
    assert await listed(outcome="applied") == ["1", "0"]
    assert await listed(source="1099policy", outcome="failed") == ["2"]
    assert await listed(source="upwork", outcome="failed") == []


async def test_attention_is_asked_for_what_no_machine_can_settle(store, clock):
    async def settled(dedupe: str, outcome: str, type: str | None = None) -> None:
        id, _ = await store.receive(delivery(dedupe, received_at=clock.move(1)))
        await store.settle_delivery(id, outcome, type, "why", [], NOON + timedelta(days=1))

    await settled("long parked", "parked")
    long_ago = clock()
    await settled("first strange", "unknown_type", "dog.barked")
    await settled("second strange", "unknown_type", "dog.barked")
    await settled("strange too", "unknown_type", "cat.meowed")
    await settled("untyped", "unknown_type")
    await settled("untyped again", "unknown_type")
    await settled("broken", "unusable")
    await settled("refused", "failed")
    await settled("fine", "applied")
    await settled("calm", "quiet")
    await settled("just parked", "parked")
    await store.receive(delivery("fresh", received_at=clock.move(1)))

    found = await store.deliveries_needing_attention(long_ago)

    assert [one.delivery.dedupe for one in found] == [
        *("refused", "broken", "untyped", "strange too", "first strange", "long parked")
    ]
    assert [one.delivery.dedupe for one in await store.deliveries_needing_attention(NOON, limit=2)] == [
        *("refused", "broken")
    ]


async def test_a_delivery_is_parked_since_it_first_was(store, clock):
    id, _ = await store.receive(delivery())
    await store.settle_delivery(id, "parked", "t", None, [], clock())
    since = clock()
    clock.move(900)
    await store.settle_delivery(id, "parked", "t", None, [], clock())
    assert [one.id for one in await store.deliveries_needing_attention(since)] == [id]

    await store.settle_delivery(id, "applied", "t", None, [])
    await store.settle_delivery(id, "parked", "t", None, [], clock())
    assert await store.deliveries_needing_attention(since) == []


async def settled(store, dedupe: str, outcome: str, type: str | None = None, at=None, **more) -> str:
    id, _ = await store.receive(delivery(dedupe, received_at=at or NOON, **more))
    await store.settle_delivery(id, outcome, type, "why", [])
    return id


async def test_attention_can_be_paged_through_and_asked_for_by_outcome(store, clock):
    for number, outcome in enumerate(["unusable", "failed", "unusable", "failed", "unusable"]):
        await settled(store, str(number), outcome, at=clock.move(1))

    async def page(**asked) -> list[str]:
        found = await store.deliveries_needing_attention(NOON, **asked)
        return [one.delivery.dedupe for one in found]

    first = await store.deliveries_needing_attention(NOON, limit=2)
    assert [one.delivery.dedupe for one in first] == ["4", "3"]
    assert await page(before=first[-1].id) == ["2", "1", "0"]
    assert await page(outcome="failed") == ["3", "1"]
    assert await page(before="nonsense") == []


async def test_causes_count_all_that_came_for_one_reason(store, clock):
    await settled(store, "b1", "unusable", at=NOON)
    barks = [await settled(store, f"u{n}", "unknown_type", "dog.barked", at=clock.move(9)) for n in range(3)]
    await settled(store, "m", "unknown_type", "cat.meowed", at=clock.move(9))
    await settled(store, "fine", "applied")

    barked, meowed, broken = await store.delivery_causes(NOON)

    assert (barked.outcome, barked.type, barked.count) == ("unknown_type", "dog.barked", 3)
    assert (barked.last_seen - barked.first_seen, barked.latest) == (timedelta(seconds=18), barks[-1])
    assert (broken.source, broken.outcome, broken.type, broken.count) == ("upwork", "unusable", None, 1)
    assert (meowed.type, meowed.count) == ("cat.meowed", 1)


async def test_a_skipped_delivery_waits_for_nobody_until_it_is_replayed(store, clock):
    id = await settled(store, "broken", "failed")
    await store.settle_delivery(id, "failed", "t", "why", [], NOON)
    assert await store.skip_delivery(id)
    assert (await store.delivery(id)).skipped_at == NOON
    clock.move(60)
    assert await store.skip_delivery(id)
    assert (await store.delivery(id)).skipped_at == NOON

    assert await store.deliveries_needing_attention(NOON) == []
    assert await store.delivery_causes(NOON) == []
    assert await store.claim_deliveries(10, 60, clock.move(3600)) == []

    assert await store.replay_delivery(id)
    assert [one.id for one in await store.deliveries_needing_attention(NOON)] == [id]
    assert [one.id for one in await store.claim_deliveries(10, 60, clock())] == [id]


async def test_an_unknown_type_is_skipped_with_the_first_delivery_of_it(store, clock):
    first = await settled(store, "u1", "unknown_type", "dog.barked", at=NOON)
    await settled(store, "u2", "unknown_type", "dog.barked", at=clock.move(9))
    assert await store.skip_delivery(first)
    await settled(store, "u3", "unknown_type", "dog.barked", at=clock.move(9))
    assert await store.deliveries_needing_attention(NOON) == []
    assert await store.delivery_causes(NOON) == []


async def test_only_what_needs_a_person_can_be_skipped(store):
    fine = await settled(store, "fine", "applied")
    new, _ = await store.receive(delivery("new"))
    assert not await store.skip_delivery(fine)
    assert not await store.skip_delivery(new)
    assert not await store.skip_delivery("nonsense")


async def test_a_window_holds_what_arrived_in_it_oldest_first(store, clock):
    times = [clock.move(60) for _ in range(5)]
    ids = [await settled(store, str(n), "applied", at=at) for n, at in enumerate(times)]
    other = await settled(store, "other", "quiet", at=times[-1], source="1099policy")
    window = Window(times[1], times[4])

    assert list(await store.deliveries_between(window)) == ids[1:4]
    assert list(await store.deliveries_between(window, ids[1], limit=1)) == [ids[2]]
    assert await store.count_between(window) == 3
    assert await store.count_between(window, ids[2]) == 1
    later = Window(times[4], clock.move(60))
    assert set(await store.deliveries_between(later)) == {ids[4], other}
    assert list(await store.deliveries_between(replace(later, source="1099policy"))) == [other]
    assert list(await store.deliveries_between(replace(later, outcome="applied"))) == [ids[4]]
    assert (
        list(await store.deliveries_between(replace(window, since=NOON - timedelta(days=30_000)))) == ids[:4]
    )
