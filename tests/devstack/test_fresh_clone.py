"""A new user's first steps: clone, `make demo`, pages and commands that work, and Ctrl-C."""

import itertools
import json
import os
import pwd
import re
import subprocess
from urllib.request import urlopen

import pytest

from tests.devstack.checkouts import MINUTES, Demo, fresh_checkout

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def checkout(stack):
    """A clone that an ordinary user owns; the other tests' stack already covers root."""
    made = fresh_checkout(stack, owner=pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def first_demo(checkout):
    """The first demo in the clone, ready. The tests below share it until one stops it with Ctrl-C."""
    return Demo(checkout).wait_for("curl 'http://").wait_for("/stats'")


def test_every_step_is_named_and_timed(first_demo):
    steps = first_demo.output.count("\n- ")

    assert steps >= 10
    assert first_demo.output.count("    done in ") == steps
    assert "Ready after " in first_demo.output


def test_the_printed_commands_work_unchanged(first_demo, checkout):
    commands = first_demo.printed_commands()
    strict = [command.replace("curl ", "curl --silent --show-error --fail ", 1) for command in commands]
    responses = [
        json.loads(subprocess.run(["sh", "-c", command], capture_output=True, check=True, timeout=MINUTES).stdout)
        for command in strict
    ]

    assert [len(response.get("items", "")) for response in responses] == [20, 20, 20, 20, 20, 0, 0]
    *_, history, stats = responses
    assert [day["published"] for day in history["days"]] == [True] * 7
    assert stats["advertisers"] == {"active": 20, "with_recommendations": 20}


def test_it_prints_a_line_about_the_job_and_keeps_the_reports_and_the_log_in_the_files_it_names(first_demo, checkout):
    [summary, files] = re.findall(r"^    (8 published: .*)\n    (.*)$", first_demo.output, re.MULTILINE)[0]
    [(reports, log)] = re.findall(r"its reports, in JSON: (\S+); its log: (\S+)", files)
    states = [json.loads(line)["state"] for line in (checkout.path / reports).read_text().splitlines()]

    assert re.fullmatch(r"8 published: [\d,]+ events, [\d,]+ lists", summary)
    assert states == ["published"] * 8
    assert "read raw files: " in (checkout.path / log).read_text()
    assert len(first_demo.output.splitlines()) < 60
    assert "{" not in first_demo.output


@pytest.fixture(scope="module")
def first_lists(first_demo):
    """All lists of the first demo, before it is stopped."""
    return lists_of(first_demo)


def lists_of(demo):
    """Return the printed advertiser's lists: the items by model and window."""
    advertiser = re.findall(r"/recommendations/(\w+)/", demo.output)[0]
    lists = {}
    for model, window in [
        ("Trending", 1),
        ("ExpectedCTR", 1),
        *itertools.product(["TopProduct", "TopCTR"], [1, 7, 28]),
    ]:
        with urlopen(f"{demo.site}/recommendations/{advertiser}/{model}?window={window}") as response:  # noqa: S310
            lists[model, window] = json.load(response)["items"]
    return lists


def test_it_has_lists_of_every_model_and_window(first_lists):
    assert {key: len(items) for key, items in first_lists.items()} == dict.fromkeys(first_lists, 20)
    assert first_lists["TopProduct", 1] != first_lists["TopProduct", 7] != first_lists["TopProduct", 28]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "Fresh: the newest published day is"),
        ("/admin/", "Log in"),
        ("/api/v1/", "recommendations"),
        ("/advertisers", "advertiser_id"),
        ("/models", "TopCTR"),
        ("/runs", "published"),
        ("/health/live", "alive"),
        ("/health/ready", '"ready"'),
        ("/health/fresh", '"fresh"'),
    ],
)
def test_every_page_responds(first_demo, path, text):
    with urlopen(first_demo.site + path, timeout=MINUTES) as response:  # noqa: S310
        assert text in response.read().decode()


def test_only_their_owner_can_read_the_passwords(first_demo, checkout):
    kept = list((checkout.path / ".devstack").resolve().rglob("secrets.json"))

    assert len(kept) == 2
    assert {file.stat().st_mode & 0o777 for file in kept} == {0o600}


def test_no_process_has_a_password_in_its_arguments(first_demo, checkout):
    passwords = {
        password
        for file in (checkout.path / ".devstack").resolve().rglob("secrets.json")
        for password in json.loads(file.read_text()).values()
    }
    running = checkout.processes()

    assert len(running) > 4
    assert not [command for command in running if any(password in command for password in passwords)]


def test_a_second_demo_is_refused(first_demo, checkout):
    code, output = checkout.make("demo", "PORT=1")

    assert code != 0
    assert "a demo of this checkout is already running; stop it with `make stop`" in output


def test_ctrl_c_stops_it_and_leaves_nothing_running(first_demo, checkout):
    code = first_demo.press_ctrl_c()

    assert checkout.is_quiet(), checkout.processes()
    assert code != 0
    assert "- stopping everything" in first_demo.output
    assert "Traceback" not in first_demo.output


@pytest.fixture(scope="module")
def second_demo(first_lists, checkout):
    """The next demo, without a network, ready."""
    nowhere = "http://127.0.0.1:1"
    network = {"PIP_INDEX_URL": nowhere, "http_proxy": nowhere, "https_proxy": nowhere, "no_proxy": "127.0.0.1"}
    checkout.environment |= network
    return Demo(checkout).wait_for("Ready after").wait_for("/stats'")


def test_the_next_demo_needs_no_network_and_has_the_same_lists(first_lists, second_demo):
    """Its S3 is empty at first, so it needs the sample events and daily counts of all days again."""
    assert "    8 published: " in second_demo.output
    assert lists_of(second_demo) == first_lists
    assert "Traceback" not in second_demo.output


def test_make_stop_stops_what_a_killed_demo_left_running(second_demo, checkout):
    second_demo.kill()
    stopped, _ = checkout.make("stop")

    assert stopped == 0
    assert checkout.is_quiet(), checkout.processes()


def test_make_stop_stops_a_demo(first_demo, checkout):
    stopping = Demo(checkout).wait_for("sample data").wait_for_spark()
    stopped, _ = checkout.make("stop")
    stopping.terminal.wait(MINUTES)

    assert stopped == 0
    assert checkout.is_quiet(), checkout.processes()
    assert "Traceback" not in stopping.output


@pytest.mark.parametrize("moment", ["sample data", "nightly job for"])
def test_ctrl_c_during_a_step_leaves_nothing_running_and_prints_no_traceback(first_demo, checkout, moment):
    interrupted = Demo(checkout).wait_for(moment).wait_for_spark()
    interrupted.press_ctrl_c()

    assert checkout.is_quiet(), checkout.processes()
    assert "Traceback" not in interrupted.output


def test_closing_its_terminal_leaves_nothing_running(first_demo, checkout):
    Demo(checkout).wait_for("sample data").wait_for_spark().close_terminal()

    assert checkout.is_quiet(), checkout.processes()
