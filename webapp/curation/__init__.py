"""Curation: products that people hide from an advertiser's lists."""
