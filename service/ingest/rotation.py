"""Webhook secrets change without a restart: a file that holds them is read again whenever it changes."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import structlog

from service.ingest.webhooks import Source
from service.settings import WebhookProof, secrets_in

log = structlog.get_logger("coverd.webhooks")

Stamp = tuple[int, int, int] | None


async def follow(
    proofs: Mapping[Source, WebhookProof], use: Callable[[Source, WebhookProof], None], seconds: float
) -> None:
    """For ever: call ``use`` with a source and its proof each time the secrets in its file have changed.

    ``seconds`` lie between two looks. A file that is gone, empty or unreadable leaves the last good secrets
    in place, and is warned of once.
    """
    live = {source: proof for source, proof in proofs.items() if proof.secrets_file}
    seen: dict[Source, Stamp] = {}
    while live:
        for source, proof in live.items():
            assert proof.secrets_file is not None
            stamp = _stamp(proof.secrets_file)
            if source in seen and seen[source] == stamp:
                continue
            seen[source] = stamp
            secrets = secrets_in(_text(proof.secrets_file))
            if not secrets:
                log.warning("the file of webhook secrets holds none; the last good ones stay", source=source)
            elif secrets != proof.secrets:
                live[source] = replace(proof, secrets=secrets)
                use(source, live[source])
                log.info("webhook secrets were read again", source=source, live=len(secrets))
        await asyncio.sleep(seconds)


def _stamp(file: Path) -> Stamp:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
