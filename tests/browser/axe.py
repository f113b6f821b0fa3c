"""axe-core, the accessibility checker: installed by npm from tests/browser/package-lock.json, which pins it by hash."""

import os
import shutil
import subprocess
from pathlib import Path

from devstack.state import locked
from devstack.steps import SetupError, apt_install

HERE = Path(__file__).parent
SCRIPT = HERE / "node_modules" / "axe-core" / "axe.min.js"
# Of each violation: what is wrong, and where. Preloading would add style elements, which the Content-Security-Policy forbids.
RUN = """async () => (await axe.run({preload: false})).violations
    .filter(found => ["serious", "critical"].includes(found.impact))
    .map(found => `${found.id}: ${found.nodes.map(node => node.target.join(" ")).slice(0, 3).join("; ")}`)"""


def axe_script() -> str:
    """Return the script's text, installed at the first call."""
    with locked(HERE / ".npm.lock"):  # two processes may share the tests
        if not SCRIPT.exists():
            if shutil.which("npm") is None and os.geteuid() == 0 and shutil.which("apt-get"):
                apt_install("npm")
            if shutil.which("npm") is None:
                raise SetupError(
                    "the browser tests need npm, which installs axe-core; on Debian: sudo apt-get install npm"
                )
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
            subprocess.run(command, cwd=HERE, check=True)
    return SCRIPT.read_text()


def serious_findings(page) -> list[str]:
    """Check the page's current content."""
    page.evaluate(axe_script())
    return page.evaluate(RUN)
