"""Files by their SHA-256."""

from hashlib import sha256


async def test_a_file_is_kept_once_under_its_hash(store):
    content = b"%PDF-1.7 \x00\xff certificate"
    name = await store.put_file(content)

    assert name == sha256(content).hexdigest()
    assert await store.put_file(content) == name
    assert await store.file(name) == content


async def test_an_empty_file_is_a_file(store):
    assert await store.file(await store.put_file(b"")) == b""


async def test_a_file_nobody_kept_is_none(store):
    assert await store.file("0" * 64) is None


async def test_an_open_store_is_ready(store):
    await store.ready()
