"""Who may read the API: keys of one advertiser or of all, and how many requests each may make."""
