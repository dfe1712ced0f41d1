"""The words for what may be wrong with a cell or a row, whatever its kind."""

from typing import Any

from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Any] = {
    "required": _("A value is needed here."),
    "too_long": _("Longer than %(limit)s characters."),
    "not_an_email": _("“%(value)s” is not an email address."),
    "not_a_phone": _("“%(value)s” is not a phone number that could be called."),
    "not_a_whole_number": _("“%(value)s” is not a whole number."),
    "too_small": _("%(value)s is less than %(low)s."),
    "too_big": _("%(value)s is more than %(high)s."),
    "not_a_time": _("“%(value)s” is not a date and time like 2026-05-17 14:30."),
    "not_a_date": _("“%(value)s” is not a date like 2026-05-17."),
    "not_a_birthday": _("“%(value)s” is not a birthday like 1990-05-17 or 05-17."),
    "out_of_range": _("%(value)s is too long ago or too far away."),
    "in_the_future": _("%(value)s has not come yet."),
    "not_yes_or_no": _("“%(value)s” is neither yes nor no."),
    "not_a_choice": _("“%(value)s” is none of: %(choices)s."),
    "unknown_zone": _("“%(value)s” is not an IANA time zone like Europe/Berlin."),
    "unknown_country": _("“%(value)s” is not an ISO 3166 country code like DE."),
    "unknown_language": _("“%(value)s” is not a language code like de or pt-BR."),
    "unknown_currency": _("“%(value)s” is not an ISO 4217 currency code like EUR."),
    "said_twice": _("The amount is given twice, in major and in minor units (%(minor)s)."),
    "not_an_amount": _("“%(value)s” is not an amount like 12.30."),
    "not_minor_units": _("“%(value)s” is not an amount in minor units like 1230."),
    "negative": _("%(value)s is less than nothing."),
    "too_many_digits": _("%(value)s has more digits than its currency has."),
    "not_words": _("This is not a list of texts."),
    "not_an_object": _("This is not an object of names and values."),
    "not_a_list": _("This is not a list with something in it."),
    "wrong_type": _("A %(value)s is not what belongs here."),
    "control_character": _("Holds the control character %(value)s."),
    "unknown_column": _("There is no such column."),
    "wrong_number_of_cells": _("The row and the header have different numbers of cells: %(value)s."),
    "not_json": _("This line is not JSON."),
    "duplicate": _("“%(value)s” is there more than once."),
}
