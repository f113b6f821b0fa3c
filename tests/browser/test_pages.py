"""Every page of the admin in four widths, light and dark: nothing overflows, no browser errors, no serious axe finding."""

from datetime import timedelta

import pytest

from tests.browser.axe import serious_findings
from tests.browser.conftest import SIZES, TODAY
from tests.web.conftest import PASSWORD, hide, make_list, make_run, make_user
from webapp.rankings.models import Rollback

PAGES = {
    "home": "/admin/",
    "advertisers": "/admin/rankings/advertiser/",
    "advertiser": "/admin/rankings/advertiser/SHOES/change/",
    "week": "/admin/rankings/advertiser/SHOES/change/?window=7",
    "no lists": "/admin/rankings/advertiser/HATS/change/",
    "why": "/admin/rankings/advertiser/SHOES/explain/?model=TopCTR&product_id=boots",
    "hide": "/admin/rankings/advertiser/SHOES/hide/?product_id=boots",
    "run": "/admin/rankings/run/{run}/change/",
    "refused run": "/admin/rankings/run/{refused}/change/",
    "runs": "/admin/rankings/run/",
    "rollbacks": "/admin/rankings/rollback/",
    "top products": "/admin/rankings/topproduct/",
    "top ctrs": "/admin/rankings/topctr/",
    "trending": "/admin/rankings/trending/",
    "top ctrs over days": "/admin/rankings/topctrwindow/",
    "hidden": "/admin/curation/hiddenproduct/",
    "keys": "/admin/keys/apikey/",
    "new key": "/admin/keys/apikey/add/",
    "users": "/admin/auth/user/",
    "new account": "/admin/auth/user/add/",
    "account": "/admin/auth/user/{user}/change/",
    "groups": "/admin/auth/group/",
    "password": "/admin/password_change/",
    "lockouts": "/admin/axes/accessattempt/",
}


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        # One for every run of the tests; all of them take minutes.
        pytest.param(size, scheme, marks=[] if (size, scheme) == ("desktop", "light") else pytest.mark.long)
        for size in SIZES
        for scheme in ("light", "dark")
    ],
)
def test_every_page_fits_the_window_and_is_accessible(visit, rows, size, scheme):
    ann = make_user("ann")
    hide("SHOES", "clogs", until=TODAY + timedelta(days=30), by=ann)
    superseded = make_run(rows.day, state="superseded")
    make_list(superseded, "SHOES", "galoshes")
    Rollback.objects.create(day=rows.day, withdrawn=superseded, restored=rows, author="ann", reason="Wrong prices")
    refused = make_run(
        TODAY, state="refused", message="ads_views has no rows of the day; 1,203 events, 91,000 are usual"
    )
    visitor = visit(size, scheme)
    visitor.go("/admin/")
    visitor.take_screenshot(f"login {size} {scheme}")
    findings = {"login": serious_findings(visitor.page)}
    visitor.log_in("administrator", PASSWORD)
    overflow = {}
    for name, path in PAGES.items():
        visitor.go(path.format(run=rows.pk, refused=refused.pk, user=ann.pk))
        visitor.take_screenshot(f"{name} {size} {scheme}")
        overflow[name] = visitor.overflow()
        findings[name] = serious_findings(visitor.page)

    assert overflow == dict.fromkeys(PAGES, 0)
    assert {name: found for name, found in findings.items() if found} == {}
    assert (visitor.errors, visitor.foreign_requests) == ([], [])
    background = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(18, 18, 18)") == (scheme == "dark")
