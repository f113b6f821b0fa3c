"""A real Chromium, a live server and a month of data; screenshots go to tests/browser/screenshots/."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from playwright.sync_api import sync_playwright

from devstack.chromium import find_chromium
from tests.web.conftest import (
    empty_caches,
    make_advertiser,
    make_counts,
    make_list,
    make_run,
    make_user,
    plain_static_files,
    quick_passwords,
)
from webapp.rankings.models import ExpectedCTR, TopCTR, TopCTRWindow, TopProductWindow, Trending

__all__ = ["empty_caches", "plain_static_files", "quick_passwords"]

TODAY = datetime.now(UTC).date()
PRODUCTS = ["sandals", "boots", "loafers", "sneakers", "clogs", "mules", "pumps", "slippers"]
SCREENSHOTS = Path(__file__).parent / "screenshots"
SIZES = {
    "wide": {"width": 1920, "height": 1080},
    "desktop": {"width": 1280, "height": 800},
    "tablet": {"width": 768, "height": 1024},
    "phone": {"width": 375, "height": 812},
}


@pytest.fixture(scope="module")
def chromium():
    """The machine's Chromium. Playwright runs an event loop in this thread, in which Django refuses to query by default."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session", autouse=True)
def screenshots():
    """The folder of this run's screenshots, empty at first."""
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    SCREENSHOTS.mkdir()
    return SCREENSHOTS


class Visitor:
    """A browser window that records clicks, console errors and requests to other hosts."""

    def __init__(self, context, site):
        self.site = site
        self.page = context.new_page()
        self.clicks = 0
        self.errors: list[str] = []
        self.foreign_requests: list[str] = []
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self.record_foreign)

    def record_foreign(self, request):
        if not request.url.startswith(self.site):
            self.foreign_requests.append(request.url)

    def go(self, path):
        self.page.goto(f"{self.site}{path}")

    def click(self, role, name, **options):
        """Click the first link or button of that name, and count it."""
        self.clicks += 1
        self.page.get_by_role(role, name=name, **options).first.click()

    def log_in(self, name, password):
        self.go("/admin/")
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()

    def take_screenshot(self, name):
        self.page.screenshot(path=SCREENSHOTS / f"{re.sub('[^a-z0-9]+', '-', name)}.png", full_page=True)

    def overflow(self):
        """By how many pixels the page is wider than the window, or the content of a card wider than the card.

        On a desktop also a row list, or an advertiser's list, than its box: narrower windows scroll them.
        """
        return self.page.evaluate(
            """boxes => Math.max(...[document.documentElement, ...document.querySelectorAll(boxes)].map(
                box => box.scrollWidth - box.clientWidth))""",
            ".card" if self.page.viewport_size["width"] < 1280 else ".card, .list .scroll, #changelist .results",
        )


@pytest.fixture
def visit(chromium, live_server):
    """A function that opens a browser window of a size and colour scheme."""
    contexts = []

    def open_window(size="desktop", scheme="light"):
        contexts.append(chromium.new_context(viewport=SIZES[size], color_scheme=scheme))
        return Visitor(contexts[-1], live_server.url)

    yield open_window
    for context in contexts:
        context.close()


def card(impressions, clicks):
    """A scorecard whose list has a better click rate than the other products."""
    others = {"other_impressions": 51_000 - impressions, "other_clicks": 800 - clicks}
    return {"of_run": 1, "impressions": impressions, "clicks": clicks, **others}


@pytest.fixture
def rows(transactional_db):
    """A month of runs, a week of lists of one advertiser, and an account a role; the newest run.

    Run ids have seven digits, so that no page fits only while they are short.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('run_id_seq', greatest(nextval('run_id_seq'), 1000000))")
    make_advertiser("SHOES")
    make_advertiser("HATS")
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
            "scorecard_trending": card(2_000, 60 + age),
            "scorecard_expected_ctr": card(7_000, 310 + age),
        }
        seconds = {
            "read raw files": 10.0 + age % 3,
            "prepare": 3.2,
            "rank and append": 8.8,
            "audit": 0.4,
            "publish": 0.1,
        }
        stages = [{"stage": stage, "seconds": each} for stage, each in seconds.items()]
        inputs = {"ads_views": {"files": [{"path": f"s3a://bucket/raw/{'long-name-' * 12}.parquet", "size": 52_000}]}}
        run = make_run(TODAY - timedelta(days=age), counts=counts, stages=stages, inputs=inputs)
        if age <= 7:
            order = PRODUCTS[age % 3 :] + PRODUCTS[: age % 3]
            make_list(run, "SHOES", " ".join(order))
            make_list(run, "SHOES", " ".join(reversed(order)), TopCTR)
            make_list(run, "SHOES", " ".join(order[:3]), Trending)
            make_list(run, "SHOES", " ".join(reversed(order)), ExpectedCTR, decayed_impressions=5_432.1)
            make_list(run, "SHOES", " ".join(order), TopProductWindow, days=7)
            make_list(run, "SHOES", " ".join(order), TopCTRWindow, days=7)
            places = enumerate(reversed(order), start=1)
            numbers = {product: [40 - n, 900, 90 - n, 7 * n, (300 - n) << 20, 5_000 << 20] for n, product in places}
            make_counts(run, "SHOES", numbers, past_days=7, prior=(0.012345678, 123.456))
    make_run(TODAY, state="refused", message="ads_views has no rows of the day; 1,203 events where 91,000 are usual")
    for role in ("viewer", "operator", "administrator"):
        make_user(role, role)
    return run
