"""What ad-ops do, in a real browser: log in, look at lists, hide products, roll back, create a key, log out."""

import csv
import json
import re
from datetime import timedelta
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PRODUCTS, TODAY
from tests.web.conftest import PASSWORD, hide, make_list, make_run

ADVERTISER = "/admin/rankings/advertiser/SHOES/change/"


def products_of(site, **headers):
    request = Request(f"{site}/api/v1/recommendations/SHOES/TopProduct", headers=headers)  # noqa: S310
    with urlopen(request) as response:  # noqa: S310
        return [item["product_id"] for item in json.load(response)["items"]]


def test_a_viewer_sees_why_a_product_has_its_rank(visit, rows):
    visitor = visit()
    page = visitor.page
    visitor.log_in("viewer", PASSWORD)
    visitor.go(ADVERTISER)
    page.get_by_role("link", name="Why boots in TopCTR").click()
    expect(page.get_by_role("heading", name="boots in TopCTR of")).to_be_visible()
    expect(page.get_by_text("It ranks", exact=False)).to_be_visible()
    visitor.take_screenshot("walk why")

    page.get_by_label("Product").fill("wellingtons")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text("It had no events on")).to_be_visible()
    assert (visitor.errors, visitor.foreign_requests) == ([], [])


def test_an_operator_hides_a_product_and_the_api_leaves_it_out(visit, rows, live_server):
    before = products_of(live_server.url)
    visitor = visit()
    page = visitor.page
    visitor.log_in("operator", PASSWORD)
    expect(page.get_by_role("heading", name="Last night's lists are published")).to_be_visible()

    visitor.go(ADVERTISER)
    page.get_by_role("link", name="Hide boots").first.click()
    expect(page.get_by_role("row", name="hidden boots").first).to_be_visible()
    page.get_by_label("Reason").fill("Recalled by the maker")
    page.get_by_label("Hidden until").fill(str(TODAY + timedelta(days=7)))
    page.get_by_role("button", name="Hide").click()
    expect(page.get_by_text("Product boots is hidden until")).to_be_visible()
    visitor.take_screenshot("walk hidden")
    assert products_of(live_server.url) == [product for product in before if product != "boots"]

    page.get_by_role("button", name="Unhide boots").click()
    expect(page.get_by_text("Product boots is no longer hidden.")).to_be_visible()
    assert products_of(live_server.url) == before

    page.get_by_role("button", name="Log out").click()
    visitor.go("/admin/")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert (visitor.errors, visitor.foreign_requests) == ([], [])


def find_shoes(visitor):
    """From the home page to the advertiser's, by a part of the id."""
    visitor.page.get_by_label("Find an advertiser").fill("hoe")
    visitor.page.keyboard.press("Enter")
    visitor.click("link", "SHOES", exact=True)


def test_an_advertiser_is_found_and_two_days_compared_with_two_clicks(visit, rows):
    visitor = visit()
    visitor.log_in("viewer", PASSWORD)
    find_shoes(visitor)
    other = TODAY - timedelta(days=5)
    visitor.page.get_by_label("compared with").fill(str(other))
    visitor.click("button", "Show")

    expect(visitor.page.get_by_text(f"Compared with {other:%A}, {other.day} {other:%B %Y}")).to_be_visible()
    assert visitor.clicks <= 3


def test_a_list_is_exported_with_two_clicks(visit, rows):
    visitor = visit()
    visitor.log_in("viewer", PASSWORD)
    find_shoes(visitor)
    with visitor.page.expect_download() as download:
        visitor.click("link", "CSV")

    exported = list(csv.DictReader(download.value.path().open()))
    assert sorted(row["product_id"] for row in exported) == sorted(PRODUCTS)
    assert visitor.clicks <= 3


def test_a_pasted_list_of_ten_products_is_previewed_and_hidden_with_three_clicks(visit, rows, live_server):
    visitor = visit()
    page = visitor.page
    visitor.log_in("operator", PASSWORD)
    find_shoes(visitor)
    visitor.click("link", "Hide products")
    pasted = [*PRODUCTS[:7], "wellingtons", "brogues", "moccasins"]
    page.get_by_label("Products").fill("\n".join(pasted))
    page.get_by_label("Hidden until").fill(str(TODAY + timedelta(days=7)))
    page.get_by_label("Reason").fill("Recalled by the maker")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="without these 10 products")).to_be_visible()
    expect(page.get_by_text("In none of these lists: wellingtons, brogues, moccasins.")).to_be_visible()
    visitor.take_screenshot("walk preview")
    visitor.click("button", "Hide", exact=True)

    expect(page.get_by_text("10 products are hidden until")).to_be_visible()
    assert products_of(live_server.url) == [product for product in PRODUCTS if product not in pasted]
    assert visitor.clicks <= 3
    assert (visitor.errors, visitor.foreign_requests) == ([], [])


