"""What performing an effect may use."""

from collections.abc import Callable
from dataclasses import dataclass

from service.clients.ten99policy import Ten99Policy
from service.clients.upwork import Upwork
from service.clock import Clock, epoch
from service.config import Config
from service.handle import Handler, Origin
from service.ports import Claimed, Store


@dataclass(frozen=True, slots=True)
class Desk:
    """What performing an effect may use."""

    store: Store
    handler: Handler
    upwork: Upwork
    ten99policy: Ten99Policy
    config: Callable[[], Config]
    clock: Clock

    def now(self) -> int:
        """Epoch seconds."""
        return epoch(self.clock())

    def there(self) -> int:
        """The time at 1099Policy, by the Date of its latest answer."""
        return int(self.now() + self.ten99policy.ahead_by)

    def origin(self, claimed: Claimed) -> Origin:
        """The outcome of one effect is one cause, however often the call was tried."""
        cause = f"effect:{claimed.stream_id}:{claimed.step}:{claimed.generation}"
        return Origin(cause, claimed.correlation, "coverd")
