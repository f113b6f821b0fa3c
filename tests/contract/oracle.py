"""An independent implementation of the models: plain Python, written from the design and not from the batch's code."""

import unicodedata
from collections import Counter
from fractions import Fraction

DAY_LENGTH = len("YYYY-MM-DD")


def is_id(text):
    return 1 <= len(text) <= 64 and all(unicodedata.category(c)[0] in "LMNPS" or c == " " for c in text)


def counted(active, views, ads, days):
    """Return the views, impressions and clicks of the days, each by advertiser and product."""
    visits: Counter[tuple[str, str]] = Counter()
    shown: Counter[tuple[str, str]] = Counter()
    clicked: Counter[tuple[str, str]] = Counter()
    for advertiser, product, date in views:
        if advertiser in active and is_id(product) and date[:DAY_LENGTH] in days:
            visits[advertiser, product] += 1
    for advertiser, product, kind, date in ads:
        if advertiser in active and is_id(product) and date[:DAY_LENGTH] in days:
            if kind == "impression":
                shown[advertiser, product] += 1
            elif kind == "click":
                clicked[advertiser, product] += 1
    return visits, shown, clicked


def rankings(active, views, ads, day, top=20, prior_weight=0.0, min_impressions=1, days=None):
    """Return (top_product rows, top_ctr rows) as sorted tuples of all columns but run and id; over `days`, if given."""
    visits, shown, clicked = counted(active, views, ads, days or [day])
    top_product, top_ctr = [], []
    for advertiser in active:
        best = sorted((-n, product.encode()) for (owner, product), n in visits.items() if owner == advertiser)
        top_product += [
            (advertiser, rank, day, product.decode(), -n) for rank, (n, product) in enumerate(best[:top], start=1)
        ]
        own = {product: n for (owner, product), n in shown.items() if owner == advertiser}
        clicks = {product: n for (owner, product), n in clicked.items() if owner == advertiser}
        weight = Fraction(prior_weight)
        prior = weight * Fraction(sum(clicks.values()), sum(own.values())) if own else Fraction(0)
        rated = sorted(
            (-(clicks.get(product, 0) + prior) / (n + weight), -n, product.encode())
            for product, n in own.items()
            if n >= min_impressions
        )
        for rank, (score, n, product) in enumerate(rated[:top], start=1):
            hits = clicks.get(product.decode(), 0)
            top_ctr.append((advertiser, rank, day, product.decode(), hits, -n, hits / -n, float(-score)))
    return sorted(top_product), sorted(top_ctr)


def trending(active, views, ads, day, past, top=20, prior_weight=20.0):
    """Return trending rows as sorted tuples; `past` are the published days of the week before."""
    visits, _, _ = counted(active, views, ads, [day])
    before, _, _ = counted(active, views, ads, past)
    rows = []
    for advertiser in active:
        days = sum(
            any(owner == advertiser for counts in counted(active, views, ads, [each]) for owner, _ in counts)
            for each in past
        )
        rising = sorted(
            (-(n + Fraction(prior_weight)) / (usual + Fraction(prior_weight)), -n, product.encode(), usual)
            for (owner, product), n in visits.items()
            if owner == advertiser and days and n > (usual := Fraction(before[owner, product], days))
        )
        for rank, (score, n, product, usual) in enumerate(rising[:top], start=1):
            rows.append((advertiser, rank, day, product.decode(), -n, float(usual), float(-score)))
    return sorted(rows)
