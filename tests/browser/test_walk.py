"""What ad-ops do, done in a real browser: log in, look around, hide a product and see the API drop it, log out."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SIZES
from tests.web.conftest import PASSWORD, hide, make_advertiser, make_counts, make_list, make_run, make_user
from webapp.rankings.models import TopCTR, TopCTRWindow, TopProductWindow, Trending

TODAY = datetime.now(UTC).date()
PAGES = {
    "home": "/admin/",
    "advertiser": "/admin/rankings/advertiser/SHOES/change/",
    "week": "/admin/rankings/advertiser/SHOES/change/?window=7",
    "why": "/admin/rankings/advertiser/SHOES/explain/?model=TopCTR&product_id=boots",
    "hide": "/admin/rankings/advertiser/SHOES/hide/?product_id=boots",
    "run": "/admin/rankings/run/{run}/change/",
    "runs": "/admin/rankings/run/",
    "hidden": "/admin/curation/hiddenproduct/",
    "keys": "/admin/keys/apikey/",
    "new key": "/admin/keys/apikey/add/",
    "users": "/admin/auth/user/",
    "account": "/admin/auth/user/{user}/change/",
}


def card(impressions, clicks):
    """How a list did: more of its impressions were clicked than of the others."""
    others = {"other_impressions": 51_000 - impressions, "other_clicks": 800 - clicks}
    return {"of_run": 1, "impressions": impressions, "clicks": clicks, **others}


@pytest.fixture
def rows(transactional_db):
    """A month of runs, a week of lists of one advertiser, one product hidden, and an account a role; the newest run."""
    make_advertiser("SHOES")
    make_advertiser("HATS")
    products = "sandals boots loafers sneakers clogs mules pumps slippers"
    for age in range(30, 0, -1):
        counts = {
            "read": {"product_views": 40_000 + 900 * (age % 7), "ads_views": 52_000},
            "rejected": {"bad date": 60 + 35 * (age % 5), "too few columns": 11},
            "inactive": 310,
            "events": 91_000 + 900 * (age % 7),
            "views": 39_000 + 900 * (age % 7),
            "impressions": 51_000,
            "clicks": 800 + 40 * (age % 6),
            "top_product": 8,
            "top_ctr": 8,
            "scorecard_top_product": card(9_000, 150 + age),
            "scorecard_top_ctr": card(6_000, 240 + age),
        }
        run = make_run(TODAY - timedelta(days=age), counts=counts)
        if age <= 7:
            order = products.split()[age % 3 :] + products.split()[: age % 3]
            make_list(run, "SHOES", " ".join(order))
            make_list(run, "SHOES", " ".join(reversed(order)), TopCTR)
            make_list(run, "SHOES", " ".join(order[:3]), Trending)
            make_list(run, "SHOES", " ".join(order), TopProductWindow, days=7)
            make_list(run, "SHOES", " ".join(order), TopCTRWindow, days=7)
            places = enumerate(reversed(order), start=1)
            make_counts(run, "SHOES", {product: [40 - n, 900, 90 - n, 7 * n] for n, product in places}, past_days=7)
    make_run(TODAY, state="refused", message="ads_views has no rows of the day; 1,203 events where 91,000 are usual")
    for role in ("viewer", "operator", "administrator"):
        make_user(role, role)
    return run


def products_of(site, **headers):
    question = Request(f"{site}/api/v1/recommendations/SHOES/TopProduct", headers=headers)  # noqa: S310
    with urlopen(question) as answer:  # noqa: S310
        return [item["product_id"] for item in json.load(answer)["items"]]


def test_a_viewer_asks_why_a_product_has_its_place(visit, rows):
    visitor = visit()
    page = visitor.page
    visitor.log_in("viewer", PASSWORD)
    visitor.go(PAGES["advertiser"])
    page.get_by_role("link", name="Why boots in TopCTR").click()
    expect(page.get_by_role("heading", name="boots in TopCTR of")).to_be_visible()
    expect(page.get_by_text("It ranks", exact=False)).to_be_visible()
    visitor.take_picture("walk why")

    page.get_by_label("Product").fill("wellingtons")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text("It had no events on")).to_be_visible()
    assert (visitor.complaints, visitor.elsewhere) == ([], [])


def test_an_operator_hides_a_product_and_the_next_answer_of_the_api_lacks_it(visit, rows, live_server):
    before = products_of(live_server.url)
    visitor = visit()
    page = visitor.page
    visitor.log_in("operator", PASSWORD)
    expect(page.get_by_role("heading", name="Last night's run is published")).to_be_visible()

    visitor.go(PAGES["advertiser"])
    page.get_by_role("link", name="Hide boots").first.click()
    expect(page.get_by_role("row", name="hidden boots").first).to_be_visible()
    page.get_by_label("Reason").fill("Recalled by the maker")
    page.get_by_label("Hidden until").fill(str(TODAY + timedelta(days=7)))
    page.get_by_role("button", name="Hide").click()
    expect(page.get_by_text("Product boots is hidden until")).to_be_visible()
    visitor.take_picture("walk hidden")
    assert products_of(live_server.url) == [product for product in before if product != "boots"]

    page.get_by_role("button", name="Unhide boots").click()
    expect(page.get_by_text("Product boots is hidden no more.")).to_be_visible()
    assert products_of(live_server.url) == before

    page.get_by_role("button", name="Log out").click()
    visitor.go("/admin/")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert (visitor.complaints, visitor.elsewhere) == ([], [])


def test_an_operator_goes_back_to_an_earlier_run_and_the_api_answers_from_it(visit, rows, live_server):
    earlier = make_run(rows.day, state="superseded")
    make_list(earlier, "SHOES", "galoshes")
    visitor = visit()
    page = visitor.page
    visitor.log_in("operator", PASSWORD)
    visitor.go(PAGES["run"].format(run=earlier.pk))
    page.get_by_role("button", name="Go back to this run").click()
    visitor.take_picture("walk go back")
    page.get_by_label("Reason").fill("Wrong prices")
    page.get_by_role("button", name=f"Go back to run {earlier.pk}").click()
    expect(page.locator(".messagelist .success")).to_be_visible()

    assert products_of(live_server.url) == ["galoshes"]
    assert (visitor.complaints, visitor.elsewhere) == ([], [])


def test_an_administrator_makes_a_key_and_the_closed_api_answers_it_alone(visit, rows, live_server, settings):
    settings.API_PUBLIC = False
    visitor = visit()
    page = visitor.page
    visitor.log_in("administrator", PASSWORD)
    visitor.go("/admin/keys/apikey/add/")
    page.get_by_label("Name").fill("ad server")
    visitor.take_picture("walk new key")
    page.get_by_role("button", name="Save", exact=True).click()
    visitor.take_picture("walk key made")
    key = page.locator("code[id^=key-]").inner_text()

    with pytest.raises(HTTPError, match="401"):
        products_of(live_server.url)
    assert len(products_of(live_server.url, Authorization=f"Api-Key {key}")) == 8
    assert (visitor.complaints, visitor.elsewhere) == ([], [])


def test_a_past_day_is_picked_with_the_keyboard_alone(visit, rows):
    visitor = visit()
    page = visitor.page
    visitor.log_in("viewer", PASSWORD)
    visitor.go(PAGES["advertiser"])
    page.get_by_label("Day", exact=True).focus()
    wanted = TODAY - timedelta(days=4)
    page.keyboard.type(f"{wanted:%m%d%Y}")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"day={wanted}"))

    expect(page.get_by_text(f"{wanted:%A}, {wanted.day} {wanted:%B %Y}")).to_be_visible()


def test_the_keyboard_reaches_everything_that_a_mouse_does(visit, rows):
    visitor = visit()
    page = visitor.page
    visitor.log_in("operator", PASSWORD)
    visitor.go(PAGES["advertiser"])
    wanted = page.locator("a:visible, button:visible, input:visible, summary:visible").count()
    reached = page.evaluate(
        """() => [...document.querySelectorAll("a, button, input, summary")].filter(
            element => element.checkVisibility() && element.tabIndex >= 0).length"""
    )
    page.keyboard.press("Tab")

    assert reached == wanted
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_fits_and_the_browser_has_nothing_to_complain_of(visit, rows, size, scheme):
    ann = make_user("ann")
    hide("SHOES", "clogs", until=TODAY + timedelta(days=30), by=ann)
    visitor = visit(size, scheme)
    visitor.go("/admin/")
    visitor.take_picture(f"login {size} {scheme}")
    visitor.log_in("administrator", PASSWORD)
    wider = {}
    for name, path in PAGES.items():
        visitor.go(path.format(run=rows.pk, user=ann.pk))
        visitor.take_picture(f"{name} {size} {scheme}")
        wider[name] = visitor.sideways()

    assert wider == dict.fromkeys(PAGES, 0)
    assert (visitor.complaints, visitor.elsewhere) == ([], [])
    background = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(18, 18, 18)") == (scheme == "dark")
