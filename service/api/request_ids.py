"""The name each request goes by in answers and logs: the caller's where it is a plain word, else ours."""

import re
import secrets
from itertools import count

PLAIN_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,100}")
"""What is taken over from a caller: nothing a person could be named by, or a line of a log be forged with."""

_OURS = secrets.token_hex(8)
_numbers = count(secrets.randbits(32))


def request_id(given: str | None) -> str:
    if given and PLAIN_ID.fullmatch(given):
        return given
    return f"{_OURS}{next(_numbers):016x}"
