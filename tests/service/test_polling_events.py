"""Reading a vendor's events back: every page down to the floor, whatever the vendor does with its cursors."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from service.clients.pages import PAGE
from service.poll.ten99policy import event_pages

EVENTS = [{"id": f"ev_{n}", "type": "policy.active", "created": n, "data": {}} for n in range(250)]


class Vendor:
    """Newest first; ``cursors`` False: it ignores where to go on; ``at_once``: its own idea of a page."""

    def __init__(self, *, cursors: bool = True, at_once: int = PAGE) -> None:
        self.cursors, self.at_once = cursors, at_once
        self.asked = 0

    async def read(self, path: str) -> Any:
        self.asked += 1
        query = parse_qs(urlsplit(path).query)
        newest = EVENTS[::-1]
        after = query.get("starting_after", [""])[0]
        if after and self.cursors:
            newest = newest[[event["id"] for event in newest].index(after) + 1 :]
        return newest[: min(self.at_once, int(query["limit"][0]))]


async def read_back(vendor: Any, floor: int) -> list[str]:
    return [fact.about async for page in event_pages(vendor, floor) for fact in page]


async def test_pages_are_read_until_one_lies_before_the_floor() -> None:
    vendor = Vendor()
    found = await read_back(vendor, 240)
    assert found == [f"ev_{n}" for n in [*range(150, 250), *range(50, 150)]], "each page oldest first"
    assert vendor.asked == 2


async def test_all_of_them_are_read_when_none_is_old_enough() -> None:
    vendor = Vendor()
    assert sorted(await read_back(vendor, 0)) == sorted(str(event["id"]) for event in EVENTS)
    assert vendor.asked == 4


async def test_a_vendor_that_gives_fewer_at_once_is_asked_more_often() -> None:
    vendor = Vendor(at_once=20)
    assert len(await read_back(vendor, 200)) == 80
    assert vendor.asked == 4


async def test_a_vendor_that_knows_no_cursors_is_not_asked_for_ever() -> None:
    vendor = Vendor(cursors=False)
    assert len(await read_back(vendor, 0)) == PAGE
    assert vendor.asked == 2


async def test_what_has_no_id_or_is_no_event_is_left_out() -> None:
    class Odd(Vendor):
        async def read(self, path: str) -> Any:
            self.asked += 1
            rows = [{"type": "policy.active"}, None, "x", {"id": "ev_1", "type": "a.b"}, {"id": 7}]
            return {"data": rows} if self.asked == 1 else {"message": "nothing here"}

    assert await read_back(Odd(), 0) == ["7", "ev_1"]
