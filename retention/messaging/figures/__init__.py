"""What became of messages in figures: counted over the tallies, and shown on a page."""
