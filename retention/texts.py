"""Customer-visible words by language: a mapping with a required default, and how one is chosen."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError

Texts = Mapping[str, str]


def choose(texts: Texts, language: str, default: str) -> str:
    """The text for `language` ("pt-BR", then "pt"), or the one in the default language.

    Raises:
        KeyError: not even the default language is there.
    """
    for candidate in (language, language.partition("-")[0], default):
        if texts.get(candidate):
            return texts[candidate]
    raise KeyError(f"no text in {language!r} nor in the default {default!r}")


def check_texts(texts: object, default: str) -> None:
    """Refuse anything but {language: text} with a text in the default language."""
    if not isinstance(texts, dict) or not all(isinstance(k, str) and isinstance(v, str) for k, v in texts.items()):
        raise ValidationError("Texts are a mapping of language to text.", code="not_texts")
    if not texts.get(default):
        raise ValidationError(
            "A text in the default language (%(default)s) is required.", code="no_default", params={"default": default}
        )
