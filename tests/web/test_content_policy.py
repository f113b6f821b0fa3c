"""The Content-Security-Policy of every HTML page: nothing inline, nothing from other hosts."""

import re

import pytest

from tests.web.conftest import hide, make_publication, make_run

pytestmark = pytest.mark.django_db
PAGES = [
    "/admin/",
    "/admin/rankings/advertiser/A/change/",
    "/admin/rankings/advertiser/A/hide/?product_id=p1",
    "/admin/rankings/run/{run}/change/",
    "/admin/rankings/topproduct/",
    "/admin/curation/hiddenproduct/",
    "/admin/auth/user/add/",
    "/admin/password_change/",
    "/api/v1/?format=api",
    "/",
]


@pytest.fixture(params=PAGES)
def answer(request, admin_client):
    make_publication()
    run = make_run(state="refused", message="why", counts={"rejected": {"bad": 1}})
    hide("A", "p1")
    return admin_client.get(request.param.format(run=run.pk))


def test_the_policy_allows_nothing_inline_or_from_other_hosts(answer):
    policy = answer["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert not re.search(r"unsafe|http|data:|\*", policy)


def test_a_page_contains_nothing_that_the_policy_forbids(answer):
    scripts = [tag for tag in re.findall(r"<script[^>]*>", answer.text) if "application/json" not in tag]

    assert all("src=" in tag for tag in scripts)
    assert not re.search(r"""<style|\son\w+=["']|javascript:""", answer.text)


def test_a_page_loads_nothing_from_other_hosts(answer):
    loaded = re.findall(r"""<(?:script|link|img|iframe)[^>]*?(?:src|href)=["']([^"']+)""", answer.text)

    assert [address for address in loaded if not re.match(r"/(?!/)", address)] == []


@pytest.mark.parametrize("address", ["/recommendations/A/TopProduct", "/nowhere", "/api/v1/schema/"])
def test_other_responses_have_the_policy_too(client, address):
    make_publication()

    assert "default-src 'none'" in client.get(address)["Content-Security-Policy"]


@pytest.mark.parametrize("address", ["/recommendations/A/TopProduct", "/", "/advertisers"])
def test_requests_outside_the_admin_take_no_session(admin_client, address):
    """A session would be read from the database, and the response would depend on the cookie."""
    make_publication()
    response = admin_client.get(address)

    assert not hasattr(response.wsgi_request, "session")
    assert "Cookie" not in response.get("Vary", "")
