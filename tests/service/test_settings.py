"""Settings are read whole, every fault is told at once, and no secret is ever shown."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.settings import SANDBOX, SCHEMES, Secret, Settings, SettingsRefused, is_loopback, read

SERVE = frozenset({"database", "vendors"})
DSN = "postgresql://coverd:pg-s3cr3t@127.0.0.1/coverd"
PRODUCTION = {
    "COVERD_DATABASE_URL": DSN,
    "COVERD_HOST": "0.0.0.0",
    "COVERD_API_TOKENS": "read:reader-s3cr3t,operate:operator-s3cr3t",
    "COVERD_UPWORK_CLIENT_ID": "client-1",
    "COVERD_UPWORK_CLIENT_SECRET": "upwork-s3cr3t",
    "COVERD_UPWORK_WEBHOOK_SECRETS": "hook-s3cr3t-old, hook-s3cr3t-new",
    "COVERD_TEN99POLICY_API_KEY": "t9k_live_s3cr3t",
    "COVERD_TEN99POLICY_ENVIRONMENT": "production",
    "COVERD_TEN99POLICY_WEBHOOK_SECRETS": "whsec_s3cr3t",
}


def faults(environment: dict[str, str], need: frozenset[str] = frozenset()) -> list[str]:
    with pytest.raises(SettingsRefused) as caught:
        read(environment, need=need)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def revealed(settings: Settings) -> list[str]:
    upwork, ten99policy = settings.upwork, settings.ten99policy
    return [s.reveal() for s in (*upwork.proof.secrets, *ten99policy.proof.secrets)]


def test_with_nothing_set_the_service_is_for_this_machine_alone() -> None:
    settings = read({})
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.database_url is None
    assert settings.data_dir == Path(".coverd")
    assert settings.api_tokens == ()
    assert (settings.upwork.dialect, settings.ten99policy.dialect) == ("guide", "guide")
    assert settings.ten99policy.environment == "sandbox"
    assert settings.upwork.url == "https://api.upwork.com"
    assert settings.upwork.token_url == "https://www.upwork.com"
    assert settings.ten99policy.url == "https://api.1099policy.com"
    assert (settings.upwork.proof.scheme, settings.upwork.proof.header) == ("token", "X-Upwork-Webhook-Token")
    proof = settings.ten99policy.proof
    assert (proof.scheme, proof.header, proof.tolerance_seconds) == ("t-v1", "Ten99Policy-Signature", 300)
    assert proof.dedupe_header == "webhook-id"


def test_production_is_read_whole() -> None:
    settings = read(PRODUCTION, need=SERVE)
    assert settings.database_url is not None
    assert settings.database_url.reveal() == DSN
    assert revealed(settings) == ["hook-s3cr3t-old", "hook-s3cr3t-new", "whsec_s3cr3t"]
    assert [token.scope for token in settings.api_tokens] == ["read", "operate"]


def test_every_fault_is_told_at_once() -> None:
    told = faults(
        {
            "COVERD_HOST": "0.0.0.0",
            "COVERD_PORT": "eighty",
            "COVERD_WORKERS": "0",
            "COVERD_CONFIG": "/nowhere/coverd.toml",
            "COVERD_UPWORK_URL": "http://api.upwork.com",
            "COVERD_UPWORK_DIALECT": "klingon",
            "COVERD_UPWORK_WEBHOOK_SCHEME": "rot13",
            "COVERD_TEN99POLICY_ENVIRONMENT": "staging",
        },
        SERVE,
    )
    for name in (
        *("COVERD_HOST", "COVERD_PORT", "COVERD_WORKERS", "COVERD_CONFIG", "COVERD_UPWORK_URL"),
        *("COVERD_UPWORK_DIALECT", "COVERD_UPWORK_WEBHOOK_SCHEME", "COVERD_TEN99POLICY_ENVIRONMENT"),
        *("COVERD_DATABASE_URL", "COVERD_UPWORK_CLIENT_ID", "COVERD_UPWORK_CLIENT_SECRET"),
        *("COVERD_UPWORK_WEBHOOK_SECRETS", "COVERD_TEN99POLICY_API_KEY"),
        "COVERD_TEN99POLICY_WEBHOOK_SECRETS",
    ):
        assert sum(fault.startswith(name) for fault in told) == 1, name
    assert len(told) == 14


def test_what_a_command_does_not_need_may_be_missing() -> None:
    assert read({}, need=frozenset()).database_url is None
    assert [f.split()[0] for f in faults({}, frozenset({"database"}))] == ["COVERD_DATABASE_URL"]
    assert read(SANDBOX, need=frozenset({"vendors"})).upwork.client_id == "sandbox-client"


# Secrets.


@pytest.mark.parametrize(
    "name",
    [
        *("COVERD_DATABASE_URL", "COVERD_API_TOKENS", "COVERD_UPWORK_CLIENT_SECRET"),
        *("COVERD_UPWORK_WEBHOOK_SECRETS", "COVERD_TEN99POLICY_API_KEY"),
        "COVERD_TEN99POLICY_WEBHOOK_SECRETS",
    ],
)
def test_each_secret_may_stand_in_a_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(PRODUCTION[name] + "\n")
    environment = {k: v for k, v in PRODUCTION.items() if k != name} | {f"{name}_FILE": str(file)}
    assert read(environment, need=SERVE) == read(PRODUCTION, need=SERVE)
    assert any(name in fault for fault in faults(PRODUCTION | {f"{name}_FILE": str(file)}))


def test_secrets_in_a_file_may_stand_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_bytes("erstes-geheimnis\r\nzweites-geheimnis-ü\n\n".encode())
    settings = read({"COVERD_UPWORK_WEBHOOK_SECRETS_FILE": str(file)})
    assert revealed(settings) == ["erstes-geheimnis", "zweites-geheimnis-ü"]


def test_a_file_that_holds_no_secret_is_a_fault(tmp_path: Path) -> None:
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    empty.write_text(" \n")
    binary.write_bytes(b"\xff\xfe")
    for file in (empty, binary, tmp_path / "missing", tmp_path):
        told = faults({"COVERD_DATABASE_URL_FILE": str(file)}, frozenset({"database"}))
        assert any(fault.startswith("COVERD_DATABASE_URL_FILE") for fault in told), file


@pytest.mark.parametrize(
    "url", ["postgres:///coverd?host=/run/pg", "postgresql://u@[::1]:5432/x", "postgresql://u@one:1,two:2/x"]
)
def test_every_address_that_a_driver_can_read_is_taken(url: str) -> None:
    assert read({"COVERD_DATABASE_URL": url}).database_url == Secret(url)


def test_no_secret_is_shown() -> None:
    settings = read(PRODUCTION)
    for shown in (repr(settings), str(settings), f"{settings.upwork}", f"{settings.api_tokens}"):
        assert "s3cr3t" not in shown
        assert "digest" not in shown, "a short token can be guessed from its hash"


def test_no_fault_tells_a_secret() -> None:
    wrong = {
        "COVERD_DATABASE_URL": DSN,
        "COVERD_DATABASE_URL_FILE": "/nowhere",
        "COVERD_API_TOKENS": "reader-s3cr3t,write:writer-s3cr3t,read:s3cr3t",
        "COVERD_UPWORK_WEBHOOK_SECRETS": "s3cr3t\udcff",
        "COVERD_PORT": "s3cr3t",
        "COVERD_UPWORK_URL": "https://user:s3cr3t@api.upwork.com",
    }
    with pytest.raises(SettingsRefused) as caught:
        read(wrong)
    assert "s3cr3t" not in str(caught.value)
    assert "s3cr3t" not in repr(caught.value)
    assert len(faults(wrong)) == 7


def test_a_secret_is_equal_to_itself_only() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert not Secret("")
    assert len({Secret("a"), Secret("a")}) == 1
    assert repr(Secret("a")) == str(Secret("a")) == "Secret(…)"


def test_what_is_no_text_is_a_fault() -> None:
    """The environment is bytes; what is not UTF-8 arrives as lone surrogates."""
    bad = os.fsdecode(b"\xff\xfe")
    assert [f.split()[0] for f in faults({"COVERD_HOST": bad})] == ["COVERD_HOST"]


# Tokens and addresses.


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "coverd.example", "127.0.0.1.evil.example"])
def test_without_a_token_no_address_that_others_reach_is_served(host: str) -> None:
    assert any(host in fault for fault in faults({"COVERD_HOST": host}))
    assert read({"COVERD_HOST": host, "COVERD_API_TOKENS": "read:reader-s3cr3t"}).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_without_a_token_this_machine_is_served(host: str) -> None:
    assert is_loopback(host)
    assert read({"COVERD_HOST": host}).host == host


def test_tokens_are_kept_by_their_hash() -> None:
    [token] = read({"COVERD_API_TOKENS": " audit: auditor-s3cr3t ,"}).api_tokens
    assert token.scope == "audit"
    assert token.digest.hex() == "6596ae1cebe7948c950e596c7301842dc37ab6bbcf0ce8b3115f1045484791ba"


@pytest.mark.parametrize("pairs", ["reader-s3cr3t", "write:writer-s3cr3t", "read:", ":reader-s3cr3t"])
def test_a_token_that_is_no_pair_is_a_fault(pairs: str) -> None:
    assert any("COVERD_API_TOKENS" in fault for fault in faults({"COVERD_API_TOKENS": pairs}))


# Addresses of the vendors.


@pytest.mark.parametrize("name", ["COVERD_UPWORK_URL", "COVERD_TEN99POLICY_URL"])
@pytest.mark.parametrize(
    "url",
    [
        *("http://api.example.com", "ftp://api.example.com", "api.example.com", "https://", "https:///x"),
        *("https://api.example.com/api/v1", "https://api.example.com?x=1", "https://api.example.com/#x"),
        *("https://[::1", "https://api.example.com:port", "https://api.example.com:99999", "http://10.0.0.1"),
        *("https://me@api.example.com", "http://127.0.0.1.evil.example"),
    ],
)
def test_an_address_that_is_no_host_root_or_not_safe_is_a_fault(name: str, url: str) -> None:
    assert [fault.split()[0] for fault in faults({name: url})] == [name]


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://API.example.com/", "https://api.example.com"),
        ("http://127.0.0.1:8082", "http://127.0.0.1:8082"),
        ("http://[::1]:8082/", "http://[::1]:8082"),
        ("http://localhost:8082", "http://localhost:8082"),
    ],
)
def test_a_host_root_is_used_as_it_is(url: str, used: str) -> None:
    settings = read({"COVERD_UPWORK_URL": url, "COVERD_TEN99POLICY_URL": url})
    assert settings.upwork.url == settings.upwork.token_url == settings.ten99policy.url == used


def test_upworks_own_tokens_come_from_its_site() -> None:
    assert read({"COVERD_UPWORK_URL": "https://api.upwork.com/"}).upwork.token_url == "https://www.upwork.com"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_scheme_may_be_chosen_for_each_source(scheme: str) -> None:
    settings = read({"COVERD_UPWORK_WEBHOOK_SCHEME": scheme, "COVERD_TEN99POLICY_WEBHOOK_SCHEME": scheme})
    for proof, own in (
        (settings.upwork.proof, "X-Upwork-Webhook-Token"),
        (settings.ten99policy.proof, "Ten99Policy-Signature"),
    ):
        assert proof.scheme == scheme
        assert proof.header == ("webhook-signature" if scheme == "standard" else own)


def test_headers_may_be_named_for_each_source() -> None:
    named = {"COVERD_UPWORK_WEBHOOK_HEADER": "X-Sig", "COVERD_UPWORK_WEBHOOK_ID_HEADER": "X-Id"}
    settings = read(named)
    assert (settings.upwork.proof.header, settings.upwork.proof.dedupe_header) == ("X-Sig", "X-Id")
    assert settings.ten99policy.proof.dedupe_header == "webhook-id"


@pytest.mark.parametrize("port", ["0", "65535"])
def test_a_port_is_a_number_in_range(port: str) -> None:
    assert read({"COVERD_PORT": port}).port == int(port)


@pytest.mark.parametrize("port", ["65536", "-1", "80.0", "٨٠", "1" * 5000, "0x50"])
def test_any_other_port_is_a_fault(port: str) -> None:
    assert [fault.split()[0] for fault in faults({"COVERD_PORT": port})] == ["COVERD_PORT"]


NAMES = st.sampled_from(
    [
        *(*PRODUCTION, "COVERD_PORT", "COVERD_WORKERS", "COVERD_UPWORK_URL", "COVERD_TEN99POLICY_URL"),
        *("COVERD_UPWORK_DIALECT", "COVERD_UPWORK_WEBHOOK_SCHEME"),
    ]
)


@given(st.dictionaries(NAMES, st.text(st.characters(exclude_characters="\x00"), max_size=30), max_size=8))
def test_whatever_is_set_the_settings_are_read_or_refused(environment: dict[str, str]) -> None:
    with suppress(SettingsRefused):
        assert isinstance(read(environment, need=SERVE), Settings)


UNREADABLE = [
    *("postgresql://coverd:s3/cr3t@db/coverd", "postgresql://coverd:s3#cr3t@db/coverd"),
    *("postgresql://coverd:s3?cr3t@db/coverd", "postgresql://coverd:s3cr3t@[::1/coverd"),
    *("postgresql://coverd:s3cr3t@db:port/coverd", "mysql://coverd:s3cr3t@db/coverd", "db.internal s3cr3t"),
]


@pytest.mark.parametrize("url", UNREADABLE)
def test_a_database_url_that_cannot_be_read_is_refused_and_not_quoted(url: str) -> None:
    [told] = faults({"COVERD_DATABASE_URL": url})
    assert told.startswith("COVERD_DATABASE_URL must be a Postgres URL")
    assert "cr3t" not in told
