"""Every page of the admin in four widths, light and dark: nothing overflows, no browser errors, no serious axe finding."""

from datetime import timedelta

import pytest

from tests.browser.axe import serious_findings
from tests.browser.conftest import SIZES, TODAY
from tests.web.conftest import PASSWORD, hide, make_advertiser, make_list, make_run, make_user
from webapp.rankings.models import (
    ExpectedCTR,
    Ranking,
    Rollback,
    TopCTR,
    TopCTRWindow,
    TopProduct,
    TopProductWindow,
    Trending,
)

PAGES = {
    "home": "/admin/",
    "advertisers": "/admin/rankings/advertiser/",
    "advertiser": "/admin/rankings/advertiser/SHOES/change/",
    "week": "/admin/rankings/advertiser/SHOES/change/?window=7",
    "no lists": "/admin/rankings/advertiser/HATS/change/",
    "why": "/admin/rankings/advertiser/SHOES/explain/?model=TopCTR&product_id=boots",
    "why expected": "/admin/rankings/advertiser/SHOES/explain/?model=ExpectedCTR&product_id=boots",
    "hide": "/admin/rankings/advertiser/SHOES/hide/?product_id=boots",
    "run": "/admin/rankings/run/{run}/change/",
    "refused run": "/admin/rankings/run/{refused}/change/",
    "runs": "/admin/rankings/run/",
    "rollbacks": "/admin/rankings/rollback/",
    "top products": "/admin/rankings/topproduct/",
    "top ctrs": "/admin/rankings/topctr/",
    "trending": "/admin/rankings/trending/",
    "top ctrs over days": "/admin/rankings/topctrwindow/",
    "expected ctrs": "/admin/rankings/expectedctr/",
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


MILLIONS: dict[str, float] = {"clicks": 1_234_567, "impressions": 98_765_432}
WIDE: dict[type[Ranking], dict[str, float]] = {
    TopProduct: {"views": 98_765_432},
    TopCTR: MILLIONS,
    Trending: {"views": 98_765_432, "usual": 12_345_678.9},
    ExpectedCTR: MILLIONS | {"decayed_clicks": 2_345_678.9, "decayed_impressions": 198_765_432.1},
    TopProductWindow: {"views": 98_765_432, "days": 28},
    TopCTRWindow: MILLIONS | {"days": 28},
}


@pytest.mark.parametrize("size", ["wide", "desktop"])
def test_row_lists_fit_with_long_ids_and_counts_in_the_millions(visit, rows, size):
    advertiser, product = make_advertiser("W" * 64).pk, "M" * 64
    for model, columns in WIDE.items():
        make_list(rows, advertiser, product, model, **columns)
    visitor = visit(size)
    visitor.log_in("administrator", PASSWORD)
    overflow = {}
    for model in WIDE:
        name = model._meta.model_name
        visitor.go(f"/admin/rankings/{name}/")
        visitor.take_screenshot(f"wide values {name} {size}")
        overflow[name] = visitor.overflow()
    visitor.go(f"/admin/rankings/advertiser/{advertiser}/change/")
    visitor.take_screenshot(f"wide values advertiser {size}")
    overflow["advertiser"] = visitor.overflow()

    assert overflow == dict.fromkeys(overflow, 0)
