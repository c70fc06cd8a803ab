"""`make chaos`: run it, print the report, and end with 1 when anything was lost, doubled, wrong or stuck."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

from chaos.run import Plan, run


def main() -> int:
    asked = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    asked.add_argument("--seed", type=int, default=None)
    asked.add_argument("--engagements", type=int, default=60)
    asked.add_argument("--faults", type=int, default=40)
    asked.add_argument("--replicas", type=int, default=2)
    asked.add_argument(
        "--load", type=int, default=0, help="so many engagements at once, and senders without a pause"
    )
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    seed = SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    plan = Plan(seed, given.engagements, given.faults, load=given.load, replicas=given.replicas)
    say(f"seed {seed}")
    with tempfile.TemporaryDirectory(prefix="coverd-chaos-", ignore_cleanup_errors=True) as folder:
        report = asyncio.run(run(plan, Path(folder), say))
    told = json.dumps(report.view(), indent=1) if given.json else report.text()
    sys.stdout.write(told + "\n")
    return 0 if report.good else 1


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
