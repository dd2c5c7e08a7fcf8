"""Every business event of the room, one module per noun."""
