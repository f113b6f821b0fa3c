"""The web half of Vitrina: the tables, the API, the admin and the front page."""
