"""A sandbox with a state file remembers across restarts."""

from pathlib import Path

from ten99policy_driver import JOB, receiving, running


async def test_objects_answers_and_indexes_survive_a_restart(tmp_path: Path):
    path = tmp_path / "state" / "ten99policy.json"
    key = {"Ten99Policy_Idempotent_Key": "job-9001"}
    async with running(state_path=path) as sandbox:
        quote, policy = await sandbox.insured()
        job = await sandbox.made("/jobs", JOB, **key)
        _, before = await sandbox.get("/_control/objects")

    async with running(state_path=path) as sandbox:
        _, after = await sandbox.get("/_control/objects")
        assert after == before
        assert await sandbox.made("/jobs", JOB, **key) == job
        _, policies = await sandbox.get(f"/contractors/{quote['contractor']}/policies")
        assert policies == [policy]
        status, _ = await sandbox.post("/apply/sessions", {"quote": quote["id"]})
        assert status == 400


async def test_the_state_is_written_while_the_sandbox_runs(tmp_path: Path):
    path = tmp_path / "ten99policy.json"
    async with running(state_path=path, save_every_seconds=0.001) as sandbox:
        await sandbox.made("/jobs", JOB)
        while not path.exists() or b"Frontend Developer" not in path.read_bytes():
            await sandbox.get("/jobs")


async def test_an_event_nobody_took_is_sent_after_a_restart(tmp_path: Path):
    path = tmp_path / "ten99policy.json"
    async with receiving() as receiver:
        receiver.answers = [503] * 10
        async with running(state_path=path, callback=receiver.url, retry_base_seconds=60) as sandbox:
            await sandbox.insured()
            while not receiver.taken:
                await sandbox.get("/jobs")
        receiver.answers = []
        async with running(state_path=path, callback=receiver.url) as sandbox:
            await sandbox.drain()

        first, again = receiver.bodies
        assert first == again


async def test_the_clock_that_was_set_is_remembered(tmp_path: Path):
    path = tmp_path / "ten99policy.json"
    async with running(state_path=path) as sandbox:
        await sandbox.post("/_control/clock", {"now": "2031-05-05T00:00:00Z"})
    async with running(state_path=path) as sandbox:
        _, clock = await sandbox.get("/_control/clock")
        assert clock["set"]
        assert clock["at"].startswith("2031-05-05T00:0")
