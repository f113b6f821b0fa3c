"""`make setup`: from a bare checkout to a virtual environment that can run everything.

Runs under the system's Python, so it uses the standard library alone. Each step is skipped when what it makes is there
already; the last one leaves a stamp of everything that was read, which makes the next `make setup` a matter of milliseconds.
"""

from __future__ import annotations  # so that an older Python gets as far as being refused politely

import hashlib
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from devstack.steps import say, step

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / (os.environ.get("VITRINA_VENV") or ".venv")
"""The virtual environment that all of this is about: for `make test-emr`, .venv-emr with the Spark that EMR has."""
SPARK = VENV / "spark"
"""A link to pyspark's folder, whose own name has Python's version in it."""
SPARK_CONF = VENV / "spark-conf"
"""What SPARK_CONF_DIR is for the local Spark: conf/, and what only this machine knows."""
STAMP = VENV / "ready"
LOG = ROOT / "setup.log"
JAVA_VERSIONS = (17, 21)
SAY_NOTHING = "-Xlog:cds=off -Xlog:cds+dynamic=off"  # of an archive that is not there, or of another Java
NEEDED_MEGABYTES = 3000
PACKAGES = ROOT / (os.environ.get("REQUIREMENTS") or "requirements.txt")
"""What is installed; Dockerfile.spark names the job's own list."""
JARS = ROOT / "conf" / f"{VENV.name.replace('.venv', 'spark-packages')}.conf"
JAR_HASHES = JARS.with_suffix(".sha256")
SPARK_DEFAULTS = ROOT / "conf" / "spark-defaults.conf"


class Missing(Exception):
    """Something this machine lacks: one sentence that says what, and what to do."""


def main(*parts: str) -> int:
    """Make the virtual environment ready, or add the `jars` alone to one that has its packages; return the exit code."""
    try:
        check_python()
        java = find_java()
        if parts == ("jars",):
            add_jars(java)
        elif not is_ready(java):
            say("Setting up Vitrina (once; about 2 minutes)")
            check_disk()
            install(java)
            with step("class archive, from which Spark starts in half the time"):
                make_class_archive(java)
            STAMP.write_text(fingerprint(java))
        write_spark_settings()
    except Missing as missing:
        print(f"setup: {missing}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup: stopped; `make setup` goes on from here", file=sys.stderr)
        return 130
    return 0


def install(java: Path) -> None:
    """Make the virtual environment with its packages and jars, which is all that the job's image has of it."""
    with step("virtual environment .venv"):
        make_virtual_environment()
    with step(f"Python packages, by hash, from {PACKAGES.name}"):
        install_packages()
    add_jars(java)


def add_jars(java: Path) -> None:
    """Give the virtual environment's Spark what it lacks."""
    with step(f"jars for S3 and PostgreSQL, by hash, from conf/{JARS.name}"):
        link_to_spark()
        install_jars(java)


def check_python() -> None:
    """Refuse a Python older than the code is written for, before it fails on syntax or imports."""
    if sys.version_info < (3, 11):
        raise Missing(
            f"Vitrina needs Python 3.11 or newer and this is {sys.version.split()[0]}; "
            "install one and name it, for example `make PYTHON=python3.11 demo`"
        )


def find_java() -> Path:
    """Return the home of a Java that runs Spark 4.1; install Debian's where that needs no question."""
    home = installed_java()
    if home is None and os.geteuid() == 0 and shutil.which("apt-get"):
        with step("no Java 17 or 21 here: installing Debian's openjdk-17-jre-headless"):
            subprocess.run(["apt-get", "update", "-qq"], stdout=subprocess.DEVNULL, check=False)
            run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "openjdk-17-jre-headless"], "apt-get")
        home = installed_java()
    if home is None:
        raise Missing(
            "Spark needs Java 17 or 21 and none was found in JAVA_HOME, PATH or the usual folders; "
            "on Debian or Ubuntu: sudo apt-get install openjdk-17-jre-headless; on macOS: brew install openjdk@17"
        )
    return home


def installed_java() -> Path | None:
    """Return the first Java 17 or 21 among JAVA_HOME, PATH and the folders that packages use."""
    on_path = shutil.which("java")
    candidates = [
        *([Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []),
        *([Path(on_path).resolve().parent.parent] if on_path else []),
        *sorted(Path("/usr/lib/jvm").glob("*")),
        *sorted(Path("/opt/homebrew/opt").glob("openjdk@*")),
    ]
    return next((home for home in candidates if java_version(home) in JAVA_VERSIONS), None)


def java_version(home: Path) -> int | None:
    """Return the major version of the Java in `home`, or None where there is none that runs."""
    try:
        answer = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r'version "(\d+)', answer)
    return int(found[1]) if found else None


def is_ready(java: Path) -> bool:
    return STAMP.exists() and STAMP.read_text() == fingerprint(java)


def fingerprint(java: Path) -> str:
    """Return a digest of all that decides what the virtual environment holds."""
    digest = hashlib.sha256(sys.version.encode())
    for path in (PACKAGES, JARS, JAR_HASHES):
        digest.update(path.read_bytes())
    return f"{digest.hexdigest()} {VENV} {java}\n"