def test_all_hidden_products_are_reviewed_with_their_reasons_with_one_click(visit, rows):
    hide("SHOES", "clogs", until=TODAY + timedelta(days=30))
    hide("SHOES", "mules", until=TODAY - timedelta(days=30))
    visitor = visit()
    visitor.log_in("viewer", PASSWORD)
    visitor.click("link", "All hidden products, with reasons")
    results = visitor.page.locator("#result_list")

    expect(results.get_by_role("row", name="clogs")).to_contain_text("because")
    expect(results.get_by_role("row", name="mules")).to_have_count(0)


def test_an_operator_rolls_back_and_the_api_serves_the_earlier_run(visit, rows, live_server):
    earlier = make_run(rows.day, state="superseded")
    make_list(earlier, "SHOES", "galoshes")
    visitor = visit()
    page = visitor.page
    visitor.log_in("operator", PASSWORD)
    visitor.go(f"/admin/rankings/run/{earlier.pk}/change/")
    page.get_by_role("button", name="Roll back to this run").click()
    visitor.take_screenshot("walk roll back")
    page.get_by_label("Reason").fill("Wrong prices")
    page.get_by_role("button", name=f"Roll back to run {earlier.pk}").click()
    expect(page.locator(".messagelist .success")).to_be_visible()

    assert products_of(live_server.url) == ["galoshes"]
    assert (visitor.errors, visitor.foreign_requests) == ([], [])


def test_the_list_of_runs_shows_the_day_of_each(visit, rows):
    visitor = visit()
    visitor.log_in("viewer", PASSWORD)
    visitor.go("/admin/rankings/run/")
    sizes = visitor.page.locator("#result_list .field-day").evaluate_all(
        "cells => cells.map(cell => getComputedStyle(cell).fontSize)"
    )

    assert sizes
    assert "0px" not in sizes


def test_an_administrator_creates_a_key_and_the_api_accepts_it(visit, rows, live_server, settings):
    settings.API_PUBLIC = False
    visitor = visit()
    page = visitor.page
    visitor.log_in("administrator", PASSWORD)
    visitor.go("/admin/keys/apikey/add/")
    page.get_by_label("Name").fill("ad server")
    visitor.take_screenshot("walk new key")
    page.get_by_role("button", name="Save", exact=True).click()
    visitor.take_screenshot("walk key made")
    key = page.locator("code[id^=key-]").inner_text()

    with pytest.raises(HTTPError, match="401"):
        products_of(live_server.url)
    assert len(products_of(live_server.url, Authorization=f"Api-Key {key}")) == 8
    assert (visitor.errors, visitor.foreign_requests) == ([], [])


def test_a_past_day_can_be_chosen_with_the_keyboard(visit, rows):
    visitor = visit()
    page = visitor.page
    visitor.log_in("viewer", PASSWORD)
    visitor.go(ADVERTISER)
    page.get_by_label("Day", exact=True).focus()
    wanted = TODAY - timedelta(days=4)
    page.keyboard.type(f"{wanted:%m%d%Y}")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"day={wanted}"))

    expect(page.get_by_text(f"{wanted:%A}, {wanted.day} {wanted:%B %Y}")).to_be_visible()


def test_everything_clickable_can_be_reached_with_the_keyboard(visit, rows):
    visitor = visit()
    page = visitor.page
    visitor.log_in("operator", PASSWORD)
    visitor.go(ADVERTISER)
    wanted = page.locator("a:visible, button:visible, input:visible, summary:visible").count()
    reached = page.evaluate(
        """() => [...document.querySelectorAll("a, button, input, summary")].filter(
            element => element.checkVisibility() && element.tabIndex >= 0).length"""
    )
    page.keyboard.press("Tab")

    assert reached == wanted
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
