"""Build images from the Dockerfiles with buildah, without Docker and without an image registry.

The official Python image is only available from a registry. Instead, the Dockerfiles get a base image that mmdebstrap makes
from Debian bookworm's packages: the same C library and the same minor version of Python, but Debian's build of it in
/usr/bin, and this machine's additional CA certificates. Everything that the Dockerfiles add is real.
"""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from devstack.state import ROOT, locked
from devstack.steps import apt_install, run, step
from tests.images.image import Image

TOOLS = {"buildah": "buildah", "mmdebstrap": "mmdebstrap", "bwrap": "bubblewrap"}
"""Programs, and the Debian packages that contain them."""
FOLDER = Path("/var/tmp/vitrina-images")
"""Kept between test runs, because the base image takes a minute or two to build."""
BASE_IMAGE = "localhost/vitrina-python:3.11-slim-bookworm"
BASE_PACKAGES = "ca-certificates,python3,python3-venv,python3-pip"
OFFICIAL_MEGABYTES = 135
"""Upper limit for the unpacked size of the official python:3.11-slim-bookworm, used instead of our base image's size."""
LOCAL_CERTIFICATES = Path("/usr/local/share/ca-certificates")


def install_tools() -> None:
    """Install the tools that build and run images, or skip the test with the reason."""
    missing = sorted(package for program, package in TOOLS.items() if not shutil.which(program))
    if platform.system() != "Linux" or os.geteuid() != 0 or (missing and not shutil.which("apt-get")):
        pytest.skip(
            "these tests need root on Debian or Ubuntu, with buildah, mmdebstrap and bubblewrap; elsewhere, build with "
            "`docker build --file Dockerfile.web .` and follow docs/images.md"
        )
    if missing:
        apt_install(*missing)


def build(dockerfile: str) -> Image:
    """Build one of the checkout's Dockerfiles on the base image; SetupError, which names the log, if that fails."""
    FOLDER.mkdir(exist_ok=True)
    with locked(FOLDER / "lock"):
        if not buildah("images", "--quiet", "--filter", f"reference={BASE_IMAGE}"):
            with step("base image from Debian's packages (only once)"):
                _build_base_image()
        with step(f"image of {dockerfile}"):
            image_id = FOLDER / "image-id"
            run(
                [
                    *(*BUILDAH, "bud", "--pull-never", "--network", "host", "--format", "docker"),
                    *("--build-arg", f"PYTHON={BASE_IMAGE}", "--iidfile", image_id, "--file", ROOT / dockerfile, ROOT),
                ],
                "buildah",
                env=ENVIRONMENT,
            )
            return Image(image_id.read_text().strip(), buildah)


def _build_base_image() -> None:
    archive = FOLDER / "base.tar"
    packages = f"--include={BASE_PACKAGES}"
    run(["mmdebstrap", "--quiet", "--variant=minbase", packages, "bookworm", archive], "mmdebstrap")
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, str(archive), "/")
    root = Path(buildah("mount", container))
    for name, program in {"python": "python3", "python3": "python3", "pip": "pip3"}.items():
        (root / "usr/local/bin" / name).symlink_to(f"/usr/bin/{program}")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")  # every container engine writes one
    for certificate in LOCAL_CERTIFICATES.glob("*.crt"):
        shutil.copy(certificate, root / "usr/local/share/ca-certificates")
    buildah("run", container, "--", "update-ca-certificates")
    buildah("config", "--env", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "--env", "LANG=C.UTF-8", container)
    buildah("commit", "--quiet", "--rm", container, BASE_IMAGE)
    archive.unlink()


BUILDAH = ("buildah", "--root", FOLDER / "store", "--runroot", FOLDER / "run")
ENVIRONMENT = {**os.environ, "BUILDAH_ISOLATION": "chroot"}  # works where containers are not allowed


def buildah(*arguments: str) -> str:
    """Run a buildah command and return its output."""
    done = subprocess.run([*BUILDAH, *arguments], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"buildah {' '.join(arguments)}: {done.stderr}")
    return done.stdout.strip()
