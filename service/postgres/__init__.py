"""A Postgres of our own, for machines that have none: found, started, watched and stopped by this process."""

from .beside import running_dsn
from .cluster import Cluster, embedded
from .errors import EmbeddedPostgresError
from .profile import CRASH_TEST, DURABLE, THROWAWAY, Profile

__all__ = [
    "CRASH_TEST",
    "DURABLE",
    "THROWAWAY",
    "Cluster",
    "EmbeddedPostgresError",
    "Profile",
    "embedded",
    "running_dsn",
]
