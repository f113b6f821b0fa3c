"""The rankings that the nightly batch publishes, and everything that shows them."""
