"""Tables of site.db."""
