"""A programme on days gone by: what it would have given, to whom, and what that is worth."""
