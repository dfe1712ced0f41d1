"""What rules say, as sentences in a reader's language: the same for the console, the API and customers' pages."""

from loyalty.sentences.teller import Teller

__all__ = ["Teller"]
