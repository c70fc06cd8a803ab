"""Webhook secrets change without a restart: a file that holds them is read again whenever it changes."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from stat import S_ISREG

import structlog

from service.ingest.webhooks import Source
from service.settings import WebhookProof, secrets_in

log = structlog.get_logger("coverd.webhooks")

Stamp = tuple[int, int, int] | None


async def follow(
    proofs: Mapping[Source, WebhookProof], use: Callable[[Source, WebhookProof], None], seconds: float
) -> None:
    """For ever: call ``use`` with a source and its proof each time the secrets in its file have changed.

    ``seconds`` lie between two looks. What differs from one to the next is left alone until another: it may
    be half written. A file that is gone, empty or unreadable leaves the last good secrets in place, and is
    warned of once. What is no file, a pipe say, was read once and is not asked again.
    """
    live = {source: proof for source, proof in proofs.items() if _may_change(proof.secrets_file)}
    seen: dict[Source, Stamp] = {}
    done: dict[Source, Stamp] = {}
    while live:
        for source, proof in live.items():
            assert proof.secrets_file is not None
            stamp, before = _stamp(proof.secrets_file), seen.get(source)
            seen[source] = stamp
            if stamp != before or (source in done and done[source] == stamp):
                continue
            done[source] = stamp
            secrets = secrets_in(_text(proof.secrets_file)) if stamp else ()
            if not secrets:
                log.warning("the file of webhook secrets holds none; the last good ones stay", source=source)
            elif secrets != proof.secrets:
                live[source] = replace(proof, secrets=secrets)
                use(source, live[source])
                log.info("webhook secrets were read again", source=source, live=len(secrets))
        await asyncio.sleep(seconds)


def _may_change(file: Path | None) -> bool:
    return file is not None and (file.is_file() or not file.exists())


def _stamp(file: Path) -> Stamp:
    try:
        found = file.stat()
    except OSError:
        return None
    if not S_ISREG(found.st_mode):  # to read a pipe may take for ever
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""
