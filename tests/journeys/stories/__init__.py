"""What each playbook does for Anna, told by the shelves of the gallery."""
