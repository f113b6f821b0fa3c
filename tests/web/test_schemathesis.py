"""schemathesis asks the whole API what its schema allows and what it does not, and compares the answers with it."""

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, settings

from tests.web.conftest import days_ago, make_advertiser, make_list, make_publication
from tests.web.keys import make_key, make_lists_of
from tests.web.test_openapi import COMMITTED
from webapp.rankings.models import TopCTR

CASES = 25  # a question, besides those that cover each parameter's bounds

schema = schemathesis.openapi.from_path(COMMITTED)
schema.app = get_wsgi_application()


def ask_for_a_page_that_there_is(case):
    """Puts the first page for any that the schema allows, since no schema can say how many there are."""
    if case.meta.generation.mode.is_positive and "page" in (case.query or {}):
        case.query["page"] = 1


@pytest.fixture
def key(transactional_db, settings):
    """A key of all advertisers, and lists to be found; some have ids that the schema's examples have."""
    settings.API_PUBLIC = False
    settings.REQUESTS_PER_KEY = settings.REQUESTS_PER_ADDRESS = 10**9
    run = make_lists_of("A", "SHOES4YOU")
    make_list(run, make_advertiser("0").pk, "0", TopCTR)
    make_advertiser("gone", active=False)
    make_publication(days_ago(1))
    return make_key()


@schema.parametrize()
@settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_api_does_what_its_schema_says(case, key):
    ask_for_a_page_that_there_is(case)
    case.call_and_validate(headers={"Authorization": f"Api-Key {key}"})
