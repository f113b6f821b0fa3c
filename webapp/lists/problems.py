"""Problems of reading published lists."""

from http import HTTPStatus

from webapp.problems import Problem


class NotFound(Problem):
    status_code = HTTPStatus.NOT_FOUND


class UnknownModel(NotFound):
    """Members: `models`, the names of all models."""

    type = "unknown-model"


class UnknownAdvertiser(NotFound):
    """Also raised for an advertiser that the key may not read, so that a key reveals nothing about others."""

    type = "unknown-advertiser"


class InactiveAdvertiser(NotFound):
    type = "inactive-advertiser"


class DayNotPublished(NotFound):
    """Members: `first_day` and `last_day`, the first and last published day; both null if there is none."""

    type = "day-not-published"


class NoRecommendations(NotFound):
    type = "no-recommendations"


class NoExplanation(NotFound):
    type = "no-explanation"
