"""The mapping rules from TOML: every fault named, a mended file read at once, a broken one told and left."""

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from domain.values import Patience
from service.config import EXAMPLE, ConfigFile, ConfigRefused, parse

GOOD = """
[clients]
"*" = "en_abc123"
[categories]
"Web, Mobile & Software Dev" = "SOFTWARE_ENGINEERING_CONTRACT"
[aliases]
"CONTRACT/CLOSED" = "contract.ended"
[quote]
coverage_types = ["general", "professional"]
default_term_days = 30
renewal_days = 7
[deadlines]
opt_in_days = 5
review_hours = 24
expiry_days = [14]
[contractor]
proxy_email_domain = "relay.yourdomain.com"
[job]
name = "Contract {id} — {title}"
send_region = true
[session]
success_url = "https://your.app/contracts/{engagement_id}?coverage=active"
cancel_url = "https://your.app/contracts/{engagement_id}?coverage=canceled"
[attachments]
allowed_hosts = ["files.example"]
"""


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigRefused) as caught:
        parse(tomllib.loads(text))
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_every_setting_is_read() -> None:
    config = parse(tomllib.loads(GOOD))
    rules = config.rules
    assert rules.entity("any client") == "en_abc123"
    assert rules.category_code("web, mobile and software dev") == "SOFTWARE_ENGINEERING_CONTRACT"
    assert rules.coverage_types == ("general", "professional")
    assert rules.default_term_days == 30
    assert rules.patience == Patience(5, 24, (14,), 7)
    assert rules.proxy_email_domain == "relay.yourdomain.com"
    assert rules.job_name == "Contract {id} — {title}"
    assert rules.success_url == "https://your.app/contracts/{engagement_id}?coverage=active"
    assert rules.cancel_url == "https://your.app/contracts/{engagement_id}?coverage=canceled"
    assert config.aliases == {"CONTRACT/CLOSED": "contract.ended"}
    assert config.attachment_hosts == ("files.example",)
    assert config.send_job_region


def test_an_empty_file_is_a_configuration() -> None:
    config = parse({})
    assert config.rules.coverage_types == ("general",)
    assert config.rules.default_term_days == 90
    assert config.rules.job_name == "{title}"
    assert not config.send_job_region


def test_the_guides_example_is_a_configuration() -> None:
    assert parse(EXAMPLE).rules.success_url == "https://your.app/contracts/{engagement_id}?coverage=active"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[clientele]\nx = 1", "[clientele]"),
        ("[quote]\ncoverage = 1", "[quote] has no setting coverage"),
        ("clients = 7", "clients must be a table"),
        ("quote = []", "quote must be a table"),
        ("[clients]\nx = 7", 'clients."x"'),
        ('[clients]\nx = " "', 'clients."x"'),
        ("[categories]\nx = []", 'categories."x"'),
        ("[aliases]\nx = true", 'aliases."x"'),
        ('[aliases]\nx = "contract.over"', 'aliases."x" leads to contract.over'),
        ("[quote]\ncoverage_types = []", "quote.coverage_types"),
        ('[quote]\ncoverage_types = "general"', "quote.coverage_types"),
        ('[quote]\ncoverage_types = ["general", "alien"]', "quote.coverage_types"),
        ("[quote]\ncoverage_types = [{}]", "quote.coverage_types"),
        ("[quote]\ndefault_term_days = 0", "quote.default_term_days"),
        ("[quote]\ndefault_term_days = 366", "quote.default_term_days"),
        ("[quote]\ndefault_term_days = 30.0", "quote.default_term_days"),
        ("[quote]\ndefault_term_days = true", "quote.default_term_days"),
        ("[quote]\nrenewal_days = 91", "quote.renewal_days"),
        ("[deadlines]\nopt_in_days = 0", "deadlines.opt_in_days"),
        ("[deadlines]\nreview_hours = '2'", "deadlines.review_hours"),
        ("[deadlines]\nexpiry_days = 30", "deadlines.expiry_days"),
        ("[deadlines]\nexpiry_days = [30, -1]", "deadlines.expiry_days"),
        ("[contractor]\nproxy_email_domain = 7", "contractor.proxy_email_domain"),
        ('[contractor]\nproxy_email_domain = ""', "contractor.proxy_email_domain"),
        *[
            (f'[contractor]\nproxy_email_domain = "{domain}"', "proxy_email_domain must be a domain")
            for domain in (
                "@relay.example",
                "relay",
                "relay..example",
                "a b.example",
                "ä.example",
                "10.0.0.1",
            )
        ],
        ('[clients]\n" org_7" = "en_1"', 'clients." org_7" has blanks'),
        ('[clients]\norg_7 = "en_1 "', 'clients."org_7" has blanks'),
        ('[categories]\n"QA & Testing" = "jc_1"\n"qa and  testing" = "jc_2"', "which are one"),
        ("[job]\nname = []", "job.name"),
        ('[job]\nsend_region = "yes"', "job.send_region"),
        ("[session]\nsuccess_url = 7", "session.success_url"),
        ('[session]\ncancel_url = "your.app/contracts"', "session.cancel_url"),
        ('[attachments]\nallowed_hosts = "files.example"', "attachments.allowed_hosts"),
        ("[attachments]\nallowed_hosts = [7]", "attachments.allowed_hosts"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, names: str) -> None:
    told = faults(text)
    assert len(told) == 1
    assert names in told[0]


