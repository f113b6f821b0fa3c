"""The admin as ad-ops see it: its home page, an advertiser's page, a run's page, and who may log in."""
