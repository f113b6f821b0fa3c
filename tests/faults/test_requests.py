"""Unusual requests against a real gunicorn: the ones that never reach Django, and those that Django alone would misread."""

import http.client
import json
import re
import socket
from contextlib import closing
from urllib.parse import quote

import pytest
from django.db import connection

from tests.web.conftest import make_publication
from tests.web.server import fetch, server
from webapp.api.problems import BodyTooLarge
from webapp.limits import MAX_BYTES, MAX_ID_LENGTH, MAX_IDS, MAX_REQUEST_LINE

HOST = b"Host: 127.0.0.1\r\n"
BATCH = b"POST /recommendations/batch HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
BODY = json.dumps({"advertiser_ids": ["A", "B"], "limit": 2}).encode()
LIVE = b"GET /health/live HTTP/1.1\r\n" + HOST
LONGEST = "😀" * MAX_ID_LENGTH  # each character takes four bytes, percent-encoded twelve


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The home folder of the server, where gunicorn would put a control socket."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def running(home, stack, django_db_setup):
    """One server for all of these tests."""
    variables = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    with server(home, DATABASE_URL=stack.postgres.url(connection.settings_dict["NAME"]), **variables) as running:
        fetch(f"{running.address}/health/live")
        yield running


@pytest.fixture
def send(running):
    """A function that sends the pieces and returns status, content type and body of the first response."""

    def pieces(*pieces):
        with closing(running.connect()) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                client.sendall(piece)
            return next_response(client)

    return pieces


def next_response(client):
    response = http.client.HTTPResponse(client)
    response.begin()
    return response.status, response.headers["Content-Type"], response.read()


def chunks(body, size):
    """The body in chunks of this size, without the last one."""
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


