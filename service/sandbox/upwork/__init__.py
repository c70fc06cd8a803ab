"""A sandbox of Upwork: OAuth, GraphQL and webhooks over real HTTP, good enough for Upwork's own library."""

from service.sandbox.upwork.app import ACCOUNT, EMITTER, make_app
from service.sandbox.upwork.options import Dialect, UpworkOptions

__all__ = ["ACCOUNT", "EMITTER", "Dialect", "UpworkOptions", "make_app"]
