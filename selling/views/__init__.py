"""Pages of the room, and what strangers are given."""
