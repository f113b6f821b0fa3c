"""The documentation names every option, variable and exit code there is, and nothing that does not exist."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

from devstack.state import ROOT
from spark_jobs import nightly, sample_data
from tests.contract.test_env_example import EXAMPLE, listed_in

README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
GUIDES = [page for page in PAGES if page.name != "CHANGELOG.md"]
SCHEMA = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def section(page: str, title: str) -> str:
    """Return the text under a heading, up to the next heading."""
    text = (ROOT / "docs" / page).read_text()
    found = re.search(rf"^#+ {title}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/{page} has no section '{title}'"
    return found[1]


def anchors_of(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("title", "command"), [("Options", nightly), ("Sample data", sample_data)])
def test_the_options_of_a_command_are_those_of_its_section(capsys, monkeypatch, title, command):
    monkeypatch.setattr("sys.argv", ["command", "--help"])
    with pytest.raises(SystemExit):
        command.main()
    printed = capsys.readouterr().out.partition("options:")[2]
    options = set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", printed, re.MULTILINE)) - {"--help"}

    assert set(re.findall(r"`(--[a-z-]+)[ `]", section("job.md", title))) == options


def test_the_variables_are_those_of_conf_env_example():
    rows = re.findall(r"^\| (`[A-Z].*?) \|", section("configuration.md", "Variables"), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]

    assert sorted(named) == sorted(listed_in(EXAMPLE))


def test_every_exit_code_has_its_row():
    codes = {nightly.PUBLISHED, nightly.FAILED, nightly.MISCONFIGURED, nightly.REFUSED, nightly.HELD}

    assert set(map(int, re.findall(r"^\| (\d) \|", section("job.md", "Exit codes"), re.MULTILINE))) == codes


def make_commands_on(page: Path) -> set[str]:
    return set(re.findall(r"(?:^    |`)make (?:[A-Z]\S+ )?([a-z][a-z-]*)", page.read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_every_make_command_on_a_page_is_in_the_makefile(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert make_commands_on(page) <= targets


def test_the_readme_names_the_two_commands():
    assert {"demo", "test"} <= make_commands_on(README)


def test_the_response_in_the_readme_is_the_example_of_the_schema():
    get = SCHEMA["paths"]["/api/v1/recommendations/{advertiser_id}/{model}/"]["get"]
    example = get["responses"]["200"]["content"]["application/json"]["examples"]["Example"]["value"]
    [shown] = re.findall(r"^    (\{.*?\]\})$", README.read_text(), re.MULTILINE | re.DOTALL)

    assert json.loads(shown) == example | {"items": example["items"][:1]}


def test_the_endpoints_are_those_of_the_schema():
    described = {path.removeprefix("/api/v1").rstrip("/") for path in SCHEMA["paths"]} - {""}
    rows = re.findall(r"^\| (.*?) \|", section("api.md", "Endpoints"), re.MULTILINE)

    assert set(re.findall(r"`(/\S+)`", " ".join(rows))) == described | {"/metrics"}


def test_the_problem_types_are_those_of_the_schema():
    types = set(re.findall(r"^ +type: ([a-z]+-[a-z-]+)$", yaml.safe_dump(SCHEMA), re.MULTILINE))

    assert set(re.findall(r"`([a-z]+-[a-z-]+)`", section("api.md", "Problems"))) == types


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_every_management_command_on_a_page_exists(page):
    assert set(re.findall(r"manage\.py ([a-z_]+)", page.read_text())) <= get_commands().keys()


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_every_file_named_on_a_page_is_tracked(page):
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    named = set(
        re.findall(r"\b(?:conf|spark_jobs|webapp|docs|tests)/[\w./-]+\.\w+|requirements-\w+\.txt", page.read_text())
    )

    assert named <= set(tracked)


@pytest.mark.parametrize("folder", ["conf/aws", "conf/emr", "conf/schedule"])
def test_the_table_of_what_has_been_tested_has_every_file_of_a_deployment(folder):
    files = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    named = re.findall(r"`(?:[\w-]+/)*([\w.@-]+)`", section("deploy.md", "What has been tested"))

    assert {Path(file).name for file in files.split()} <= set(named)


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_every_test_file_named_on_a_page_exists(page):
    there = {path.name for path in (ROOT / "tests").rglob("test_*.py")}

    assert set(re.findall(r"\btest_\w+\.py", page.read_text())) <= there


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_and_its_anchor_resolve(page):
    for target, anchor in LINK.findall(page.read_text()):
        linked = (page.parent / target).resolve() if target else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors_of(linked), f"{target}#{anchor}"


@pytest.mark.parametrize(("page", "most"), [("README.md", 150), ("docs/architecture.md", 100)])
def test_a_page_to_start_with_stays_short(page, most):
    assert len((ROOT / page).read_text().splitlines()) <= most
