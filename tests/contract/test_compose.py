"""compose.yaml follows the Compose specification, contains no credentials and publishes only the web app."""

import json
import re
import subprocess
from datetime import UTC, datetime

import pytest
import yaml
from compose_spec import PyCompose

from devstack.state import ROOT
from tests.contract.test_env_example import EXAMPLE, listed_in

TEXT = (ROOT / "compose.yaml").read_text()
NEEDED = (ROOT / "conf" / "compose" / "env.example").read_text()
OUR_OWN = {"vitrina-web", "vitrina-job"}


def understood(text):
    """Parse a file by the specification; ValueError says what violates it."""
    return PyCompose.from_json(json.dumps(yaml.safe_load(text)))  # its reader of YAML knows no merged keys


@pytest.fixture(scope="module")
def compose():
    """compose.yaml, parsed."""
    return understood(TEXT)


@pytest.fixture(scope="module")
def services(compose):
    """The services by name."""
    return compose.to_dict()["services"]


def test_it_follows_the_specification(compose):
    compose.validate()


def test_a_misspelt_key_is_found():
    with pytest.raises(ValueError, match="depend_on"):
        understood(TEXT.replace("depends_on", "depend_on"))


def test_its_variables_are_those_of_the_example():
    assert set(re.findall(r"\$\{(\w+)", TEXT)) == set(listed_in(NEEDED))


def test_the_example_contains_no_values():
    assert re.findall(r"^\w+=.+", NEEDED, re.MULTILINE) == []


def test_every_secret_comes_from_a_variable(services):
    given = [pair for service in services.values() for pair in service.get("environment", {}).items()]
    secrets = [(name, value) for name, value in given if re.search("PASSWORD|KEY|DATABASE_URL", name)]

    assert secrets
    assert [name for name, value in secrets if "${" not in value] == []


def test_only_the_web_app_is_published_and_only_on_this_machine(services):
    published = re.findall(r"^ +- (\S+:\d+:\d+)$", TEXT, re.MULTILINE)

    assert [name for name, service in services.items() if service.get("ports")] == ["web"]
    assert published == ["127.0.0.1:8000:80"]


def test_every_dependency_can_reach_the_state_that_is_waited_for(services):
    waits = [
        (services[other], how["condition"])
        for service in services.values()
        for other, how in service.get("depends_on", {}).items()
    ]

    assert waits
    assert [other for other, condition in waits if condition == "service_healthy" and "healthcheck" not in other] == []


def test_every_service_restarts_unless_another_waits_for_it_to_complete(services):
    """`docker compose up --wait` fails if a service has ended and no other service depends on that."""
    completed = {
        name
        for service in services.values()
        for name, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    lasting = {name for name, service in services.items() if service.get("restart") == "unless-stopped"}

    assert (lasting & completed, lasting | completed) == (set(), set(services))


@pytest.mark.parametrize("now", ["2026-11-20T03:59:59", "2026-11-20T04:00:00", "2026-11-20T23:00:00"])
def test_the_service_nightly_sleeps_until_four_utc(services, now):
    seconds = int(datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp())
    [sleep] = re.findall(r'sleep "(.*)"', services["nightly"]["command"][2].replace("$$", "$"))
    done = subprocess.run(
        ["bash", "-c", f'date() {{ echo {seconds}; }}; echo "{sleep}"'], capture_output=True, text=True, check=True
    )
    slept = int(done.stdout)

    assert 0 < slept <= 86400
    assert f"{datetime.fromtimestamp(seconds + slept, UTC):%H:%M:%S}" == "04:00:00"


def test_our_images_get_only_variables_that_they_read(services):
    ours = [service for service in services.values() if service["image"] in OUR_OWN]
    told = {name for service in ours for name in service["environment"]}

    assert told <= set(listed_in(EXAMPLE))


def test_our_images_are_read_only_and_have_no_capabilities(services):
    ours = [service for service in services.values() if service["image"] in OUR_OWN]

    assert {(service["read_only"], *service["cap_drop"]) for service in ours} == {(True, "ALL")}


def test_every_other_image_is_pinned_by_digest_and_a_comment_says_its_version(services):
    """The specification allows a tag or a digest, but not both."""
    others = {service["image"] for service in services.values()} - OUR_OWN
    commented = set(re.findall(r" (\S+@sha256:[0-9a-f]{64})  # v?\d+\.\d+", TEXT))

    assert others == commented
