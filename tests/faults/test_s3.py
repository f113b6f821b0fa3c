"""S3 failing for a while or for good: a proxy fails the requests of a real job."""

from itertools import count

import pytest

from tests.faults.s3_proxy import BadS3
from tests.processes import error_messages

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]


def every_third():
    """Fail every third request."""
    numbers = count(1)
    return lambda method, path: next(numbers) % 3 == 0


def first_of_each_kind():
    """Fail the first HEAD, listing, read and write: each stall takes 15 seconds."""
    unseen = {("HEAD", False), ("GET", True), ("GET", False), ("PUT", False)}

    def strikes(method, path):
        kind = (method, "list-type" in path)
        is_first = kind in unseen
        unseen.discard(kind)
        return is_first

    return strikes


@pytest.mark.parametrize(
    ("faults", "strikes"),
    [(["500", "503 Slow Down", "reset"], every_third()), (["stall"], first_of_each_kind())],
    ids=["500, 503 Slow Down and reset in turn", "stall"],
)
def test_requests_that_s3_fails_for_a_while_are_retried_and_the_run_publishes(
    faults, strikes, reader, new_in_s3, start_job, stack, nothing_is_left, counted
):
    with BadS3(stack.s3.endpoint(), faults, strikes) as s3:
        code, _, said = start_job(AWS_ENDPOINT_URL=s3.endpoint).wait(400)
    counted.faults += s3.injected
    reader.read_on()

    assert code == 0, said
    assert s3.injected >= 4  # each kind of fault, or of request, at least once
    assert reader.saw == ["old", "new"]
    assert nothing_is_left()


def all_requests(method, path):
    return True


def writes_to_the_lake(method, path):
    return method in ("PUT", "POST") and "/lake/" in path


@pytest.mark.parametrize(
    ("fault", "strikes"), [("500", all_requests), ("stall", all_requests), ("503 Slow Down", writes_to_the_lake)]
)
def test_if_s3_keeps_failing_the_job_exits_1_within_minutes_with_one_message_and_the_next_run_publishes(
    fault, strikes, reader, new_in_s3, start_job, stack, the_next_night_publishes, counted
):
    with BadS3(stack.s3.endpoint(), [fault], strikes) as s3:
        code, report, said = start_job(AWS_ENDPOINT_URL=s3.endpoint).wait(300)
    counted.faults += s3.injected
    reader.read_on()

    assert (code, report["state"]) == (1, "failed"), said
    assert len(error_messages(said)) == 1
    assert "Traceback" not in said
    assert reader.saw == ["old"]
    assert the_next_night_publishes()
