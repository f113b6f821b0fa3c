"""Write the results as sections of docs/benchmarks.md, each with time, machine and versions."""

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil

from devstack.java import find_java
from devstack.state import ROOT
from tests.benchmarks.events import Shape
from tests.benchmarks.measure import Laps, Measured

DOCUMENT = ROOT / "docs" / "benchmarks.md"
DAYS_PREFIX = r"(?:\d{4}-\d\d-\d\d (?:to \d{4}-\d\d-\d\d )?)?"
STAGE = re.compile(rf"^\d\d:\d\d:\d\d {DAYS_PREFIX}([a-z ]+): (?:[\d,]+ rows, )?(\d+\.\d) s$", re.MULTILINE)
TO_POSTGRESQL = ("rank and append", "audit", "publish")


class Setting(NamedTuple):
    """The events that a section was measured on."""

    shape: Shape
    form: str
    over: str

    def __str__(self) -> str:
        rows = f"{self.shape.rows / 1e6:g}M"
        return f"{rows} rows, {self.form}" + (", over s3a" if self.over == "s3a" else "")


TARGETS = {
    "400M rows, flat: Vitrina / DuckDB": 1.1,
    "each further 100M rows: Vitrina / DuckDB": 0.85,
    "40M rows, flat: Vitrina / plain Spark": 0.33,
    "40M rows, flat: Vitrina / pandas": 1.0,
    "40M rows, flat: Vitrina / pandas, memory": 0.35,
    "0.4M rows, flat: Vitrina / plain Spark": 0.75,
    "0.4M rows, flat: Vitrina / bare spark-submit": 1.25,
    "40M rows, flat: all days / one day": 1.4,
    "4M rows, gzip: Vitrina / plain Spark": 0.75,
    "4M rows, parquet: Vitrina / plain Spark": 0.75,
    "4M rows, date: Vitrina / plain Spark": 0.75,
    "4M rows, flat, over s3a: Vitrina / plain Spark": 0.75,
    "40M rows, flat: Vitrina without Comet / plain Spark": 0.85,
    "200,000 advertisers / 20,000": 12.0,
}
"""Ratios of the seconds of two programs, or of one with different events, and the largest that we accept."""
BACKFILLED_DAYS = 7


class Results:
    """What one run of the benchmark has measured, for the sections that compare several settings."""

    def __init__(self) -> None:
        self.ratios: dict[str, float] = {}
        self.nights: dict[Setting, Laps] = {}
        self.advertisers: dict[int, float] = {}

    def add(self, setting: Setting, laps: Laps, ours: str, theirs: str) -> None:
        """Record how two programs compare on the same events."""
        self.ratios[f"{setting}: {ours} / {theirs}"] = _wall(laps[ours]) / _wall(laps[theirs])
        self.ratios[f"{setting}: {ours} / {theirs}, memory"] = _memory(laps[ours]) / _memory(laps[theirs])

    def add_night(self, setting: Setting, laps: Laps) -> None:
        """Record one day ranked by all programs, and what more rows cost if a smaller day was measured before."""
        ours = [name for name in laps if name.startswith("Vitrina")]
        for name in ours:
            for peer in laps.keys() - ours:
                self.add(setting, laps, name, peer)
        smaller = [each for each in self.nights if each.form == setting.form and each.over == setting.over]
        if smaller and setting.shape.rows > 100_000_000 and "DuckDB" in laps:
            before = self.nights[smaller[-1]]
            more = {name: _wall(laps[name]) - _wall(before[name]) for name in ("Vitrina", "DuckDB")}
            self.ratios["each further 100M rows: Vitrina / DuckDB"] = more["Vitrina"] / more["DuckDB"]
        self.nights[setting] = laps

    def add_advertisers(self, active: int, laps: list[Measured]) -> None:
        """Record a day with many advertisers."""
        for fewer, seconds in self.advertisers.items():
            self.ratios[f"{active:,} advertisers / {fewer:,}"] = _wall(laps) / seconds
        self.advertisers[active] = _wall(laps)


def write(section: str, document: Path | None = None) -> None:
    """Print a section and write it to the document (default: benchmarks.md), replacing the section with the same title."""
    document = document or DOCUMENT
    print(f"\n{section}", flush=True)
    introduction, *kept = document.read_text().split("\n## ")
    sections = {text.partition("\n")[0]: text.strip() for text in [*kept, section.removeprefix("## ")]}
    document.write_text("\n".join([introduction.rstrip() + "\n", *(f"## {text}\n" for text in sections.values())]))


def night(setting: Setting, laps: Laps) -> str:
    """Return the section on one day ranked by all programs, and on Vitrina's stages."""
    ours = laps["Vitrina"]
    header = ("", "seconds", "CPU s", "peak MB", "Vitrina's time / its time")
    rows = [
        (
            name,
            f"{_wall(each):.1f} ({min(lap.wall for lap in each):.1f}–{max(lap.wall for lap in each):.1f})",
            f"{median(lap.cpu for lap in each):.1f}",
            f"{_memory(each) / 1e6:,.0f}",
            f"{_wall(ours) / _wall(each):.2f}",
        )
        for name, each in laps.items()
    ]
    stages = f"Vitrina's stages, in seconds: {_stage_seconds(ours)}."
    return _section(f"One day: {setting}", laps, _table(header, rows), stages)


