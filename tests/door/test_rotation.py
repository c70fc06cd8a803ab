"""Webhook secrets change while deliveries come in: no good one is refused, and in the end the old one is."""

import asyncio
import hashlib
import hmac
import time
from pathlib import Path

import pytest
from places import ENOUGH, Place, PlaceMaker
from structlog.testing import capture_logs

from service.ingest.rotation import follow
from service.settings import Secret, WebhookProof

OLD, NEW = "whsec_old_one", "whsec_new_one"


async def delivered(place: Place, secret: str, number: int) -> int:
    body = b'{"id":"ev_%d","type":"invoice.paid","created":1,"data":{"id":"in_1"}}' % number
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Ten99Policy-Signature": f"t={stamp},v1={digest}", "Content-Type": "application/json"}
    return (await place.ask("POST", "/webhooks/1099policy", data=body, headers=headers)).status


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secrets"
    path.write_text(f"{OLD}\n")
    return path


def hold(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink()
    else:
        file.write_text(text, encoding="utf-8")


def setting(file: Path) -> dict[str, str]:
    return {"COVERD_TEN99POLICY_WEBHOOK_SECRETS": "", "COVERD_TEN99POLICY_WEBHOOK_SECRETS_FILE": str(file)}


async def until(place: Place, secret: str, status: int, number: int = 10_000) -> None:
    async with asyncio.timeout(ENOUGH):
        while await delivered(place, secret, number) not in ({202, 200} if status == 202 else {status}):
            number += 1


async def test_no_good_delivery_is_refused_meanwhile(places: PlaceMaker, file: Path) -> None:
    refused: list[int] = []
    signing, turning = [OLD], True

    async def deliver(first: int) -> None:
        number = first
        while turning:
            status = await delivered(place, signing[0], number)
            if status not in (200, 202):
                refused.append(status)
            number += 1

    async with places(**setting(file)) as place, asyncio.TaskGroup() as group:
        for sender in range(4):
            group.create_task(deliver(100_000 * (sender + 1)))
        hold(file, f"{OLD}\n{NEW}\n")
        await until(place, NEW, 202)
        signing[0] = NEW
        await asyncio.gather(*(delivered(place, NEW, n) for n in range(20)))
        hold(file, NEW)
        await until(place, OLD, 401)
        turning = False
    assert refused == []


@pytest.mark.parametrize("broken", ["", "\n,\n", None])
async def test_a_broken_file_leaves_the_last_good_secrets(
    places: PlaceMaker, file: Path, broken: str | None
) -> None:
    async with places(**setting(file)) as place:
        with capture_logs() as lines:
            hold(file, broken)
            async with asyncio.timeout(ENOUGH):
                while not any("holds none" in line["event"] for line in lines):
                    assert await delivered(place, OLD, 1) in (200, 202)
        assert await delivered(place, OLD, 2) == 202
    assert OLD not in str(lines)


async def test_a_file_is_not_read_while_it_is_written(file: Path) -> None:
    used: list[tuple[Secret, ...]] = []
    changed = asyncio.Event()

    def use(_: str, now: WebhookProof) -> None:
        used.append(now.secrets)
        changed.set()

    proof = WebhookProof("t-v1", (Secret(OLD),), "Ten99Policy-Signature", secrets_file=file)
    following = asyncio.create_task(follow({"1099policy": proof}, use, 0))
    with file.open("w") as writing:
        for letter in f"{OLD}\n{NEW}\n":
            writing.write(letter)
            writing.flush()
            await asyncio.sleep(0)
    async with asyncio.timeout(ENOUGH):
        await changed.wait()
    following.cancel()
    assert used == [(Secret(OLD), Secret(NEW))]


async def test_what_is_no_file_is_read_at_the_start_alone() -> None:
    proof = WebhookProof("t-v1", (Secret(OLD),), "Ten99Policy-Signature", secrets_file=Path("/dev/null"))
    with capture_logs() as lines:
        following = asyncio.create_task(follow({"1099policy": proof}, lambda *_: None, 0))
        for _ in range(5):
            await asyncio.sleep(0)
        following.cancel()
    assert lines == []


@pytest.mark.parametrize(
    "written", [f"{OLD}", f"{OLD}\r\n", f"\ufeff{OLD}\n", f"\n {OLD} ,\n", f"{OLD},{NEW}"]
)
async def test_however_an_editor_ends_the_file(places: PlaceMaker, file: Path, written: str) -> None:
    hold(file, written)
    async with places(**setting(file)) as place:
        assert await delivered(place, OLD, 1) == 202
