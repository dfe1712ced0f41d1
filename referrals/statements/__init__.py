"""What a partner earned and was paid, as she reads it: the figures, the file, and her link to them."""
