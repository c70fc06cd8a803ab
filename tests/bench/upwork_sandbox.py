"""The Upwork sandbox in a process of its own."""

import asyncio
import sys

from aiohttp import web

from service.sandbox.upwork import UpworkOptions, make_app


async def main() -> None:
    runner = web.AppRunner(make_app(UpworkOptions()), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stderr.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
    sys.stderr.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
