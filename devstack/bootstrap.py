"""`make setup`: from a bare checkout to a virtual environment that can run everything.

Runs under the system's Python, so it uses the standard library only. After the last step it writes a stamp that identifies
all inputs; while the stamp matches, `make setup` takes milliseconds.
"""

from __future__ import annotations  # an older Python must get far enough to print why it is refused

import hashlib
import os
import re
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from devstack.java import find_java
from devstack.spark import COMET_JARS, JARS, ROOT, VENV, add_jars, hashes_of, make_class_archive, write_spark_settings
from devstack.steps import SetupError, run, say, step

STAMP = VENV / "ready"
NEEDED_MEGABYTES = 3000
PACKAGES = ROOT / (os.environ.get("REQUIREMENTS") or "requirements.txt")
"""The packages to install; Dockerfile.spark uses the job's own list."""


def main(*parts: str) -> int:
    """Set up the virtual environment, or with `jars` only add the jars to it; return the exit code."""
    try:
        check_python()
        java = find_java()
        if parts == ("jars",):
            add_jars(java)
        elif not is_ready(java):
            check_is_no_link()
            say("Setting up Vitrina (only once, about 2 minutes)")
            check_disk()
            install(java)
            write_spark_settings()
            with step("class archive, which halves Spark's start-up time"):
                make_class_archive(java)
            STAMP.write_text(fingerprint(java))
        write_spark_settings()
    except SetupError as problem:
        print(f"setup: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup: stopped; run `make setup` to continue", file=sys.stderr)
        return 130
    return 0


def install(java: Path) -> None:
    """Create the virtual environment with packages and jars. Dockerfile.spark calls this too."""
    with step("virtual environment .venv"):
        make_virtual_environment()
    with step(f"Python packages from {PACKAGES.name}, hashes checked"):
        install_packages()
    add_jars(java)


def check_python() -> None:
    """Refuse an old Python before the code fails on syntax or imports."""
    if sys.version_info < (3, 11):
        raise SetupError(
            f"Vitrina needs Python 3.11 or newer and this is {sys.version.split()[0]}; "
            "install one and name it, for example `make PYTHON=python3.11 demo`"
        )


def is_ready(java: Path) -> bool:
    return STAMP.exists() and STAMP.read_text() == fingerprint(java)


def fingerprint(java: Path) -> str:
    """Return a digest of everything that determines the contents of the virtual environment."""
    digest = hashlib.sha256(sys.version.encode())
    for path in (PACKAGES, JARS, hashes_of(JARS), COMET_JARS, hashes_of(COMET_JARS)):
        digest.update(path.read_bytes())
    return f"{digest.hexdigest()} {VENV} {java}\n"


def check_disk() -> None:
    free = shutil.disk_usage(ROOT).free // 2**20
    if free < NEEDED_MEGABYTES:
        raise SetupError(
            f"{ROOT} has {free} MB free and the set-up needs {NEEDED_MEGABYTES} MB; free some space or clone elsewhere"
        )


def check_is_no_link() -> None:
    """Refuse a link to another checkout's environment, because `venv --clear` would empty that one."""
    if VENV.is_symlink():
        raise SetupError(
            f"{VENV} is a link to {VENV.resolve()}, which does not fit this checkout and which the set-up would empty; "
            f"remove the link and run `make setup` again: rm {VENV}"
        )


def make_virtual_environment() -> None:
    run(
        [sys.executable, "-m", "venv", "--clear", VENV],
        "python -m venv",
        hint="on Debian: apt-get install python3-venv",
    )


def install_packages() -> None:
    """Install the locked packages with uv, in a third of pip's time.

    Fall back to pip if uv is not among them or fails: uv does not read pip's configuration, the only one on some machines.
    """
    uv = re.search(r"^uv==.*\n(?: +--hash=.*\n)+", PACKAGES.read_text(), re.MULTILINE)
    if uv:
        only_uv = VENV / "uv.txt"
        only_uv.write_text(uv[0])
        pip_install(only_uv)
        options = ("--no-cache", "--compile-bytecode", "--require-hashes", "--requirement", PACKAGES)
        with suppress(SetupError):
            run([VENV / "bin" / "uv", "pip", "install", "--python", VENV / "bin" / "python", *options], "uv")
            return
    pip_install(PACKAGES)


def pip_install(packages: Path) -> None:
    options = ("--quiet", "--disable-pip-version-check", "--retries", "2", "--require-hashes")
    run(
        [VENV / "bin" / "python", "-m", "pip", "install", *options, "-r", packages],
        "pip",
        hint="the first run needs a package index; check the network and pip's configuration",
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
