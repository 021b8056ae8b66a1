"""What the record of an order says: the bodies of all events on `order/<number>`."""
