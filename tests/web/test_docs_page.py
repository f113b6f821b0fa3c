"""/api/v1/docs/ in a real Chromium: Swagger UI runs under its policy, and a key entered there is used."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import sync_playwright

from tests.web.keys import make_key, make_lists_of

CHROMIUM = "/usr/bin/chromium"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture
def browse():
    """A function that calls a walk with a page, in a thread of its own: Playwright's loop and Django's ORM do not mix."""

    def run(walk):
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            error_messages = []
            page.on("console", lambda message: error_messages.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: error_messages.append(str(error)))
            try:
                return walk(page), error_messages
            finally:
                browser.close()

    def in_a_thread(walk):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(run, walk).result()

    return in_a_thread


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scheme", ["", "Api-Key "])
def test_swagger_ui_asks_with_the_key_that_was_entered(browse, live_server, settings, tmp_path, scheme):
    settings.API_PUBLIC = False
    make_lists_of("A")
    key = make_key("A")

    def walk(page):
        page.goto(f"{live_server.url}/api/v1/docs/")
        page.locator(".opblock").first.wait_for()
        questions = page.locator(".opblock").count()
        page.get_by_role("button", name="Authorize").first.click()
        page.locator(".auth-container input").fill(f"{scheme}{key}")
        page.locator(".auth-btn-wrapper button.authorize").click()
        page.locator(".auth-btn-wrapper button.btn-done").click()
        page.screenshot(path=tmp_path / "docs.png", full_page=False)
        page.locator("#operations-lists-recommendations .opblock-summary-control").click()
        page.get_by_role("button", name="Try it out").click()
        page.locator("[data-param-name=advertiser_id] input").fill("A")
        page.get_by_role("button", name="Execute").click()
        answer = page.locator(".live-responses-table .response .highlight-code").first
        answer.wait_for()
        page.screenshot(path=tmp_path / "answer.png", full_page=True)
        return questions, answer.inner_text()

    (questions, answer), error_messages = browse(walk)

    assert questions == 13
    assert "product-of-A" in answer
    assert error_messages == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "operation",
    ["lists-recommendations", "lists-history", "lists-explain", "lists-snapshots", "lists-recommendations_batch"],
)
def test_the_examples_of_swagger_ui_find_something_where_the_api_is_public(browse, live_server, operation):
    make_lists_of("A")

    def walk(page):
        page.goto(f"{live_server.url}/api/v1/docs/")
        page.locator(f"#operations-{operation} .opblock-summary-control").click()
        page.get_by_role("button", name="Try it out").click()
        page.get_by_role("button", name="Execute").click()
        status = page.locator(".live-responses-table .response .response-col_status").first
        status.wait_for()
        return status.inner_text().split()[0], page.locator(".request-url pre").inner_text()

    (status, address), error_messages = browse(walk)

    assert (status, error_messages) == ("200", []), address


@pytest.mark.django_db
@pytest.mark.parametrize(("public", "shown"), [(True, True), (False, False)])
def test_the_examples_name_an_advertiser_only_where_the_api_is_public(client, settings, public, shown):
    settings.API_PUBLIC = public
    make_lists_of("A")

    assert ('"advertiser_id": "A"' in client.get("/api/v1/docs/?script=").text) == shown


@pytest.mark.django_db
def test_swagger_ui_opens_while_nothing_is_published(client):
    assert "const example = {};" in client.get("/api/v1/docs/?script=").text
