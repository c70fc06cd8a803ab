"""`make chaos`: run it, print the report, and end with 1 when anything was lost, doubled, wrong or stuck."""

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from random import SystemRandom
from statistics import median

from chaos.books import Report
from chaos.run import Plan, run


def main() -> int:
    asked = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    asked.add_argument("--seed", type=int, default=None)
    asked.add_argument("--engagements", type=int, default=60)
    asked.add_argument("--faults", type=int, default=40)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    seed = SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    plan = Plan(seed, given.engagements, given.faults)
    with tempfile.TemporaryDirectory(prefix="coverd-chaos-", ignore_cleanup_errors=True) as folder:
        report = asyncio.run(run(plan, Path(folder), say))
    told = json.dumps({**asdict(report), "good": report.good}, indent=1) if given.json else text_of(report)
    sys.stdout.write(told + "\n")
    return 0 if report.good else 1


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


def text_of(report: Report) -> str:
    slow = sorted((r.seconds for r in report.recoveries), reverse=True)
    lines = [
        f"seed                 {report.seed}",
        f"faults               {len(report.faults)}",
        f"deliveries           {report.accepted} accepted, {report.stored} of them stored once,"
        f" {report.polled} more found by asking",
        f"refused meanwhile    {dict(sorted(report.refused.items())) or 'none'}",
        f"effects              {report.wanted} wanted, {report.done} done in {report.tries} tries,"
        f" {report.doubled} doubled at the vendors",
        f"engagements          {report.right} of {report.engagements} in their right state",
    ]
    if slow:
        lines.append(f"recovery             median {median(slow):.2f} s, slowest {slow[0]:.2f} s")
    lines += [f"WRONG: {complaint}" for complaint in report.complaints]
    lines.append("Nothing lost, nothing doubled, all right." if report.good else "NOT GOOD.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
