"""An independent implementation of the models: plain Python, written from the design and not from the batch's code."""

import unicodedata
from collections import Counter, defaultdict
from datetime import date
from fractions import Fraction
from math import floor, sqrt

DAY_LENGTH = len("YYYY-MM-DD")


def is_id(text):
    return 1 <= len(text) <= 64 and all(unicodedata.category(c)[0] in "LMNPS" or c == " " for c in text)


def counted(active, views, ads, days):
    """Return the views, impressions and clicks of the days, each by advertiser and product."""
    visits: Counter[tuple[str, str]] = Counter()
    shown: Counter[tuple[str, str]] = Counter()
    clicked: Counter[tuple[str, str]] = Counter()
    for advertiser, product, on in views:
        if advertiser in active and is_id(product) and on[:DAY_LENGTH] in days:
            visits[advertiser, product] += 1
    for advertiser, product, kind, on in ads:
        if advertiser in active and is_id(product) and on[:DAY_LENGTH] in days:
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


def expected_ctr(active, ads, day, before, top=20, half_life=7.0, hidden=()):
    """Return expected_ctr rows as sorted tuples; `before` are the published days of the 27 before."""
    events = {each: counted(active, [], ads, [each]) for each in (day, *before)}
    by_day = {each: (shown, clicked) for each, (_, shown, clicked) in events.items()}
    return expected_ctr_of_counts(active, by_day, day, top, half_life, hidden)


def expected_ctr_of_counts(active, by_day, day, top=20, half_life=7.0, hidden=()):
    """Return the same rows; `by_day` has the impressions and the clicks of each day, by advertiser and product."""
    decayed = decayed_counts(active, by_day, day, half_life)
    priors = click_rate_priors(decayed)
    shown, clicked = by_day[day]
    rows = []
    for advertiser in active:
        best = []
        for product, (c, n, _) in decayed[advertiser].items():
            mean, weight = priors[advertiser]
            score = (weight * mean + float(c)) / (weight + float(n))
            if (advertiser, product) not in hidden:
                best.append((-score, -n, product.encode(), c))
        for rank, (score, n, product, c) in enumerate(sorted(best)[:top], start=1):
            key = advertiser, product.decode()
            counts = clicked.get(key, 0), shown.get(key, 0), float(c), float(-n), float(c / -n)
            mean, weight = priors[advertiser]
            interval = credible_interval(mean, weight, float(c), float(-n))
            rows.append((advertiser, rank, day, product.decode(), *counts, -score, *interval))
    return sorted(rows)


def decayed_counts(active, by_day, day, half_life):
    """Return by advertiser and product, if it was shown, the exact decayed clicks, impressions and squared weights."""
    sums: dict[str, defaultdict[str, tuple[Fraction, Fraction, Fraction]]] = {
        advertiser: defaultdict(lambda: (Fraction(0), Fraction(0), Fraction(0))) for advertiser in active
    }
    for each, (shown, clicked) in by_day.items():
        age = (date.fromisoformat(day) - date.fromisoformat(each)).days
        weight = Fraction(nearest(2**20 * 2 ** (-age / half_life)), 2**20)
        square = Fraction(nearest(weight**2 * 2**20), 2**20)
        for advertiser, product in shown.keys() | clicked.keys():
            if advertiser in active and 0 <= age <= 27:
                times, hits = shown.get((advertiser, product), 0), clicked.get((advertiser, product), 0)
                c, n, m = sums[advertiser][product]
                sums[advertiser][product] = c + weight * hits, n + weight * times, m + square * times
    return {
        advertiser: {product: (min(c, n), n, m) for product, (c, n, m) in products.items() if n > 0}
        for advertiser, products in sums.items()
    }


def click_rate_priors(decayed):
    """Return each advertiser's prior mean and weight, if any of its products was shown."""
    units = {advertiser: list(products.values()) for advertiser, products in decayed.items() if products}
    totals = {advertiser: tuple(map(sum, zip(*products, strict=True))) for advertiser, products in units.items()}
    moments = {advertiser: excess_and_gain(products) for advertiser, products in units.items()}
    informative = [each for each in moments.values() if each]
    of_all = Fraction(1, 21)
    if informative:
        of_all = sum(excess for excess, _ in informative) / sum(gain for _, gain in informative)
    between = excess_and_gain(list(totals.values()))
    extra = 1 / bounded(between[0] / between[1] if between else Fraction(1, 21)) - 1
    overall = (sum(c for c, _, _ in totals.values()) + Fraction(1, 2)) / (sum(n for _, n, _ in totals.values()) + 1)
    priors = {}
    for advertiser, (c, n, _) in totals.items():
        correlation, products = of_all, len(units[advertiser])
        if moments[advertiser]:
            excess, gain = moments[advertiser]
            correlation = (products * excess / gain + 20 * of_all) / (products + 20)
        mean = Fraction(nearest((c + extra * overall) / (n + extra) * 10**9), 10**9)
        weight = Fraction(nearest((1 / bounded(correlation) - 1) * 1000), 1000)
        priors[advertiser] = float(min(max(mean, Fraction(1, 10**9)), 1 - Fraction(1, 10**9))), float(weight)
    return priors


def excess_and_gain(units):
    """Return Kleinman's S / p(1-p) - A, and B, of (c, n, m); None where they say nothing about differences."""
    clicks, shown = sum(c for c, _, _ in units), sum(n for _, n, _ in units)
    if not 0 < clicks < shown:
        return None
    rate = Fraction(clicks, shown)
    if_equal = sum((1 - n / shown) * m / n for _, n, m in units)
    gain = shown - sum(n * n for _, n, _ in units) / shown - if_equal
    if gain <= shown / 1000:
        return None
    return sum(n * (c / n - rate) ** 2 for c, n, _ in units) / (rate * (1 - rate)) - if_equal, gain


def bounded(correlation):
    return min(max(correlation, Fraction(1, 10001)), Fraction(1, 3))


def nearest(number):
    return floor(number + Fraction(1, 2))


def credible_interval(mean, weight, c, n):
    """Return the 2.5 % and 97.5 % quantiles of the posterior, by Paulson's approximation."""
    a, b = weight * mean + c, weight * (1 - mean) + (n - c)
    return paulson(a, b, -1.959963984540054), paulson(a, b, 1.959963984540054)


def paulson(a, b, z):
    if b < a:
        return 1 - paulson(b, a, -z)
    u, v = 1 / (9 * a), 1 / (9 * b)
    spread = sqrt(max(0, (1 - v) ** 2 * u + (1 - u) ** 2 * v - z**2 * u * v))
    ratio = max(0, ((1 - u) * (1 - v) + z * spread) / ((1 - v) ** 2 - z**2 * v)) ** 3
    return a * ratio / (b + a * ratio)
