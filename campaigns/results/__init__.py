"""What came of a campaign: each arm's figures, their differences with what is known of them, and the winner."""
