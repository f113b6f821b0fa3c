"""Problems of request bodies."""

from http import HTTPStatus

from webapp.problems import Problem


class InvalidBody(Problem):
    status_code = HTTPStatus.BAD_REQUEST
    type = "invalid-body"
    title = "Invalid request body"


class BodyTooLarge(Problem):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    type = "body-too-large"
    title = "Request body too large"
