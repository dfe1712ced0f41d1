"""Writes about who works here and what the shop is; they are audited, so they live above the `shop` room."""
