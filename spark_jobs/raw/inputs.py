"""The three inputs of the job: their names under RAW_URI and the columns each must have."""

from dataclasses import dataclass


class InputError(Exception):
    """Raw events that cannot be read exactly: one sentence that names the file and says what is wrong with it."""


@dataclass(frozen=True)
class Input:
    """One of the three inputs."""

    name: str
    columns: tuple[str, ...]


ADVERTISER_IDS = Input("advertiser_ids", ("advertiser_id",))
PRODUCT_VIEWS = Input("product_views", ("advertiser_id", "product_id", "date"))
ADS_VIEWS = Input("ads_views", ("advertiser_id", "product_id", "type", "date"))
EVENT_INPUTS = (PRODUCT_VIEWS, ADS_VIEWS)
ALL_INPUTS = (*EVENT_INPUTS, ADVERTISER_IDS)
