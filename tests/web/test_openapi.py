"""The API describes itself: the schema and Swagger UI."""

from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from django.core.management import call_command

from webapp.api.openapi.successes import EXAMPLES
from webapp.problems import Problem

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    """The schema as the code has it now."""
    path = tmp_path_factory.mktemp("schema") / "openapi.yaml"
    call_command("spectacular", "--file", str(path), "--validate", "--fail-on-warn")
    return path.read_text()


def test_the_committed_schema_is_the_codes(schema):
    assert COMMITTED.read_text() == schema, "run `make schema` and look at the difference"


def test_the_served_schema_is_the_committed_one(client):
    served = yaml.safe_load(client.get("/api/v1/schema/").content)

    assert served == yaml.safe_load(COMMITTED.read_text())


def subclasses(kind):
    for each in kind.__subclasses__():
        yield each
        yield from subclasses(each)


def test_every_type_of_problem_is_in_the_schema_with_an_example(schema):
    types = {each.type for each in subclasses(Problem) if each.__module__.startswith("webapp.")} - {"about:blank"}
    operations = [operation for path in yaml.safe_load(schema)["paths"].values() for operation in path.values()]
    shown = {
        example["value"]["type"]
        for operation in operations
        for response in operation["responses"].values()
        for kind, media in response.get("content", {}).items()
        if kind == "application/problem+json"
        for example in media.get("examples", {}).values()
    }

    assert shown == types


def test_every_example_of_a_successful_response_is_valid(schema):
    document = yaml.safe_load(schema)
    examples = [
        (media["schema"], example["value"])
        for operations in document["paths"].values()
        for operation in operations.values()
        for media in operation["responses"].get("200", {}).get("content", {}).values()
        for example in media.get("examples", {}).values()
    ]

    assert len(examples) == len(EXAMPLES)
    for of_response, value in examples:
        jsonschema_rs.validate(of_response | {"components": document["components"]}, value)


def test_every_parameter_is_explained(schema):
    unexplained = [
        (path, parameter["name"])
        for path, operations in yaml.safe_load(schema)["paths"].items()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]

    assert unexplained == []


def test_swagger_ui_comes_from_our_own_files_and_runs_no_script_of_others(client):
    page = client.get("/api/v1/docs/")
    addresses = [part.split('"')[0] for mark in ('src="', 'href="') for part in page.text.split(mark)[1:]]

    assert len(addresses) == 9
    assert all(address.startswith("/") and not address.startswith("//") for address in addresses)
    assert "script-src 'self';" in page["Content-Security-Policy"]
    assert "<script>" not in page.text