CHUNKED = BATCH + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_body_in_chunks_gets_the_response_of_one_with_a_length(send, size):
    make_publication()
    plain = send(BATCH + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
    at_once = send(CHUNKED + chunks(BODY, size) + b"0\r\n\r\n")
    with_trailer = send(CHUNKED + chunks(BODY, size) + b"0;last=yes\r\nX-Checksum: 1\r\n\r\n")
    request = CHUNKED + chunks(BODY, size) + b"0\r\n\r\n"
    byte_by_byte = send(*(bytes([byte]) for byte in request))

    assert plain[0] == 200
    assert at_once == with_trailer == byte_by_byte == plain


def too_large(response):
    status, content_type, body = response
    problem = json.loads(body)
    expected = (413, "application/problem+json", BodyTooLarge.type, BodyTooLarge.title, "/recommendations/batch")
    return (status, content_type, problem["type"], problem["title"], problem["instance"]) == expected


def test_a_body_over_the_limit_is_refused_before_it_has_arrived(send):
    assert too_large(send(BATCH + b"Content-Length: %d\r\n\r\n" % (MAX_BYTES + 1)))
    assert too_large(send(CHUNKED + b"%x\r\n" % (MAX_BYTES + 1)))
    assert too_large(send(CHUNKED + chunks(b" " * MAX_BYTES, 1000) + b"1\r\n"))
    assert too_large(send(CHUNKED + chunks(b" " * MAX_BYTES, 1)))


@pytest.mark.django_db(transaction=True)
def test_the_largest_batch_is_not_too_large(send):
    make_publication()
    ids = [LONGEST[:-1] + chr(0x1F400 + number) for number in range(MAX_IDS)]
    body = json.dumps({"advertiser_ids": ids, "exclude": ids}, ensure_ascii=False).encode()

    assert send(BATCH + b"Content-Length: %d\r\n\r\n" % len(body), body)[0] == 200
    assert send(CHUNKED, chunks(body, 4000), b"0\r\n\r\n")[0] == 200


@pytest.mark.django_db(transaction=True)
def test_a_list_can_exclude_as_many_of_the_longest_ids_as_the_api_takes(running):
    make_publication()
    line = "/api/v1/recommendations/A/TopProduct?date=2026-03-09" + f"&exclude={quote(LONGEST)}" * MAX_IDS
    status, _, body = running.request(line)
    assert (status, json.loads(body)["items"][0]["product_id"]) == (200, "p1")

    status, _, body = running.request(f"{line}&exclude=1")
    assert (status, json.loads(body)["type"]) == (400, "invalid-parameter")


@pytest.mark.parametrize(
    ("status", "request_bytes"),
    [
        (400, b"nonsense\r\n\r\n"),
        (400, b"GET /health/live HTTP/9.9\r\n\r\n"),
        (400, b"GET /\xc3\xb1 HTTP/1.1\r\n" + HOST + b"\r\n"),
        (400, LIVE + b"Not a field\r\n\r\n"),
        (400, LIVE + HOST + b"\r\n"),
        (400, BATCH + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n12"),
        (400, BATCH + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (400, BATCH + b"Content-Length: -1\r\n\r\n"),
        (400, CHUNKED + b"no size\r\n"),
        (400, CHUNKED + b"-1\r\n"),
        (400, CHUNKED + b"2\r\nabc\r\n0\r\n\r\n"),
        (400, CHUNKED + b"0000000001\r\n"),
        (400, CHUNKED + b"0" * 10_000),
        (414, b"GET /" + b"x" * MAX_REQUEST_LINE + b" HTTP/1.1\r\n" + HOST + b"\r\n"),
        (414, b"GET /" + b"x" * MAX_REQUEST_LINE),
        (417, LIVE + b"Expect: a miracle\r\n\r\n"),
        (431, LIVE + b"X-Long: " + b"x" * 9000 + b"\r\n\r\n"),
        (431, LIVE + b"X-Many: 1\r\n" * 65 + b"\r\n"),
        (431, LIVE + b"X-Long: x\r\n" * 20_000),
        (501, BATCH + b"Transfer-Encoding: magic\r\n\r\n"),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, bytes) else str(value),
)
def test_what_gunicorn_refuses_is_a_problem_document(send, status, request_bytes):
    answered, content_type, body = send(request_bytes)
    problem = json.loads(body)

    assert (answered, content_type, problem["status"]) == (status, "application/problem+json", status)
    assert problem["title"]
    assert problem["detail"]
    assert "our side" not in problem["detail"]
    assert problem["instance"].startswith("/")


@pytest.mark.parametrize("parameter", ["x*=magic''a", "x*=idna''%ff", "x*=%00''a", f"x*{'9' * 5000}=a"])
@pytest.mark.parametrize("path", ["/health/live", "/admin/login/"])
def test_a_content_type_that_django_cannot_parse_is_refused(running, path, parameter):
    status, headers, _ = running.request(path, content_type=f"text/plain; {parameter}")

    assert (status, headers["Content-Type"]) == (400, "application/problem+json")


def test_requests_can_follow_each_other_without_a_wait(running):
    batch = BATCH + b"Content-Length: 2\r\n\r\n{}"
    with closing(running.connect()) as client:
        client.sendall(LIVE + b"\r\n" + batch + CHUNKED + b"2\r\n{}\r\n0\r\n\r\n" + LIVE + b"\r\n" + LIVE + b"\r\n")
        client.shutdown(socket.SHUT_WR)

        responses = b"".join(iter(lambda: client.recv(65536), b""))

    assert re.findall(rb"HTTP/1.1 (\d+) ", responses) == [b"200", b"400", b"400", b"200", b"200"]


def test_a_client_that_waits_for_100_continue_is_told_to_continue(running):
    with closing(running.connect()) as client:
        client.sendall(BATCH + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"{}")

        assert next_response(client)[0] == 400


@pytest.mark.parametrize("field", [b"SCRIPT_NAME: /elsewhere", b"Script-Name: /elsewhere", b"PATH_INFO: /health/live"])
def test_no_header_changes_the_path(send, field):
    assert send(b"GET /elsewhere/health/live HTTP/1.1\r\n" + HOST + field + b"\r\n\r\n")[0] == 404


def test_there_is_no_control_socket(running, home):
    assert [path for path in home.rglob("*") if path.is_socket()] == []
