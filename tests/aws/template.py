"""conf/aws/stack.yaml as plain Python: `!Ref X` is {"Ref": "X"}, and `!Sub text` is the text."""

from typing import Any

import yaml

from devstack.state import ROOT

TEMPLATE = ROOT / "conf/aws/stack.yaml"


class Reader(yaml.SafeLoader):
    """YAML with CloudFormation's short functions."""


def _short(loader: Reader, name: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    else:
        value = loader.construct_sequence(node, deep=True)  # type: ignore[arg-type]
    return value if name == "Sub" else {name: value}


Reader.add_multi_constructor("!", _short)


def resources(kind: str) -> dict[str, Any]:
    """Return the properties of all resources of a kind, such as `AWS::S3::Bucket`, by their names in the template."""
    everything = yaml.load(TEMPLATE.read_text(), Reader)["Resources"]  # noqa: S506  # a SafeLoader all the same
    found = {name: r.get("Properties", {}) for name, r in everything.items() if r["Type"] == kind}
    assert found, kind
    return found
