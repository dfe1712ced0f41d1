"""How dates and times look, by language: one line, a clock of 24 hours, the same in every list."""
