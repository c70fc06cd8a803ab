"""The bodies that the integration guide prints, over the wire."""

from ten99policy_driver import CONTRACTOR, ENDS, JOB, METADATA, STARTS, running


async def test_the_guides_contractor_comes_back_flat_and_nested():
    async with running() as sandbox:
        contractor = await sandbox.made("/contractors", CONTRACTOR)

        assert contractor["id"].startswith("cn_")
        assert contractor["email"] == contractor["contact"]["email"] == "fl_12345@relay.yourdomain.com"
        assert (contractor["first_name"], contractor["last_name"]) == ("Ava", "Nguyen")
        assert contractor["address"]["locality"] == contractor["address"]["city"] == "San Francisco"
        assert contractor["custom_metadata"] == {"upwork_freelancer_id": "fl_12345"}
        assert await sandbox.get(f"/contractors/{contractor['id']}") == (200, contractor)


async def test_a_flat_contractor_comes_back_without_a_contact():
    async with running() as sandbox:
        flat = {"first_name": "Noor", "last_name": "Haddad", "email": "noor@example.com"}
        contractor = await sandbox.made("/contractors", flat)

        assert "contact" not in contractor
        assert contractor["phone"] is None


async def test_an_email_serves_one_contractor():
    async with running() as sandbox:
        await sandbox.made("/contractors", CONTRACTOR)

        status, body = await sandbox.post("/contractors", CONTRACTOR)

        assert (status, body["error_code"]) == (400, "duplicate_email")
        _, found = await sandbox.get("/contractors?email=fl_12345@relay.yourdomain.com")
        assert len(found) == 1


async def test_the_guides_way_from_contractor_to_assignment():
    async with running() as sandbox:
        quote, policy = await sandbox.insured()

        assert quote["custom_metadata"] == policy["custom_metadata"] == METADATA
        assert (quote["effective_date"], quote["end_date"]) == (STARTS, ENDS)
        assert (policy["effective_date"], policy["expiration_date"]) == (STARTS, ENDS)
        job = await sandbox.made("/jobs", JOB)
        body = {
            "contractor": quote["contractor"],
            "job": job["id"],
            "effective_date": STARTS,
            "end_date": ENDS,
            "coverage_type": ["general"],
            "custom_metadata": METADATA,
        }
        assignment = await sandbox.made("/assignments", body)

        assert assignment["eligible"] == {
            "result": True,
            "message": "Contractor is pre-approved for insurance coverage.",
        }
        assert assignment["policy"] == policy["id"]
        assert assignment["custom_metadata"] == METADATA


async def test_the_guides_session_opens_on_this_server():
    async with running() as sandbox:
        quote = await sandbox.quoted()
        body = {
            "quote": quote["id"],
            "success_url": "https://your.app/contracts/9001?coverage=active",
            "cancel_url": "https://your.app/contracts/9001?coverage=canceled",
            "custom_metadata": METADATA,
        }
        session = await sandbox.made("/apply/sessions", body)

        assert session["url"] == f"{sandbox.url}/apply/{session['id']}"
        assert (session["step"], session["expired"]) == ("verify_info", False)
        async with sandbox.session.get(session["url"]) as page:
            assert "Review and bind coverage" in await page.text()
        async with sandbox.session.post(session["url"]) as page:
            assert "Coverage is bound" in await page.text()
        _, after = await sandbox.get(f"/apply/sessions/{session['id']}")
        assert after["step"] == "application_complete"


async def test_the_guides_invoice_is_priced():
    async with running() as sandbox:
        quote = await sandbox.quoted()
        cycle = {"paycycle_startdate": 1714419793, "paycycle_enddate": 1714419793}
        body = {"contractor": quote["contractor"], "job": quote["job"], "gross_pay": 1200, **cycle}

        invoice = await sandbox.made("/invoices", body)

        assert invoice["premium_due"] == 100
        assert invoice["gross_pay"] == 1200
        status, refused = await sandbox.put(f"/jobs/{quote['job']}", {"name": "Another"})
        assert (status, refused["error_code"]) == (400, "invoice_exists")


async def test_the_guides_certificate_upload():
    async with running() as sandbox:
        contractor = await sandbox.made("/contractors", CONTRACTOR)

        status, certificate = await sandbox.upload(contractor["id"])

        assert status == 201
        assert (certificate["status"], certificate["filename"]) == ("pending", "coi.pdf")
        assert certificate["custom_metadata"] == METADATA


async def test_reference_mode_refuses_the_guides_shapes():
    async with running(dialect="reference") as sandbox:
        status, body = await sandbox.post("/contractors", CONTRACTOR)
        assert status == 400
        assert set(body["message"]) == {"contact", "address.city"}

        status, body = await sandbox.post("/jobs", JOB)
        assert body["error_code"] == "invalid_job_category_code"
        _, codes = await sandbox.get("/category_codes")
        assert all(code["category_code"].startswith("jc_") for code in codes)


async def test_guide_mode_refuses_the_references_shapes():
    async with running(dialect="guide") as sandbox:
        flat = {"first_name": "Noor", "last_name": "Haddad", "email": "noor@example.com"}

        status, body = await sandbox.post("/contractors", flat)

        assert status == 400
        assert set(body["message"]) == {"first_name", "last_name", "email"}
        await sandbox.made("/contractors", CONTRACTOR)
