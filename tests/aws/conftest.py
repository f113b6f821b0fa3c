"""A stand-in for an AWS account: all of moto's server, in an environment of its own, with the stack created in it."""

import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from devstack.s3 import ACCESS_KEY, REGION, SECRET_KEY
from devstack.state import free_port
from tests.aws.template import TEMPLATE

# What moto stumbles over and AWS does not; cfn-lint looks at these too.
NOT_FOR_MOTO = [
    "      DBParameterGroupName: !Ref DatabaseSettings\n",  # it wants a name, no reference
    "  Application: {Condition: HasImages, Value: !Ref Application}\n",  # it makes no EMR Serverless applications
    "  Address: {Condition: HasImages, Value: !GetAtt Web.Endpoint}\n",  # nor Express services
]


@pytest.fixture(scope="session")
def account(tmp_path_factory):
    """A function from the name of a service to a boto3 client of it."""
    address, log = f"http://127.0.0.1:{(port := free_port())}", tmp_path_factory.mktemp("aws") / "moto.log"
    uvx, moto = str(Path(sys.executable).parent / "uvx"), f"moto[all,server]=={version('moto')}"
    # Installed before it is started, so that the process we hold is the server and not uvx on its way to one.
    subprocess.run([uvx, "--from", moto, "moto_server", "--help"], check=True, capture_output=True, timeout=300)
    with log.open("w") as output:
        server = subprocess.Popen(
            [uvx, "--from", moto, "moto_server", "-H", "127.0.0.1", "-p", str(port)], stdout=output, stderr=output
        )

    def client(service):
        return boto3.client(
            service,
            endpoint_url=address,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(retries={"total_max_attempts": 1}),
        )

    patience = time.monotonic() + 60
    while True:
        try:
            client("sts").get_caller_identity()
            break
        except BotoCoreError:
            assert time.monotonic() < patience and server.poll() is None, log.read_text()
            time.sleep(0.2)
    yield client
    server.terminate()
    server.wait(20)


@pytest.fixture(scope="session")
def created(account):
    """The stack, created with its images; what the stand-in then says of it."""
    template = TEMPLATE.read_text()
    for line in NOT_FOR_MOTO:
        assert template.count(line) == 1
        template = template.replace(line, "")
    template = template.replace("    Condition: HasImages\n", "")  # of conditions, it takes the parameter's default
    chosen = {"AlertEmail": "somebody@example.com", "ImageTag": "v1"}
    formation = account("cloudformation")
    formation.create_stack(
        StackName="vitrina",
        TemplateBody=template,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in chosen.items()],
    )
    described = formation.describe_stacks(StackName="vitrina")["Stacks"][0]
    return {"status": described["StackStatus"], **{o["OutputKey"]: o["OutputValue"] for o in described["Outputs"]}}