def targets(measured: Results, document: Path | None = None) -> str:
    """Return the section with the ratios that have a target. Those that this run has not measured keep their values."""
    text = (document or DOCUMENT).read_text()
    known = {
        name: cells for name in TARGETS for cells in re.findall(rf"^\| {re.escape(name)} \|.*\| (.*) \|$", text, re.M)
    }
    values = {
        name: f"{measured.ratios[name]:.2f}" if name in measured.ratios else known.get(name, "") for name in TARGETS
    }
    rows = [(name, f"{most}", values[name]) for name, most in TARGETS.items()]
    return "\n\n".join(
        ["## Targets", "Ratios of seconds, unless it says memory.", _table(("", "at most", "measured"), rows)]
    )


def backfill(setting: Setting, laps: Laps) -> str:
    """Return the section on all days in one application, compared with one day; `laps` has the one day first."""
    one_day, all_days = laps.values()
    ratio = _wall(all_days) / _wall(one_day)
    rows = [
        ("1 day", f"{_wall(one_day):.1f}", ""),
        (f"{BACKFILLED_DAYS} days", f"{_wall(all_days):.1f}", f"{ratio:.2f}"),
    ]
    title = f"Backfill of {BACKFILLED_DAYS} days: {setting}"
    stages = f"Stages of the {BACKFILLED_DAYS} days, in seconds: {_stage_seconds(all_days)}."
    return _section(title, laps, _table(("", "seconds", "/ 1 day"), rows), stages)


def advertisers(setting: Setting, laps: Laps) -> str:
    """Return the section on one day with many advertisers."""
    ours, shape = laps["Vitrina"], setting.shape
    rows = [("Vitrina", f"{_wall(ours):.1f}", f"{median(lap.cpu for lap in ours):.1f}", f"{_memory(ours) / 1e6:,.0f}")]
    title = f"One day: {shape.active:,} advertisers with {shape.products} products each"
    stages = f"Stages, in seconds: {_stage_seconds(ours)}."
    return _section(title, laps, _table(("", "seconds", "CPU s", "peak MB"), rows), stages)


def append(setting: Setting, laps: Laps, copies: list[tuple[int, float]]) -> str:
    """Return the section on Vitrina's stages that write to PostgreSQL, compared with COPY of the same rows."""
    stages = [stages_of(lap) for repetitions in laps.values() for lap in repetitions]
    ours = median(sum(seconds[name] for name in TO_POSTGRESQL) for seconds in stages)
    lists = copies[0][0]
    copy = median(seconds for _, seconds in copies)
    rows = [(name, f"{median(seconds[name] for seconds in stages):.1f}", "") for name in TO_POSTGRESQL]
    rows += [("all three", f"{ours:.1f}", f"{ours / copy:.1f}"), ("COPY by psycopg2", f"{copy:.1f}", "")]
    shape = setting.shape
    explanation = (
        f"{lists:,} rows: {shape.active:,} advertisers of {shape.products} products. Appending includes ranking."
    )
    table = _table(("", "seconds", "/ COPY"), rows)
    return _section("Append, audit and publish, compared with COPY", laps, explanation, table)


def stages_of(lap: Measured) -> dict[str, float]:
    """Return the seconds of each stage that the job logged, added up over days, and of the rest."""
    seconds: dict[str, float] = {}
    for name, each in STAGE.findall(lap.output):
        seconds[name] = seconds.get(name, 0) + float(each)
    return {**seconds, "start-up and the rest": lap.wall - sum(seconds.values())}


def _stage_seconds(laps: list[Measured]) -> str:
    stages = [stages_of(lap) for lap in laps]
    return ", ".join(f"{name} {median(each[name] for each in stages):.1f}" for name in stages[0])


def _wall(laps: list[Measured]) -> float:
    return median(lap.wall for lap in laps)


def _memory(laps: list[Measured]) -> float:
    return median(lap.memory for lap in laps)


def _section(title: str, laps: Laps, *parts: str) -> str:
    each = [lap for repetitions in laps.values() for lap in repetitions]
    others = sum(lap.others * lap.wall for lap in each) / sum(lap.wall for lap in each)
    conditions = (
        f"{commit()}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {len(each) // len(laps)} repetitions. {machine()}. "
        f"Other processes used {others:.1f} cores."
    )
    return "\n\n".join([f"## {title}", conditions, *parts])


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head, *body = (f"| {' | '.join(line)} |" for line in (header, *rows))
    return "\n".join([head, f"|---{'|--:' * (len(header) - 1)}|", *body])


def machine() -> str:
    """Return cores, processor and memory in one phrase."""
    cpuinfo = Path("/proc/cpuinfo")
    models = re.findall(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else []
    model = models[0] if models else platform.machine()
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB"


def commit() -> str:
    """Return the commit that was measured, which pins the versions of everything but Java and Python, and these two."""
    head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "spark_jobs", "conf"], cwd=ROOT).returncode
    java_output = subprocess.run([find_java() / "bin" / "java", "-version"], capture_output=True, text=True).stderr
    java = re.findall(r'version "(.*?)"', java_output)[0]
    return f"{head.strip()}{' with changes' if changed else ''}, Java {java}, Python {platform.python_version()}"
