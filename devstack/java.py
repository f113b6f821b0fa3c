"""Find a Java that can run Spark. Standard library only."""

from __future__ import annotations  # an older Python must get far enough to print why it is refused

import os
import re
import shutil
import subprocess
from pathlib import Path

from devstack.steps import SetupError, apt_install

JAVA_VERSIONS = (17, 21)


def find_java() -> Path:
    """Return the JAVA_HOME of a Java that runs Spark 4.1. Root on Debian gets one installed."""
    home = installed_java()
    if home is None and os.geteuid() == 0 and shutil.which("apt-get"):
        apt_install("openjdk-17-jre-headless")
        home = installed_java()
    if home is None:
        raise SetupError(
            "Spark needs Java 17 or 21 and none was found in JAVA_HOME, PATH or the usual folders; "
            "on Debian or Ubuntu: sudo apt-get install openjdk-17-jre-headless; on macOS: brew install openjdk@17"
        )
    return home


def installed_java() -> Path | None:
    """Return the first Java 17 or 21 in JAVA_HOME, in PATH or in the folders that packages use."""
    in_path = shutil.which("java")
    candidates = [
        *([Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []),
        *([Path(in_path).resolve().parent.parent] if in_path else []),
        *sorted(Path("/usr/lib/jvm").glob("*")),
        *sorted(Path("/opt/homebrew/opt").glob("openjdk@*")),
    ]
    return next((home for home in candidates if java_version(home) in JAVA_VERSIONS), None)


def java_version(home: Path) -> int | None:
    """Return the major version of the Java in `home`, or None if there is none that runs."""
    try:
        output = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r'version "(\d+)', output)
    return int(found[1]) if found else None
