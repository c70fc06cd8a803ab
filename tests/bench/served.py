"""`coverd serve` for benches of the whole job: the guide's example for a configuration, and where UNPACED is
set without Upwork's limit of requests, which would bound everything else."""

import os
import sys
from dataclasses import replace

from service import logs, loops
from service.cli.signals import stop_event
from service.compose import Tuning, serving
from service.config import EXAMPLE, ConfigFile
from service.settings import read
from service.vendors.rate import UPWORK

UNLIMITED = replace(UPWORK, spacing=0.0001, interval=0.0001)


async def main() -> None:
    settings = read(os.environ, need=frozenset({"database", "vendors"}))
    stop = stop_event()
    tuning = Tuning(upwork_rate=UNLIMITED) if os.environ.get("UNPACED") else Tuning()
    async with serving(settings, ConfigFile(None, EXAMPLE), tuning=tuning) as service:
        sys.stderr.write(f"{service.url}\n")
        sys.stderr.flush()
        await stop.wait()


if __name__ == "__main__":
    logs.set_up()
    loops.run(main())
