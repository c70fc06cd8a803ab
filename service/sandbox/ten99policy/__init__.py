"""A sandbox of 1099Policy's API: a real HTTP server that speaks only the wire."""

from service.sandbox.ten99policy.app import EMITTER, VENDOR, make_app
from service.sandbox.ten99policy.options import Ten99PolicyOptions

__all__ = ["EMITTER", "VENDOR", "Ten99PolicyOptions", "make_app"]
