"""The Chromium for the browser tests: an installed one, or Debian's."""

import os
import shutil
from pathlib import Path

from devstack.steps import SetupError, apt_install

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_PROGRAMS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)


def find_chromium() -> Path:
    """Return the path of the program. Root on Debian gets it installed; anybody else a SetupError that says how."""
    program = installed_chromium()
    if program is None and os.geteuid() == 0 and shutil.which("apt-get"):
        apt_install("chromium")
        program = installed_chromium()
    if program is None:
        raise SetupError(
            "the browser tests need Chromium and none was found in PATH; "
            "on Debian: sudo apt-get install chromium; on macOS: brew install --cask chromium"
        )
    return program


def installed_chromium() -> Path | None:
    in_path = (shutil.which(name) for name in NAMES)
    found = [*(Path(program) for program in in_path if program), *(app for app in MAC_PROGRAMS if app.exists())]
    return found[0] if found else None
