"""Base images are pinned by digest, so that a tag that somebody moves changes nothing."""

import re

import pytest

from devstack.state import ROOT

PINNED = re.compile(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}")


def images_of(name):
    """The images that a Dockerfile builds on, except its own stages."""
    text = (ROOT / name).read_text()
    stages = set(re.findall(r" AS (\w+)$", text, re.MULTILINE))
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)$", text, re.MULTILINE))
    bases = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) - stages
    return {arguments.get(base.strip("${}"), base) for base in bases}


@pytest.mark.parametrize("name", ["Dockerfile.spark", "Dockerfile.web"])
def test_every_base_image_is_pinned_by_digest(name):
    images = images_of(name)

    assert images
    assert [image for image in images if not PINNED.fullmatch(image)] == []


def test_both_dockerfiles_have_the_same_base():
    assert images_of("Dockerfile.spark") == images_of("Dockerfile.web")


def test_the_image_that_aws_replaces_can_be_pinned_when_it_is_deployed():
    [base] = images_of("conf/emr/Dockerfile")

    assert base == "public.ecr.aws/emr-serverless/spark/${RELEASE}:latest"
    assert '--build-arg "EMR=$EMR_IMAGE"' in (ROOT / "conf/aws/deploy").read_text()
