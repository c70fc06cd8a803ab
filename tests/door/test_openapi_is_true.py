"""What the OpenAPI document promises, a tool that knows nothing else of the service finds to be so."""

import asyncio
import re
import sys
from pathlib import Path

import pytest
from places import TOKEN, PlaceMaker

CONFIGURED = """
[checks.positive_data_acceptance]
# What no schema can say: a cursor is one of ours, a day needs a time zone, a pay cycle ends after its start.
expected-statuses = ["2xx", "3xx", "400", "401", "403", "404", "409", "415", "422"]

[dictionaries]
ids = { values = ["9001", "fl_12345", "upwork", "1099policy"] }
files = { values = ["coverd.css", "icon.svg"] }

[parameters]
# What is there, beside what is not.
"path.id" = { dictionary = "ids", probability = 0.7 }
"path.vendor" = { dictionary = "ids", probability = 0.7 }
"path.name" = { dictionary = "files", probability = 0.7 }

[[operations]]
include-path = [
  "/v1/engagements/{id}/certificates", "/v1/engagements/{id}/invoices", "/v1/engagements/{id}/skip"
]
parameters = { "path.id" = "9001" }

# What is proven is kept, whatever it says.
[[operations]]
include-path = "/webhooks/upwork"
headers = { "X-Upwork-Webhook-Token" = "upwork-sandbox-token" }
checks = { negative_data_rejection = { enabled = false } }

[[operations]]
include-path = "/webhooks/1099policy"
headers = { "Ten99Policy-Signature" = "shared" }
checks = { negative_data_rejection = { enabled = false } }
"""

OFFER = b"""{"id": "evt_1", "type": "offer.accepted", "createdAt": 1764000000,
 "data": {"contract": {"id": "9001"}, "freelancer": {"id": "fl_12345"}, "offer": {"id": "of_77"}}}"""

SHARED = {"COVERD_TEN99POLICY_WEBHOOK_SCHEME": "token", "COVERD_TEN99POLICY_WEBHOOK_SECRETS": "shared"}
"""A proof that does not depend on the body, so that the tool can send it."""


@pytest.mark.slow
async def test_nothing_the_document_says_is_found_untrue(places: PlaceMaker, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURED)
    async with places(COVERD_API_TOKENS="operate:tok_operate", **SHARED) as place:
        assert (await place.ask("POST", "/webhooks/upwork", data=OFFER, headers=TOKEN)).status == 202
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"),
            *("run", f"{place.url}/openapi.json", "--header", "Authorization: Bearer tok_operate"),
            *("--max-examples", "12", "--generation-deterministic", "--no-color"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
    told = out.decode()
    assert process.returncode == 0, told
    counted = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", told)
    assert counted, told
    assert len({*counted.groups()}) == 1, "every operation was tried"
    assert "Authentication failed" not in told, "and let in"
    assert "Missing test data" not in told, "and found something there"
