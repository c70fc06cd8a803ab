"""What strangers write into names, titles and news is shown as text, on every page."""

from typing import Any

import orjson
from deliveries import deliver_upwork
from page_site import Seen, well_formed

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"


async def seen(world: Any, path: str) -> Seen:
    async with world.session.get(world.service.url + path, headers={"Accept": "text/html"}) as response:
        page = await response.text()
    assert MARKUP not in page
    found = well_formed(page)
    assert not any(image["src"] == "x" for image in found.all("img"))
    return found


async def test_markup_in_names_titles_and_news_is_text(world: Any) -> None:
    contract = {"title": MARKUP, "description": MARKUP, "category": {"name": MARKUP}}
    person = {"id": "fl_<b>", "displayName": MARKUP}
    engagement_id = await world.drive.contract(contract=contract, freelancer=person)
    news = orjson.dumps({"id": "n1", "type": MARKUP, "data": {"contract": {"id": MARKUP}}})
    assert await deliver_upwork(world, news) == 202
    await world.drive.until(engagement_id, lambda shown: len(shown["attention"]) > 0)
    await world.drive.service.post(f"/v1/engagements/{engagement_id}/retry", {"reason": MARKUP})

    async def listed() -> bool:
        return MARKUP in (await seen(world, "/")).text

    await world.drive.until_true(listed, "the title in the list, as text")
    page = await seen(world, f"/engagements/{engagement_id}")
    assert page.text.count(MARKUP) >= 3, "its title, its category and the reason"
    await seen(world, "/?attention=yes")
    assert MARKUP in (await seen(world, "/attention")).text
    await seen(world, "/?q=%3Cscript%3Ealert(1)%3C/script%3E")
