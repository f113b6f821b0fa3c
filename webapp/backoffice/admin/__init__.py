"""The ModelAdmins, a module for each part of the admin."""

from webapp.backoffice.admin import accounts, advertisers, api_keys, hidden_products, ranking_lists, rollbacks, runs

__all__ = ["accounts", "advertisers", "api_keys", "hidden_products", "ranking_lists", "rollbacks", "runs"]
