"""A real Chromium before a live server; screenshots are kept under tests/browser/screenshots/."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from devstack.chromium import find_chromium
from tests.web.conftest import plain_static_files, quick_passwords

__all__ = ["plain_static_files", "quick_passwords"]

SCREENSHOTS = Path(__file__).parent / "screenshots"
SIZES = {
    "desktop": {"width": 1280, "height": 800},
    "tablet": {"width": 980, "height": 800},
    "phone": {"width": 375, "height": 812},
}


@pytest.fixture(scope="module")
def chromium():
    """The machine's Chromium. Django takes Playwright's event loop in this thread for one that it must not block."""
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
    """A person at the browser, who also keeps what the browser complained about and whom it asked."""

    def __init__(self, context, site):
        self.site = site
        self.page = context.new_page()
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda asked: None if asked.url.startswith(site) else self.elsewhere.append(asked.url))

    def go(self, path):
        self.page.goto(f"{self.site}{path}")

    def log_in(self, name, password):
        self.go("/admin/")
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()

    def take_picture(self, name):
        self.page.screenshot(path=SCREENSHOTS / f"{re.sub('[^a-z0-9]+', '-', name)}.png", full_page=True)

    def sideways(self):
        """How many pixels the page is wider than the window, or what is in a card wider than the card."""
        return self.page.evaluate(
            """() => Math.max(...[document.documentElement, ...document.querySelectorAll(".card")].map(
                box => box.scrollWidth - box.clientWidth))"""
        )


@pytest.fixture
def visit(chromium, live_server):
    """A function that opens a window of a size and a colour scheme and gives a Visitor."""
    contexts = []

    def open_window(size="desktop", scheme="light"):
        contexts.append(chromium.new_context(viewport=SIZES[size], color_scheme=scheme))
        return Visitor(contexts[-1], live_server.url)

    yield open_window
    for context in contexts:
        context.close()
