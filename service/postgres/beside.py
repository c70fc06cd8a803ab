"""The embedded Postgres of another process on this machine, for commands that only look."""

from pathlib import Path

from .cluster import DATABASE, OWNER
from .layout import Layout

PORT_LINE = 3
"""Where postmaster.pid says the port, counted from 0."""


def running_dsn(data_dir: Path) -> str | None:
    """The URL of the database that `coverd up` keeps in ``data_dir``; None where none seems to run there, or
    its password is not for us to read."""
    layout = Layout(data_dir.expanduser().absolute())
    try:
        lines = (layout.cluster / "postmaster.pid").read_text().splitlines()
        port, password = int(lines[PORT_LINE]), layout.password_file.read_text(encoding="ascii").strip()
    except (OSError, ValueError, IndexError):
        return None
    return f"postgresql://{OWNER}:{password}@127.0.0.1:{port}/{DATABASE}"
