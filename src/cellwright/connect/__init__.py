"""What the house exchanges with others: trial registers now; instruments and other systems of a site by and by."""
