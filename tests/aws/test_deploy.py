"""conf/aws/deploy against stand-ins for aws, docker, make and curl that record each call; see docs/deploy.md."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.state import ROOT

STAND_IN = f"#!{sys.executable} -IS\n" + Path(__file__).with_name("stand_in.py").read_text()
STEPS = [
    "docker push registry/vitrina/web:{tag}",
    "docker push registry/vitrina/spark:{tag}",
    "aws s3 cp --recursive --exclude nightly.py dist s3://bucket/code/{tag}/",
    "aws s3 cp dist/nightly.py s3://bucket/code/{tag}/nightly.py",
    "aws cloudformation update-stack",
    "python manage.py migrate --no-input",
    "python manage.py database_roles",
    "aws cloudformation deploy",
]


class Account:
    """A checkout with two commits, and an account whose state is a file that the stand-ins read and write."""

    def __init__(self, folder: Path) -> None:
        self.checkout, self.programs, self.state = folder / "checkout", folder / "bin", folder / "state.json"
        shutil.copytree(ROOT / "conf/aws", self.checkout / "conf/aws")
        self.programs.mkdir()
        for name in ("aws", "docker", "make", "curl", "sha256sum", "sleep"):
            program = self.programs / name
            program.write_text(STAND_IN)
            program.chmod(0o755)
        self.state.write_text(json.dumps({"parameters": {}, "there": [], "application": "STARTED", "tag": "none"}))
        self.git("init", "--quiet")
        self.git("add", ".")
        self.old = self.commit("old")
        self.new = self.commit("new")

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.checkout, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "--short=12", "HEAD")

    def deploy(self, *arguments: str, fails_at: str = "") -> subprocess.CompletedProcess[str]:
        """Run the script with the stand-ins first in PATH; the call that starts with `fails_at` fails."""
        self.set(calls=[], fails_at=fails_at)
        return subprocess.run(
            [self.checkout / "conf/aws/deploy", *arguments],
            env={"PATH": f"{self.programs}:/usr/bin:/bin", "HOME": str(self.checkout), "STATE": str(self.state)},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def set(self, **values: object) -> None:
        self.state.write_text(json.dumps({**json.loads(self.state.read_text()), **values}))

    def get(self, name: str):
        return json.loads(self.state.read_text())[name]

    def steps(self) -> list[str]:
        """Return the calls that change the account, in order, as far as STEPS names them."""
        return [
            step for call in self.get("calls") for step in STEPS if call.startswith(step.format(tag=self.get("tag")))
        ]


@pytest.fixture
def account(tmp_path):
    return Account(tmp_path)


def test_the_first_version_is_pushed_migrated_and_then_made_the_stacks(account):
    account.git("checkout", "--quiet", account.old)
    account.set(tag=account.old)
    done = account.deploy(account.old)

    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"Deployed {account.old}"), done.stderr
    assert account.steps() == STEPS
    assert account.get("parameters") == {
        "ImageTag": account.old, "ManageTag": account.old, "EmrRelease": "emr-spark-8.1.0",
    }  # fmt: skip


@pytest.fixture
def deployed(account):
    """The account with the old version deployed; the new one is checked out."""
    account.set(
        tag=account.new,
        parameters={"ImageTag": account.old, "ManageTag": account.old, "EmrRelease": "emr-spark-8.0.0"},
        there=[
            f"registry/vitrina/web:{account.old}",
            f"registry/vitrina/spark:{account.old}",
            f"s3://bucket/code/{account.old}/nightly.py",
        ],
    )
    return account


def test_after_a_failure_at_any_step_the_same_command_continues(deployed):
    for number, step in enumerate(STEPS):
        failed = deployed.deploy(deployed.new, fails_at=step.format(tag=deployed.new))

        assert failed.returncode != 0
        assert deployed.steps()[-1] == step
        assert deployed.get("parameters")["ImageTag"] == deployed.old
        assert deployed.get("parameters")["ManageTag"] == (deployed.old if number <= 4 else deployed.new)

    assert deployed.deploy(deployed.new).returncode == 0
    assert deployed.get("parameters") == {
        "ImageTag": deployed.new, "ManageTag": deployed.new, "EmrRelease": "emr-spark-8.1.0",
    }  # fmt: skip
    assert len(deployed.get("there")) == len(set(deployed.get("there"))) == 6


def test_a_new_version_is_deployed_and_then_the_tag_before_without_a_build(deployed):
    done = deployed.deploy(deployed.new)
    calls = deployed.get("calls")
    assert done.stdout.splitlines()[-1] == f"To go back: conf/aws/deploy {deployed.old}"
    # Both images are for one platform, and the web app's has AWS's certificates, whose hash was checked.
    assert {call.split("--platform ")[1].split()[0] for call in calls if call.startswith("docker build")} == {
        "linux/amd64"
    }
    assert any(call.startswith("sha256sum --check") for call in calls)
    certified = calls.index("FROM vitrina-web COPY rds.pem /etc/ssl/rds.pem")
    assert certified < calls.index(f"docker push registry/vitrina/web:{deployed.new}")
    # EMR Serverless only updates an application that is stopped.
    names = [" ".join(call.split()[:3]) for call in calls]
    assert names.index("aws emr-serverless stop-application") < names.index("aws cloudformation deploy")

    back = deployed.deploy(deployed.old)

    assert back.returncode == 0, back.stderr
    assert [call for call in deployed.get("calls") if call.startswith(("docker", "aws s3 cp"))] == []
    assert deployed.get("parameters")["ImageTag"] == deployed.get("parameters")["ManageTag"] == deployed.old


def test_a_run_at_work_is_not_interrupted(deployed):
    deployed.set(at_work=1)
    done = deployed.deploy(deployed.new)

    assert done.returncode == 1
    assert "a run of the job is at work" in done.stderr
    assert not [call for call in deployed.get("calls") if "stop-application" in call or "cloudformation deploy" in call]


def test_changed_certificates_stop_the_deployment(deployed):
    done = deployed.deploy(deployed.new, fails_at="sha256sum")

    assert (done.returncode, deployed.steps()) == (1, [])
    assert "certificates for RDS have changed" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((), "name the version"), (("0123456789ab",), "git knows no commit 0123456789ab")],
)
def test_a_missing_or_unknown_version_is_reported(account, arguments, message):
    done = account.deploy(*arguments)

    assert (done.returncode, account.steps()) == (1, [])
    assert done.stderr.startswith(f"deploy: {message}")


def test_a_version_that_is_not_pushed_must_be_checked_out_without_changes(account):
    account.set(tag=account.old)
    assert f"run `git checkout {account.old}`" in account.deploy(account.old).stderr
    (account.checkout / "new-file").touch()

    assert "there are uncommitted changes" in account.deploy(account.new).stderr
    assert account.steps() == []


def test_a_missing_program_is_reported(account):
    account.programs.joinpath("aws").unlink()

    assert account.deploy(account.new).stderr.startswith("deploy: aws was not found")


def test_no_credential_is_an_argument():
    script = (ROOT / "conf/aws/deploy").read_text()

    assert "--password-stdin" in script
    assert "--password " not in script
