"""Install Spark's jars, Comet and the class archive in the virtual environment, and write Spark's settings.

`make setup` and Dockerfile.spark use this. Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import sys
import zipfile
from pathlib import Path

from devstack.steps import SetupError, run, step

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / (os.environ.get("VITRINA_VENV") or ".venv")
"""The virtual environment to set up; `make test-emr` uses .venv-emr, which has the Spark release of EMR."""
SPARK = VENV / "spark"
"""A link to pyspark's folder, whose path contains the Python version."""
SPARK_CONF = VENV / "spark-conf"
"""SPARK_CONF_DIR of the local Spark: conf/ plus settings that depend on this machine."""
SPARK_CONF_WITHOUT_COMET = VENV / "spark-conf-without-comet"
CONF = ROOT / "conf"
SPARK_DEFAULTS = CONF / "spark-defaults.conf"
JARS = CONF / f"{VENV.name.replace('.venv', 'spark-packages')}.conf"
COMET_JARS = CONF / "comet-packages.conf"
COMET_LIBRARIES = "org/apache/comet/linux"
"""Where Comet's jar has a native library for each architecture, by its Java name."""
QUIET_ARCHIVE = "-Xlog:cds=off -Xlog:cds+dynamic=off"  # no warning if the archive is missing or from another Java


def hashes_of(packages: Path) -> Path:
    """Return the file with the hashes of the jars that a file in conf/ names."""
    return packages.with_suffix(".sha256")


def add_jars(java: Path) -> None:
    """Add the S3 and PostgreSQL jars to the virtual environment's Spark."""
    with step(f"jars for S3 and PostgreSQL from conf/{JARS.name}, hashes checked"):
        link_to_spark()
        install_jars(java, JARS)
    if has_comet():
        with step(f"Comet, which runs Spark's operators in native code, from conf/{COMET_JARS.name}, hash checked"):
            install_jars(java, COMET_JARS)
            unpack_comet()


def link_to_spark() -> None:
    (pyspark,) = VENV.glob("lib/python*/site-packages/pyspark")
    SPARK.unlink(missing_ok=True)
    SPARK.symlink_to(pyspark.relative_to(VENV))


def install_jars(java: Path, packages: Path) -> None:
    """Let spark-submit resolve the packages of a file in conf/, check their hashes and copy the jars into Spark's folder."""
    ivy, empty_program = VENV / "ivy", VENV / "resolve_jars.py"
    empty_program.touch()
    run(
        [
            VENV / "bin" / "spark-submit",
            "--properties-file",
            packages,
            "--conf",
            f"spark.jars.ivy={ivy}",
            empty_program,
        ],
        "spark-submit",
        hint="the first run needs a Maven repository; check the network",
        env=spark_environment(java),
    )
    found = {jar: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in sorted((ivy / "jars").glob("*.jar"))}
    hashes = hashes_of(packages)
    locked = dict(line.split()[::-1] for line in hashes.read_text().splitlines())
    if {jar.name: digest for jar, digest in found.items()} != locked:
        raise SetupError(f"the jars in {ivy} do not match conf/{hashes.name}; do not use them")
    for jar in found:
        shutil.copy2(jar, SPARK / "jars")
    shutil.rmtree(ivy)


def has_comet() -> bool:
    """Return whether Comet runs here: it needs Linux, on amd64 with AVX2, and the Spark release of requirements.txt."""
    cpu = Path("/proc/cpuinfo")
    can_run = platform.machine() == "aarch64" or (cpu.exists() and re.search(r"\bavx2\b", cpu.read_text()) is not None)
    return sys.platform == "linux" and VENV.name == ".venv" and can_run


def unpack_comet() -> None:
    """Move the native library for this machine out of Comet's jar, and remove those for other machines."""
    (jar,) = (SPARK / "jars").glob("*_comet-spark-*.jar")
    architecture = {"x86_64": "amd64"}.get(platform.machine(), platform.machine())
    native, smaller = SPARK / "native", jar.with_suffix(".smaller")
    native.mkdir(exist_ok=True)
    with zipfile.ZipFile(jar) as whole, zipfile.ZipFile(smaller, "w", zipfile.ZIP_DEFLATED) as rest:
        for name in whole.namelist():
            if name == f"{COMET_LIBRARIES}/{architecture}/libcomet.so":
                with whole.open(name) as packed, (native / "libcomet.so").open("wb") as library:
                    shutil.copyfileobj(packed, library)
            elif not name.startswith(COMET_LIBRARIES):
                rest.writestr(name, whole.read(name))
    smaller.replace(jar)


def make_class_archive(java: Path) -> None:
    """Run spark_jobs/class_archive.py, and let the JVM archive the classes it loaded."""
    archive_at_exit = f'"-XX:ArchiveClassesAtExit={SPARK}/classes.jsa" {QUIET_ARCHIVE}'
    run(
        [
            *(SPARK / "bin" / "spark-submit", "--conf", f"spark.driver.defaultJavaOptions={archive_at_exit}"),
            ROOT / "spark_jobs" / "class_archive.py",
        ],
        "spark-submit",
        env=spark_environment(java) | {"SPARK_CONF_DIR": str(SPARK_CONF)},
    )


def write_spark_settings() -> None:
    """Write conf/ for spark-submit, with and without Comet, and with more lines that make Spark start from the class archive.

    The JVM accepts an archive only if the same jars, by full path and without folders, come first on the class path.
    """
    use_archive = f'"-XX:SharedArchiveFile={SPARK}/classes.jsa" -Xshare:auto {QUIET_ARCHIVE}'
    settings = f"{SPARK_DEFAULTS.read_text()}\nspark.driver.extraClassPath     {SPARK}/jars/*\n"
    native_log = f'"-Dcomet.log.file.path={CONF}/log4rs.yaml"'  # quotes: the path may have spaces
    with_comet = (
        f"{settings}\n{(CONF / 'comet.conf').read_text()}\n"
        f"spark.driver.extraLibraryPath   {SPARK}/native\n"
        f"spark.executor.extraLibraryPath {SPARK}/native\n"
        f"spark.driver.defaultJavaOptions {use_archive} {native_log}\n"
        f"spark.executor.defaultJavaOptions {native_log}\n"
    )
    settings += f"spark.driver.defaultJavaOptions {use_archive}\n"
    write_conf(SPARK_CONF, with_comet if has_comet() else settings)
    write_conf(SPARK_CONF_WITHOUT_COMET, settings)


def write_conf(folder: Path, settings: str) -> None:
    """Write a folder for SPARK_CONF_DIR."""
    folder.mkdir(exist_ok=True)
    linked = [CONF / "log4j2.properties"]
    if not re.search(r"\s", str(folder)):  # Spark's script does not quote the path of spark-env.sh
        linked.append(CONF / "spark-env.sh")
    for file in linked:
        if not (folder / file.name).is_symlink():
            (folder / file.name).symlink_to(file)
    defaults = folder / SPARK_DEFAULTS.name
    # Do not rewrite an unchanged file: a job may be reading it, and it may belong to another user.
    if not defaults.exists() or defaults.read_text() != settings:
        defaults.write_text(settings)


def spark_environment(java: Path) -> dict[str, str]:
    """Return the environment in which spark-submit uses this virtual environment and `java`."""
    return {**os.environ, **spark_variables(java)}


def spark_variables(java: Path) -> dict[str, str]:
    return {
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "JAVA_HOME": str(java),
        "SPARK_HOME": str(SPARK),
        "SPARK_LOCAL_IP": "127.0.0.1",  # the machine's name may not resolve
    }
