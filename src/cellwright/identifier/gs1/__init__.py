"""GS1 keys, element strings and electronic product codes, as far as the factory meets them."""
