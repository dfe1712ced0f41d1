"""What referrals bring and cost: formulas, the figures they stand on, and the pages and files that show them."""
