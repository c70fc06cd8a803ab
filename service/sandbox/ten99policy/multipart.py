"""Reads a multipart form: its texts, and one file."""

import hashlib
from typing import Any

from aiohttp import BodyPartReader, web

from service.sandbox.control import CALL
from service.sandbox.ten99policy.refusals import Refusal
from service.sandbox.ten99policy.vendor import Upload

MOST_TEXT = 64 * 1024


async def read_multipart(request: web.Request) -> tuple[dict[str, Any], Upload | None]:
    """`({name: text}, the part called certificate)`; the call recorder gets names, size and hash of it."""
    texts: dict[str, Any] = {}
    upload = None
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise Refusal("bad_request", "A part may not be multipart itself.")
            content = bytes(await part.read(decode=True))
            if part.name == "certificate":
                type = part.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                upload = Upload(part.filename or "", type, content)
            elif part.name:
                texts[part.name] = content[:MOST_TEXT].decode("utf-8", "replace")
    except ValueError as error:
        raise Refusal("bad_request", "The multipart body cannot be read.") from error
    request[CALL].body = {**texts, "certificate": upload and _shown(upload)}
    return texts, upload


def _shown(upload: Upload) -> dict[str, Any]:
    return {
        "filename": upload.filename,
        "content_type": upload.content_type,
        "size": len(upload.content),
        "sha256": hashlib.sha256(upload.content).hexdigest(),
    }
