"""The admin for ad-ops: its home page, the pages of an advertiser and of a run, and the staff roles."""
