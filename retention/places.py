"""Countries by their ISO 3166 codes, as the CLDR knows them."""

from functools import cache

from babel import Locale

#: Two letters that the CLDR gives to something else: unions, test regions, nowhere.
_NOT_COUNTRIES = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}


@cache
def country_codes() -> frozenset[str]:
    """Every country code, such as DE; XK for Kosovo is among them, as everybody uses it."""
    two_letters = {code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha()}
    return frozenset(two_letters - _NOT_COUNTRIES)
