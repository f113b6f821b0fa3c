"""Read conf/aws/stack.yaml: `!Ref X` becomes {"Ref": "X"}, and `!Sub text` becomes the text."""

from typing import Any

import yaml

from devstack.state import ROOT

TEMPLATE = ROOT / "conf/aws/stack.yaml"


class TemplateLoader(yaml.SafeLoader):
    """Loads YAML with CloudFormation's short function names."""


def _construct(loader: TemplateLoader, name: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    else:
        value = loader.construct_sequence(node, deep=True)  # type: ignore[arg-type]
    return value if name == "Sub" else {name: value}


TemplateLoader.add_multi_constructor("!", _construct)


def section(name: str) -> dict[str, Any]:
    """Return a top-level section, such as `Parameters`."""
    found: dict[str, Any] = yaml.load(TEMPLATE.read_text(), TemplateLoader)[name]  # noqa: S506  # a subclass of SafeLoader
    return found


def resources(type_name: str) -> dict[str, Any]:
    """Return the properties of all resources of a type, such as `AWS::S3::Bucket`, by their logical ids."""
    found = {name: r.get("Properties", {}) for name, r in section("Resources").items() if r["Type"] == type_name}
    assert found, type_name
    return found
