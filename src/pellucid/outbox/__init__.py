"""Being told: messages that are kept until they are delivered, with nothing private in them."""
