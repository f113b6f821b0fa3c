"""compose.yaml keeps to the Compose specification, has no credential in it and opens nothing but the web app."""

import json
import re

import pytest
import yaml
from compose_spec import PyCompose

from devstack.state import ROOT
from tests.contract.test_env_example import EXAMPLE, listed_in

TEXT = (ROOT / "compose.yaml").read_text()
NEEDED = (ROOT / "conf" / "compose" / "env.example").read_text()
OUR_OWN = {"vitrina-web", "vitrina-job"}


def understood(text):
    """Return a file as the specification understands it; a ValueError says what breaks the specification."""
    return PyCompose.from_json(json.dumps(yaml.safe_load(text)))  # its reader of YAML knows no merged keys


@pytest.fixture(scope="module")
def compose():
    """Our file."""
    return understood(TEXT)


@pytest.fixture(scope="module")
def services(compose):
    """Each service's description, by its name."""
    return compose.to_dict()["services"]


def test_it_keeps_to_the_specification(compose):
    compose.validate()


def test_a_misspelt_key_would_be_found():
    with pytest.raises(ValueError, match="depend_on"):
        understood(TEXT.replace("depends_on", "depend_on"))


def test_its_variables_are_those_of_its_example():
    assert set(re.findall(r"\$\{(\w+)", TEXT)) == set(listed_in(NEEDED))


def test_the_example_has_no_value_in_it():
    assert re.findall(r"^\w+=.+", NEEDED, re.MULTILINE) == []


def test_every_secret_comes_from_a_variable(services):
    given = [pair for service in services.values() for pair in service.get("environment", {}).items()]
    secrets = [(name, value) for name, value in given if re.search("PASSWORD|KEY|DATABASE_URL", name)]

    assert secrets
    assert [name for name, value in secrets if "${" not in value] == []


def test_only_the_web_app_is_published_and_to_this_machine_alone(services):
    published = re.findall(r"^ +- (\S+:\d+:\d+)$", TEXT, re.MULTILINE)

    assert [name for name, service in services.items() if service.get("ports")] == ["web"]
    assert published == ["127.0.0.1:8000:80"]


def test_who_is_waited_for_can_become_what_is_waited_for(services):
    waits = [
        (services[other], how["condition"])
        for service in services.values()
        for other, how in service.get("depends_on", {}).items()
    ]

    assert waits
    assert [other for other, condition in waits if condition == "service_healthy" and "healthcheck" not in other] == []


def test_what_our_images_are_told_is_what_they_read(services):
    ours = [service for service in services.values() if service["image"] in OUR_OWN]
    told = {name for service in ours for name in service["environment"]}

    assert told <= set(listed_in(EXAMPLE))


def test_our_images_can_write_nothing_and_have_no_capability(services):
    ours = [service for service in services.values() if service["image"] in OUR_OWN]

    assert {(service["read_only"], *service["cap_drop"]) for service in ours} == {(True, "ALL")}


def test_every_other_image_is_pinned_to_a_version(services):
    others = {service["image"] for service in services.values()} - OUR_OWN

    assert [image for image in others if not re.search(r":v?\d+\.\d+", image)] == []
