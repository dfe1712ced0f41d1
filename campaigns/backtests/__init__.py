"""Replaying a campaign on past facts: who would have been touched, what it would have cost, who bought anyway."""
