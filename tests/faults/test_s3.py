"""S3 answering badly, for a while and for good, through a proxy that does it to real requests of a real job."""

from itertools import count

import pytest

from tests.faults.s3_proxy import FAULTS, BadS3
from tests.processes import complaints

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]


def every_third():
    """Strike every third request."""
    numbers = count(1)
    return lambda method, path: next(numbers) % 3 == 0


def first_of_each_kind():
    """Strike the first look, the first list, the first file read and the first file written: each stall takes 15 seconds."""
    unseen = {("HEAD", False), ("GET", True), ("GET", False), ("PUT", False)}

    def strikes(method, path):
        kind = (method, "list-type" in path)
        is_first = kind in unseen
        unseen.discard(kind)
        return is_first

    return strikes


@pytest.mark.parametrize("fault", FAULTS)
def test_an_s3_that_is_bad_for_a_while_is_asked_again_and_the_run_publishes(
    fault, reader, new_in_s3, start_job, stack, nothing_is_left, counted
):
    strikes = first_of_each_kind() if fault == "stall" else every_third()
    with BadS3(stack.s3.endpoint(), fault, strikes) as s3:
        code, _, said = start_job(AWS_ENDPOINT_URL=s3.endpoint).wait(400)
    counted.faults += s3.injected
    reader.read_on()

    assert code == 0, said
    assert s3.injected >= 4
    assert reader.saw == ["old", "new"]
    assert nothing_is_left()


def all_requests(method, path):
    return True


def writes_to_the_lake(method, path):
    return method in ("PUT", "POST") and "/lake/" in path


@pytest.mark.parametrize(
    ("fault", "strikes"), [*((fault, all_requests) for fault in FAULTS), ("503 Slow Down", writes_to_the_lake)]
)
def test_an_s3_that_is_bad_for_good_ends_the_job_1_in_minutes_with_one_sentence_and_the_next_publishes(
    fault, strikes, reader, new_in_s3, start_job, stack, the_next_night_publishes, counted
):
    with BadS3(stack.s3.endpoint(), fault, strikes) as s3:
        code, report, said = start_job(AWS_ENDPOINT_URL=s3.endpoint).wait(300)
    counted.faults += s3.injected
    reader.read_on()

    assert (code, report["state"]) == (1, "failed"), said
    assert len(complaints(said)) == 1
    assert "Traceback" not in said
    assert reader.saw == ["old"]
    assert the_next_night_publishes()
