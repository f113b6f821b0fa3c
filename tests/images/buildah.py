"""Images built from the Dockerfiles by buildah, without Docker and without an image registry.

The official Python image cannot be had without a registry. In its place the Dockerfiles get a stand-in that mmdebstrap makes
from Debian bookworm's packages: the same C library and the same minor version of Python, but Debian's own build of it, in
/usr/bin, and with certificates that this machine trusts besides. What the Dockerfiles add to it is the real thing.
"""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from devstack.bootstrap import run
from devstack.state import ROOT, locked
from devstack.steps import step
from tests.images.image import Image

TOOLS = {"buildah": "buildah", "mmdebstrap": "mmdebstrap", "bwrap": "bubblewrap"}
"""Program and Debian's package of it."""
FOLDER = Path("/var/tmp/vitrina-images")
"""Kept between test runs for the sake of the stand-in, which takes a minute or two to make."""
STAND_IN = "localhost/vitrina-stand-in-for-python:3.11-slim-bookworm"
STAND_IN_PACKAGES = "ca-certificates,python3,python3-venv,python3-pip"
OFFICIAL_MEGABYTES = 135
"""What the official python:3.11-slim-bookworm takes at most, unpacked; the stand-in's own size says nothing."""
OUR_CERTIFICATES = Path("/usr/local/share/ca-certificates")


def install_tools() -> None:
    """Have what builds and runs images; skip the test, saying what is missing, where that cannot be."""
    missing = sorted(package for program, package in TOOLS.items() if not shutil.which(program))
    if platform.system() != "Linux" or os.geteuid() != 0 or (missing and not shutil.which("apt-get")):
        pytest.skip(
            "images are built as root of a Debian or Ubuntu, with buildah, mmdebstrap and bubblewrap; elsewhere "
            "`docker build --file Dockerfile.web .` builds them, and docs/images.md says what to try then"
        )
    if missing:
        with step(f"installing Debian's {', '.join(missing)}"):
            subprocess.run(["apt-get", "update", "-qq"], stdout=subprocess.DEVNULL, check=False)
            run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], "apt-get")


def build(dockerfile: str) -> Image:
    """Build one of the checkout's Dockerfiles on the stand-in; Missing, with the log's place, if that fails."""
    FOLDER.mkdir(exist_ok=True)
    with locked(FOLDER / "lock"):
        if not buildah("images", "--quiet", "--filter", f"reference={STAND_IN}"):
            with step("a stand-in for the official Python image, once, from Debian's packages"):
                _make_stand_in()
        with step(f"image of {dockerfile}"):
            made = FOLDER / "image-id"
            run(
                [
                    *(*BUILDAH, "bud", "--pull-never", "--network", "host", "--format", "docker"),
                    *("--build-arg", f"PYTHON={STAND_IN}", "--iidfile", made, "--file", ROOT / dockerfile, ROOT),
                ],
                "buildah",
                env=ENVIRONMENT,
            )
            return Image(made.read_text().strip(), buildah)


def _make_stand_in() -> None:
    archive = FOLDER / "stand-in.tar"
    packages = f"--include={STAND_IN_PACKAGES}"
    run(["mmdebstrap", "--quiet", "--variant=minbase", packages, "bookworm", archive], "mmdebstrap")
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, str(archive), "/")
    root = Path(buildah("mount", container))
    for name, program in {"python": "python3", "python3": "python3", "pip": "pip3"}.items():
        (root / "usr/local/bin" / name).symlink_to(f"/usr/bin/{program}")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")  # as every container engine writes one
    for certificate in OUR_CERTIFICATES.glob("*.crt"):
        shutil.copy(certificate, root / "usr/local/share/ca-certificates")
    buildah("run", container, "--", "update-ca-certificates")
    buildah("config", "--env", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "--env", "LANG=C.UTF-8", container)
    buildah("commit", "--quiet", "--rm", container, STAND_IN)
    archive.unlink()


BUILDAH = ("buildah", "--root", FOLDER / "store", "--runroot", FOLDER / "run")
ENVIRONMENT = {**os.environ, "BUILDAH_ISOLATION": "chroot"}  # the one that works where no container may be started


def buildah(*arguments: str) -> str:
    """Run one of buildah's commands and return what it prints."""
    done = subprocess.run([*BUILDAH, *arguments], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"buildah {' '.join(arguments)}: {done.stderr}")
    return done.stdout.strip()
