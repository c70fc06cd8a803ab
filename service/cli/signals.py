"""Ends on SIGINT or SIGTERM, once; a second signal no longer waits for anybody."""

import asyncio
import signal


def stop_event() -> asyncio.Event:
    """Set by the first SIGINT or SIGTERM; the second cancels the running main task."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()

    def told() -> None:
        if stop.is_set() and main is not None:
            main.cancel()
        stop.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, told)
    return stop
