"""`make deploy-images` where something it needs is missing; what it pushes can only be seen in an account."""

import shutil
import subprocess

import pytest

from devstack.state import ROOT


@pytest.fixture
def deploy(tmp_path):
    """A function that runs the script with no programs but the named ones (a path stands for the program's own)."""

    def run(*programs, **environment):
        for program in ("bash", "dirname", "env", *programs):
            (tmp_path / program).symlink_to(shutil.which(program))
        said = subprocess.run(
            ["/usr/bin/env", "bash", str(ROOT / "conf/aws/deploy-images")],
            env={"PATH": str(tmp_path), "HOME": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return said.returncode, said.stderr

    return run


def test_a_missing_program_is_named(deploy):
    assert deploy() == (1, "deploy-images: docker is needed and was not found; docs/deploy.md says what to install\n")


@pytest.mark.skipif(not shutil.which("docker"), reason="there is no docker here to be without its server")
def test_a_docker_that_does_not_answer_is_named(deploy, tmp_path):
    (tmp_path / "aws").symlink_to(shutil.which("true"))  # only looked for, at this point

    code, said = deploy("docker", "git", DOCKER_HOST="tcp://127.0.0.1:1")

    assert code == 1
    assert said.startswith("deploy-images: docker does not answer")


def test_no_credential_is_an_argument():
    script = (ROOT / "conf/aws/deploy-images").read_text()

    assert "--password-stdin" in script
    assert "--password " not in script
