"""A vendor's words without what they must not repeat: they are kept for good and shown to people."""

import re
from collections.abc import Collection

UNSAID = "…"

MOST = 2000
"""Characters that are looked at; longer words than these nobody reads."""

_ADDRESS = re.compile(r"[^\s<>\"'(),:;@]{1,64}@[\w.-]{1,255}\.\w+")


def discreet(text: str, unsaid: Collection[str] = ()) -> str:
    """The beginning of ``text`` without e-mail addresses, and without each of ``unsaid`` where it stands as a
    word of its own."""
    said = _ADDRESS.sub(UNSAID, text[:MOST])
    for value in sorted(filter(None, unsaid), key=len, reverse=True):
        said = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", UNSAID, said)
    return said
