"""What the record of a lot says: the bodies of all events on `lot/<number>`."""
