"""The settings and the configuration file, as far as they can be judged on paper."""

from collections.abc import Iterator, Mapping

from service.config import ConfigFile, ConfigRefused
from service.doctor.check import Check, fail, ok, warn
from service.settings import PREFIX, Settings, SettingsRefused, read, unset

NAMES = {"upwork": "Upwork", "1099policy": "1099Policy"}


def settings(environment: Mapping[str, str]) -> tuple[Settings | None, list[Check]]:
    """The settings if they can be used, and every fault if not."""
    try:
        return read(environment), [ok("settings", "Every setting can be read.")]
    except SettingsRefused as refused:
        faults = [line.strip() for line in str(refused).splitlines()[1:]]
        return None, [fail("settings", fault, "Correct it in the environment.") for fault in faults]


def on_paper(given: Settings) -> Iterator[Check]:
    for vendor in PREFIX:
        lacking = unset(given, vendor)
        if lacking:
            yield warn(
                f"{NAMES[vendor]} settings",
                f"{', '.join(lacking)} not set: coverd serve would not start.",
                "Set each, or name a file that holds it in …_FILE; coverd up needs none.",
            )
    yield _config(given)


def _config(given: Settings) -> Check:
    if given.config is None:
        fix = "Name a TOML file in COVERD_CONFIG (README, Settings); coverd up brings an example."
        return warn("configuration", "COVERD_CONFIG is not set: no client and no category is mapped.", fix)
    try:
        ConfigFile(given.config, {})()
    except ConfigRefused as refused:
        return fail("configuration", " ".join(str(refused).split()), "Correct the file; coverd config check.")
    return ok("configuration", f"{given.config} can be read; coverd config check finds its holes.")