def check_disk() -> None:
    free = shutil.disk_usage(ROOT).free // 2**20
    if free < NEEDED_MEGABYTES:
        raise Missing(
            f"{ROOT} has {free} MB free and the set-up needs {NEEDED_MEGABYTES} MB; free some, or clone elsewhere"
        )


def make_virtual_environment() -> None:
    run(
        [sys.executable, "-m", "venv", "--clear", VENV],
        "python -m venv",
        hint="on Debian: apt-get install python3-venv",
    )


def install_packages() -> None:
    """Install what is locked by uv, which takes a third of pip's time; by pip where uv is not among it, or finds no index.

    uv knows nothing of pip's configuration, which on some machines is the only one.
    """
    itself = re.search(r"^uv==.*\n(?: +--hash=.*\n)+", PACKAGES.read_text(), re.MULTILINE)
    if itself:
        uv_alone = VENV / "uv.txt"
        uv_alone.write_text(itself[0])
        pip_install(uv_alone)
        options = ("--no-cache", "--compile-bytecode", "--require-hashes", "--requirement", PACKAGES)
        with suppress(Missing):
            run([VENV / "bin" / "uv", "pip", "install", "--python", VENV / "bin" / "python", *options], "uv")
            return
    pip_install(PACKAGES)


def pip_install(packages: Path) -> None:
    quietly = ("--quiet", "--disable-pip-version-check", "--retries", "2")
    run(
        [VENV / "bin" / "python", "-m", "pip", "install", *quietly, "--require-hashes", "-r", packages],
        "pip",
        hint="the first run needs a package index; is there a network, and is pip configured for it?",
    )


def link_to_spark() -> None:
    (pyspark,) = VENV.glob("lib/python*/site-packages/pyspark")
    SPARK.unlink(missing_ok=True)
    SPARK.symlink_to(pyspark.relative_to(VENV))


def install_jars(java: Path) -> None:
    """Let spark-submit resolve the list of packages, check each jar's hash, lay them beside Spark's own."""
    ivy, nothing_to_do = VENV / "ivy", VENV / "resolve_jars.py"
    nothing_to_do.touch()
    run(
        [VENV / "bin" / "spark-submit", "--properties-file", JARS, "--conf", f"spark.jars.ivy={ivy}", nothing_to_do],
        "spark-submit",
        hint="the first run needs a Maven repository; is there a network?",
        env=spark_environment(java),
    )
    found = {jar: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in sorted((ivy / "jars").glob("*.jar"))}
    locked = dict(line.split()[::-1] for line in JAR_HASHES.read_text().splitlines())
    if {jar.name: digest for jar, digest in found.items()} != locked:
        raise Missing(f"the jars in {ivy} are not those of conf/{JAR_HASHES.name}; do not use them")
    for jar in found:
        shutil.copy2(jar, SPARK / "jars")
    shutil.rmtree(ivy)


def make_class_archive(java: Path) -> None:
    """Let the JVM keep the classes of a small night, as spark_jobs/class_archive.py says."""
    keep = f'"-XX:ArchiveClassesAtExit={SPARK}/classes.jsa" {SAY_NOTHING}'
    run(
        [
            *(SPARK / "bin" / "spark-submit", "--properties-file", SPARK_DEFAULTS),
            *("--driver-class-path", f"{SPARK}/jars/*", "--conf", f"spark.driver.defaultJavaOptions={keep}"),
            ROOT / "spark_jobs" / "class_archive.py",
        ],
        "spark-submit",
        env=spark_environment(java) | {"SPARK_CONF_DIR": str(SPARK / "no-conf")},
    )


def write_spark_settings() -> None:
    """Lay conf/ out for spark-submit, with two lines more by which Spark starts from the class archive.

    An archive holds for jars that stand first on the class path, with no folder before them, by their whole paths.
    """
    SPARK_CONF.mkdir(exist_ok=True)
    log = SPARK_CONF / "log4j2.properties"
    if not log.is_symlink():
        log.symlink_to(ROOT / "conf" / log.name)
    from_archive = f'"-XX:SharedArchiveFile={SPARK}/classes.jsa" -Xshare:auto {SAY_NOTHING}'
    settings = (
        f"{SPARK_DEFAULTS.read_text()}\n"
        f"spark.driver.extraClassPath     {SPARK}/jars/*\n"
        f"spark.driver.defaultJavaOptions {from_archive}\n"
    )
    defaults = SPARK_CONF / SPARK_DEFAULTS.name
    if (
        not defaults.exists() or defaults.read_text() != settings
    ):  # a job may be reading it, and it may be another user's
        defaults.write_text(settings)


def spark_environment(java: Path) -> dict[str, str]:
    """Return the environment in which spark-submit finds this virtual environment and that Java."""
    return {**os.environ, **spark_variables(java)}


def spark_variables(java: Path) -> dict[str, str]:
    """Return the variables by which it does."""
    return {
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "JAVA_HOME": str(java),
        "SPARK_HOME": str(SPARK),
        "SPARK_LOCAL_IP": "127.0.0.1",  # this machine's name need not be known to its resolver
    }


def run(command: list[Any], name: str, hint: str = "", env: dict[str, str] | None = None) -> None:
    """Run a command quietly; if it fails, say so in one sentence and keep what it said in a log."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, check=False)
    if done.returncode:
        LOG.write_text(done.stdout)
        raise Missing(f"{name} failed{f': {hint}' if hint else ''} (what it said is in {LOG})")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
