"""What the OpenAPI document promises, a tool that knows nothing else of the service finds to be so."""

import asyncio
import sys
from pathlib import Path

import pytest
from places import TOKEN, PlaceMaker

CONFIGURED = """
[checks.positive_data_acceptance]
# What no schema can say: a cursor is one of ours, a day needs a time zone, a pay cycle ends after its start.
expected-statuses = ["2xx", "3xx", "400", "401", "403", "404", "409", "415", "422"]
"""

OFFER = b"""{"id": "evt_1", "type": "offer.accepted", "createdAt": 1764000000,
 "data": {"contract": {"id": "9001"}, "freelancer": {"id": "fl_12345"}, "offer": {"id": "of_77"}}}"""


@pytest.mark.slow
async def test_nothing_the_document_says_is_found_untrue(places: PlaceMaker, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURED)
    async with places(COVERD_API_TOKENS="operate:tok_operate") as place:
        assert (await place.ask("POST", "/webhooks/upwork", data=OFFER, headers=TOKEN)).status == 202
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"),
            *("run", f"{place.url}/openapi.json", "--header", "Authorization: Bearer tok_operate"),
            *("--max-examples", "12", "--generation-deterministic", "--no-color"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    assert b"Tested: " in told
