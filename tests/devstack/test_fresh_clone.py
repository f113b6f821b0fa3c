"""What somebody sees who has never seen Vitrina: a clone, `make demo`, pages and commands that work, and Ctrl-C."""

import json
import os
import pwd
import subprocess
from urllib.request import urlopen

import pytest

from tests.devstack.checkouts import MINUTES, Demo, fresh_checkout

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def checkout(stack):
    """A clone of an ordinary user's; what a root needs, PostgreSQL's own account, the stack of every other test shows."""
    made = fresh_checkout(stack, owner=pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def first_demo(checkout):
    """The first demo from nothing, ready; the tests below use it, and the last of them ends it."""
    return Demo(checkout).wait_for("curl 'http://").wait_for("/stats'")


def test_every_step_is_named_and_timed(first_demo):
    steps = first_demo.said.count("\n- ")

    assert steps >= 10
    assert first_demo.said.count("    done in ") == steps
    assert "Ready after " in first_demo.said


def test_the_printed_commands_work_as_they_stand(first_demo, checkout):
    commands = first_demo.printed_commands()
    with_silence = [command.replace("curl ", "curl --silent --show-error --fail ", 1) for command in commands]
    answers = [
        json.loads(subprocess.run(["sh", "-c", command], capture_output=True, check=True, timeout=MINUTES).stdout)
        for command in with_silence
    ]

    assert [len(answer.get("items", "")) for answer in answers] == [20, 20, 0, 0]
    assert [day["published"] for day in answers[2]["days"]] == [True] * 7
    assert answers[3]["advertisers"] == {"active": 20, "with_recommendations": 20}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", "Fresh: the newest lists are of"),
        ("/admin/", "Log in"),
        ("/api/v1/", "recommendations"),
        ("/advertisers", "advertiser_id"),
        ("/models", "TopCTR"),
        ("/runs", "published"),
        ("/health/live", "alive"),
        ("/health/ready", '"ready"'),
    ],
)
def test_every_page_answers(first_demo, path, words):
    with urlopen(first_demo.site + path, timeout=MINUTES) as answer:  # noqa: S310
        assert words in answer.read().decode()


def test_the_passwords_are_readable_by_their_owner_alone(first_demo, checkout):
    kept = list((checkout.path / ".devstack").resolve().rglob("secrets.json"))

    assert len(kept) == 2
    assert {file.stat().st_mode & 0o777 for file in kept} == {0o600}


def test_no_password_stands_in_the_arguments_of_a_process(first_demo, checkout):
    passwords = {
        password
        for file in (checkout.path / ".devstack").resolve().rglob("secrets.json")
        for password in json.loads(file.read_text()).values()
    }
    running = checkout.processes()

    assert len(running) > 4
    assert not [words for words in running if any(password in words for password in passwords)]


def test_a_second_demo_says_that_one_runs(first_demo, checkout):
    code, said = checkout.make("demo", "PORT=1")

    assert code != 0
    assert "a demo of this checkout is running already: use it, or end it with `make stop`" in said


def test_ctrl_c_ends_it_and_leaves_nothing_running(first_demo, checkout):
    code = first_demo.press_ctrl_c()

    assert checkout.is_quiet(), checkout.processes()
    assert code != 0
    assert "- stopping everything" in first_demo.said
    assert "Traceback" not in first_demo.said


def test_a_second_one_needs_no_network_and_ranks_one_day_and_make_stop_ends_it(first_demo, checkout):
    nowhere = "http://127.0.0.1:1"
    network = {"PIP_INDEX_URL": nowhere, "http_proxy": nowhere, "https_proxy": nowhere, "no_proxy": "127.0.0.1"}
    checkout.environment |= network
    second = Demo(checkout).wait_for("Ready after")
    stopped, _ = checkout.make("stop")
    second.terminal.wait(MINUTES)

    assert "- the nightly job, for 1 of the days" in second.said
    assert stopped == 0
    assert checkout.is_quiet(), checkout.processes()
    assert "Traceback" not in second.said


@pytest.mark.parametrize("moment", ["sample data", "read raw files"])
def test_ctrl_c_in_the_middle_leaves_nothing_running_and_prints_no_traceback(first_demo, checkout, moment):
    interrupted = Demo(checkout).wait_for(moment)
    interrupted.press_ctrl_c()

    assert checkout.is_quiet(), checkout.processes()
    assert "Traceback" not in interrupted.said


def test_closing_its_terminal_leaves_nothing_running(first_demo, checkout):
    Demo(checkout).wait_for("Ready after").close_terminal()

    assert checkout.is_quiet(), checkout.processes()


def test_what_a_killed_demo_leaves_running_ends_at_make_stop(first_demo, checkout):
    Demo(checkout).wait_for("Ready after").kill()
    stopped, _ = checkout.make("stop")

    assert stopped == 0
    assert checkout.is_quiet(), checkout.processes()
