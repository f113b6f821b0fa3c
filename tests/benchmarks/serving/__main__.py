"""Measure the web app and the original API in alternating rounds, and print a page of Markdown.

    python -m tests.benchmarks.serving [--advertisers 5000] [--days 90] [--rounds 5] [--seconds 5]
                                       [--before CHECKOUT] [--write PAGE]

`--before` also measures another checkout of Vitrina. The database, 5 GB at full size, is kept in .devstack/benchmark for the
next time.
"""

import argparse
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from devstack.postgres import Postgres
from devstack.state import ROOT, StackError, secret, state_folder
from devstack.steps import step
from tests.benchmarks.serving import load
from tests.benchmarks.serving.measure import Figures, page_times, percentiles, throughput
from tests.benchmarks.serving.published import fill, visitor
from tests.benchmarks.serving.report import report
from tests.benchmarks.serving.servers import original, static_files, vitrina


def main() -> int:
    options = parse_arguments()
    folder = state_folder() / "benchmark"
    folder.mkdir(exist_ok=True)
    postgres = Postgres(folder / "postgres")
    try:
        load.check_tools()
        with step("PostgreSQL"):
            postgres.start()
        prepare(postgres)
        fill(postgres, options.advertisers, options.days)
        page = report(measured(postgres, options, folder), options.advertisers, options.days, options.rounds)
    except StackError as problem:
        print(f"bench-serving: {problem}", file=sys.stderr)
        return 1
    finally:
        postgres.stop()
    print(page)
    if options.write:
        options.write.write_text(page)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.serving")
    parser.add_argument("--advertisers", type=int, default=5000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="duration of each throughput measurement")
    parser.add_argument("--before", type=Path, help="another checkout of Vitrina to measure")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="also write the page to this file")
    return parser.parse_args()


def prepare(postgres: Postgres) -> None:
    """Migrate, create roles and collect static files, as a deployment does."""
    environment = {
        **os.environ,
        **postgres.passwords(),
        "DATABASE_URL": postgres.url(),
        "STATIC_ROOT": str(static_files(postgres)),
        "SECRET_KEY": secret(postgres.folder, "SECRET_KEY"),
    }
    quietly = ["--no-input", "--verbosity", "0"]
    for command in (["migrate", *quietly], ["database_roles"], ["collectstatic", *quietly]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True)


def measured(postgres: Postgres, options: argparse.Namespace, folder: Path) -> Figures:
    client = visitor(postgres)
    checkouts = {"Vitrina": ROOT, **({"before": options.before.resolve()} if options.before else {})}
    with ExitStack() as stack:
        baseline = stack.enter_context(original(postgres))
        candidates = [stack.enter_context(vitrina(postgres, 2, place, name)) for name, place in checkouts.items()]
        figures = throughput(candidates, baseline, postgres, client.key, options.rounds, options.seconds, folder)
        figures |= percentiles(candidates, postgres, client.key, options.rounds, folder)
    with step("/stats and the admin's home page"):
        for _ in range(options.rounds):
            with ExitStack() as stack:
                alone = [stack.enter_context(vitrina(postgres, 1, place, name)) for name, place in checkouts.items()]
                for measure, values in page_times(alone, client).items():
                    figures.setdefault(measure, []).extend(values)
    return figures


if __name__ == "__main__":
    sys.exit(main())
