"""The Chromium that the browser tests drive: the machine's own, or Debian's, installed where that needs no question."""

import os
import shutil
import subprocess
from pathlib import Path

from devstack.bootstrap import Missing, run
from devstack.steps import step

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ON_A_MAC = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)


def find_chromium() -> Path:
    """Return the program; Missing, with the command that installs it, where there is none and we are not root."""
    program = installed_chromium()
    if program is None and os.geteuid() == 0 and shutil.which("apt-get"):
        with step("no Chromium here: installing Debian's"):
            subprocess.run(["apt-get", "update", "-qq"], stdout=subprocess.DEVNULL, check=False)
            run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], "apt-get")
        program = installed_chromium()
    if program is None:
        raise Missing(
            "the browser tests need Chromium, and there is none in PATH; "
            "on Debian: sudo apt-get install chromium; on macOS: brew install --cask chromium"
        )
    return program


def installed_chromium() -> Path | None:
    in_path = (shutil.which(name) for name in NAMES)
    found = [*(Path(program) for program in in_path if program), *(app for app in ON_A_MAC if app.exists())]
    return found[0] if found else None
