"""How much memory this machine, or the container we are in, has to give."""

import os
from contextlib import suppress
from pathlib import Path

LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where Linux says what a container may have; the second before cgroups had a second version."""

PART = 8
LEAST, MOST = 128 << 20, 4 << 30
"""An eighth is kept for pages, but no less than Postgres itself would keep and no more than 4 GB: what does
not fit lies in the system's own cache, which has the rest."""


def for_pages(memory: int | None = None) -> str:
    """The ``shared_buffers`` of a machine with so many bytes of memory; None: of this one."""
    part = (machine() if memory is None else memory) // PART
    return f"{min(max(part, LEAST), MOST) >> 20}MB"


def machine() -> int:
    """Bytes of memory here; 0 where nobody says."""
    found = []
    with suppress(ValueError, OSError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for limit in LIMITS:
        with suppress(ValueError, OSError):  # not there, or "max"
            found.append(int(limit.read_text(encoding="ascii")))
    return min(found, default=0)
