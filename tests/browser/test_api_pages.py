"""The front page and the API in a browser: every size and colour scheme, without scripts of the browsable pages."""

import pytest

from tests.browser.conftest import SIZES
from tests.web.conftest import make_list
from tests.web.keys import make_lists_of
from webapp.rankings.models import TopProductWindow

ADVERTISER = "WELLINGTONSANDMORE12"
PAGES = {
    "front": "/",
    "api": "/api/v1/",
    "api list": f"/api/v1/recommendations/{ADVERTISER}/TopProduct/?limit=5",
    "api history": f"/api/v1/history/{ADVERTISER}/",
    "api explanation": f"/api/v1/explain/{ADVERTISER}/TopProduct/product-of-{ADVERTISER}/",
    "api advertisers": "/api/v1/advertisers/?page_size=1",
    "api runs": "/api/v1/runs/",
    "api health": "/api/v1/health/ready/",
    "swagger ui": "/api/v1/docs/",
}


@pytest.fixture
def lists(transactional_db):
    """Lists of an advertiser with a long id, and of another one."""
    run = make_lists_of(ADVERTISER, "B")
    make_list(run, ADVERTISER, "p", TopProductWindow, days=7)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_fits_the_window_without_browser_errors(visit, lists, size, scheme):
    visitor = visit(size, scheme)
    overflow = {}
    for name, path in PAGES.items():
        visitor.go(path)
        if name == "swagger ui":
            visitor.page.locator(".opblock").first.wait_for()
        visitor.take_screenshot(f"{name} {size} {scheme}")
        overflow[name] = visitor.overflow()

    assert overflow == dict.fromkeys(PAGES, 0)
    assert (visitor.errors, visitor.foreign_requests) == ([], [])


def test_from_the_front_page_two_clicks_lead_to_why_a_product_has_its_rank(visit, lists):
    visitor = visit()
    visitor.go("/")
    visitor.page.get_by_role("link", name="API", exact=True).click()
    visitor.page.get_by_role("link", name="Why product-of-").click()

    assert '"rank": 1' in visitor.page.get_by_label("Body").inner_text()
    assert (visitor.errors, visitor.foreign_requests) == ([], [])
