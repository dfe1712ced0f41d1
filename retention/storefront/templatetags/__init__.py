"""What the public pages' templates need beyond Django's own tags."""
