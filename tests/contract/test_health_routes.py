"""Containers and load balancers never ask whether the lists are fresh: a late night must not take yesterday's offline."""

import re

from devstack.state import ROOT
from tests.aws.template import resources
from tests.contract.test_compose import TEXT


def test_the_load_balancer_asks_whether_the_process_is_alive():
    [web] = resources("AWS::ECS::ExpressGatewayService").values()

    assert web["HealthCheckPath"] == "/health/live"


def test_containers_ask_whether_the_server_is_ready():
    [command] = re.findall(r"HEALTHCHECK .* CMD (.*)", (ROOT / "Dockerfile.web").read_text())
    asked = re.findall(r'"(/health/\w+)"', (ROOT / "webapp/operations/healthcheck.py").read_text())

    assert command == '["python", "-m", "webapp.operations.healthcheck"]'
    assert asked == ["/health/ready"]
    assert "/health/fresh" not in TEXT
