"""The README names every option, variable and command there is, and none that there is not."""

import re
import subprocess

import pytest

from devstack.state import ROOT
from spark_jobs import nightly, sample_data
from tests.contract.test_env_example import EXAMPLE, listed_in

README = (ROOT / "README.md").read_text()


def section(title):
    """Return what stands under a heading, up to the next one."""
    found = re.search(rf"^#+ {title}\n(.*?)(?=^#|\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"the README has no section '{title}'"
    return found[1]


@pytest.mark.parametrize(("title", "command"), [("The nightly job", nightly), ("Sample data", sample_data)])
def test_the_options_of_a_command_are_those_of_its_section(capsys, monkeypatch, title, command):
    monkeypatch.setattr("sys.argv", ["command", "--help"])
    with pytest.raises(SystemExit):
        command.main()
    printed = capsys.readouterr().out.partition("options:")[2]
    there_are = set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", printed, re.MULTILINE)) - {"--help"}

    assert set(re.findall(r"`(--[a-z-]+)[ `]", section(title))) == there_are


def test_the_variables_are_those_of_conf_env_example():
    rows = re.findall(r"^\| (`[A-Z].*?) \|", section("Configuration"), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]

    assert sorted(named) == sorted(listed_in(EXAMPLE))


def test_every_make_command_that_is_named_is_in_the_makefile():
    named = set(re.findall(r"(?:^    |`)make (?:[A-Z]\S+ )?([a-z][a-z-]*)", README, re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert {"demo", "test"} <= named <= targets


def test_every_file_that_is_named_is_there():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    named = set(re.findall(r"\b(?:conf|spark_jobs|docs)/[\w./-]+\.\w+|requirements-\w+\.txt", README))

    assert named
    assert named <= set(tracked)


def test_every_exit_code_of_a_night_has_its_row():
    codes = {nightly.PUBLISHED, nightly.FAILED, nightly.MISCONFIGURED, nightly.REFUSED, nightly.HELD}

    assert set(map(int, re.findall(r"^\| (\d) \|", section("The nightly job"), re.MULTILINE))) == codes