def test_one_category_may_be_spelt_twice_where_both_lead_to_one_code() -> None:
    parse({"categories": {"QA & Testing": "jc_1", "qa and testing": "jc_1"}})


def test_all_faults_are_told_at_once() -> None:
    assert len(faults("x = 1\n[quote]\ncoverage = 1\ndefault_term_days = 0\n[job]\nname = 7")) == 4


def test_each_fault_comes_with_the_file_it_is_in(tmp_path: Path) -> None:
    path = tmp_path / "coverd.toml"
    path.write_text("[clientele]")
    with pytest.raises(ConfigRefused, match=r"coverd\.toml"):
        ConfigFile(path, EXAMPLE)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)
keys = st.sampled_from(
    ["name", "coverage_types", "default_term_days", "success_url", "allowed_hosts", "send_region", "*"]
)
sections = st.sampled_from(
    ["clients", "categories", "aliases", "quote", "contractor", "job", "session", "attachments", "x"]
)


@given(st.dictionaries(sections, values | st.dictionaries(keys, values, max_size=4), max_size=6))
def test_whatever_is_written_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        config = parse(document)
    except ConfigRefused:
        return
    assert all(isinstance(text, str) for text in (*config.rules.clients.values(), config.rules.job_name))
    assert 1 <= config.rules.default_term_days <= 365


# The file.


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "coverd.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def rewrite(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_without_a_file_the_example_counts() -> None:
    assert ConfigFile(None, EXAMPLE)() == parse(EXAMPLE)


def test_a_changed_file_counts_from_the_next_look_on(path: Path) -> None:
    config = ConfigFile(path, EXAMPLE)
    assert config.rules().default_term_days == 30
    assert config.rules().job_name == "Contract {id} — {title}", "UTF-8, whatever the machine's own"
    rewrite(path, "default_term_days = 30", "default_term_days = 120")
    assert config.rules().default_term_days == 120
    assert config.fault is None


def test_a_change_of_the_same_length_counts_too(path: Path) -> None:
    config = ConfigFile(path, EXAMPLE)
    before = path.stat()
    rewrite(path, "default_term_days = 30", "default_term_days = 31")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert config.rules().default_term_days == 31


def test_a_file_put_in_its_place_counts_whatever_its_age(path: Path) -> None:
    config = ConfigFile(path, EXAMPLE)
    before = path.stat()
    other = path.with_name("other.toml")
    other.write_text(GOOD.replace("default_term_days = 30", "default_term_days = 31"), encoding="utf-8")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert config.rules().default_term_days == 31


def test_a_file_that_has_not_changed_is_not_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = ConfigFile(path, EXAMPLE)
    monkeypatch.setattr(Path, "read_text", None)
    assert config() is config()


@pytest.mark.parametrize("broken", ["[quote", "[quote]\ndefault_term_days = 0", "[clientele]"])
def test_a_broken_file_keeps_the_last_good_one_and_tells_once(path: Path, broken: str) -> None:
    config = ConfigFile(path, EXAMPLE)
    path.write_text(broken)
    with capture_logs() as lines:
        assert config.rules().default_term_days == 30
        assert config.rules().default_term_days == 30
    [line] = lines
    assert line["log_level"] == "warning"
    assert config.fault is not None
    assert config.fault == line["fault"]
    assert "coverd.toml" in config.fault
    path.write_text(GOOD, encoding="utf-8")
    assert config.rules().default_term_days == 30
    assert config.fault is None


@pytest.mark.parametrize("gone", ["removed", "not text", "a folder"])
def test_a_file_that_cannot_be_read_keeps_the_last_good_one(path: Path, gone: str) -> None:
    config = ConfigFile(path, EXAMPLE)
    path.unlink()
    if gone == "a folder":
        path.mkdir()
    elif gone == "not text":
        path.write_bytes(b"\xff\xfe")
    with capture_logs() as lines:
        assert config.rules().default_term_days == 30
        assert config.rules().default_term_days == 30
    assert len(lines) == 1
    assert config.fault is not None


def test_a_file_that_comes_back_counts_again(path: Path) -> None:
    config = ConfigFile(path, EXAMPLE)
    aside = path.with_name("aside.toml")
    path.rename(aside)
    with capture_logs():
        config()
    aside.rename(path)
    config()
    assert config.fault is None


@pytest.mark.parametrize("content", [b"[quote", b"\xff\xfe", None])
def test_a_file_that_never_was_good_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "coverd.toml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigRefused):
        ConfigFile(path, EXAMPLE)
