"""The Content-Security-Policy: nothing inline, nothing from elsewhere, on every page that people see."""

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


def test_a_page_comes_with_a_policy_that_allows_nothing_inline_or_foreign(answer):
    policy = answer["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert not re.search(r"unsafe|http|data:|\*", policy)


def test_a_page_has_nothing_that_the_policy_forbids(answer):
    scripts = [tag for tag in re.findall(r"<script[^>]*>", answer.text) if "application/json" not in tag]

    assert all("src=" in tag for tag in scripts)
    assert not re.search(r"""<style|\son\w+=["']|javascript:""", answer.text)


def test_a_page_loads_nothing_from_elsewhere(answer):
    loaded = re.findall(r"""<(?:script|link|img|iframe)[^>]*?(?:src|href)=["']([^"']+)""", answer.text)

    assert [address for address in loaded if not re.match(r"/(?!/)", address)] == []
