"""Figures: what was measured, against what, and whether the run was right; as a table and as JSON."""

import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import orjson
import psutil
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """``floor`` was measured in the same run; ``ratio`` is value over floor. ``correct``
    says that everything counted was there once and nothing else. ``note`` is for the reader."""

    name: str
    value: float
    unit: str
    correct: bool
    floor: float | None = None
    ratio: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    note: str = ""


def percentile(values: Iterable[float], share: float) -> float:
    """By the nearest rank; in the unit of the values."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def typical(values: Sequence[float]) -> float:
    return median(values)


def machine(postgres: str) -> str:
    """One line about where this was measured."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} × {cpu}, {memory:.0f} GB, {platform.system()} {platform.release()};"
        f" Python {platform.python_version()}, {_loop()}; {postgres};"
        f" load before the run {psutil.getloadavg()[0]:.2f}"
    )


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _loop() -> str:
    try:
        import uvloop
    except ImportError:
        return "asyncio"
    return f"uvloop {uvloop.__version__}"


def show(figures: Sequence[Figure]) -> None:
    table = Table(
        "figure",
        *("value", "unit", "floor", "ratio", "p50 ms", "p99 ms", "correct", "note"),
        box=None,
        pad_edge=False,
    )
    for figure in figures:
        table.add_row(
            figure.name,
            _number(figure.value),
            figure.unit,
            _number(figure.floor),
            _number(figure.ratio),
            _number(figure.p50_ms),
            _number(figure.p99_ms),
            "yes" if figure.correct else "NO",
            figure.note,
        )
    Console(width=None if Console().is_terminal else 200).print(table)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def write(figures: Sequence[Figure], path: Path) -> None:
    path.write_bytes(orjson.dumps([asdict(figure) for figure in figures], option=orjson.OPT_INDENT_2))
