"""How dates are written for people: as in the API and the logs."""
