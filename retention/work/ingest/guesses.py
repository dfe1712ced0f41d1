"""Guesses: which of our columns a foreign one probably is, by its name; what its words mean; how it writes things."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

#: Our column → what other programs call it, in the languages of the first shops; compared without case, accents, signs.
SYNONYMS: Mapping[str, str] = {
    "email": "email address, e-mail address, mail, customer email, billing email, e-mail-adresse,"
    " adresse e-mail, correo",
    "reference": "customer id, customer number, customer no, customer ref, id, kundennummer, kundennr, user id,"
    " external id, order id, order number, order no, order name, bestellnummer, auftragsnummer, return id, rma",
    "customer": "customer id, customer number, customer no, customer reference, kundennummer, user id",
    "given_name": "first name, firstname, fname, forename, vorname, prenom, nombre, billing first name",
    "family_name": "last name, lastname, lname, surname, nachname, familienname, nom, apellido, apellidos,"
    " billing last name",
    "phone": "phone number, telephone, mobile, mobile phone, cell, tel, telefon, telefonnummer, handy, billing phone",
    "birthday": "birth date, birthdate, date of birth, dob, geburtstag, geburtsdatum, date de naissance",
    "address": "street, address 1, address line 1, street address, strasse, adresse, billing address 1",
    "postcode": "zip, zip code, postal code, post code, plz, postleitzahl, code postal, billing postcode",
    "city": "town, ort, stadt, ville, ciudad, billing city",
    "region": "state, province, county, bundesland, region code, billing state",
    "country": "country code, land, pays, pais, billing country, cc",
    "language": "locale, lang, sprache, langue",
    "time_zone": "timezone, tz, zeitzone",
    "signed_up_at": "created at, created, registered, registered at, registration date, date registered, sign up,"
    " signup date, customer since, kunde seit, registriert am, angemeldet am",
    "source": "acquisition source, lead source, utm source, herkunft, quelle",
    "interests": "tags, topics, interessen",
    "sku": "article, article number, item number, item sku, product sku, product code, variant sku, artikelnummer,"
    " artikelnr, artikel, lineitem sku",
    "name": "product, product name, title, item name, artikelname, bezeichnung, titel",
    "category": "product category, product type, type, kategorie, warengruppe",
    "price": "unit price, regular price, sales price, variant price, preis, verkaufspreis, prix",
    "unit_price": "price, item price, lineitem price, einzelpreis, stueckpreis, preis",
    "unit_cost": "cost, cost per item, purchase price, einkaufspreis, ek",
    "compare_at": "compare at price, list price, rrp, uvp, variant compare at price",
    "quantity": "qty, amount of items, stock, stock quantity, on hand, available, item quantity, menge, anzahl,"
    " bestand, lagerbestand, lineitem quantity",
    "place": "location, warehouse, store, lager, lagerort, filiale",
    "state": "status, order status, financial status, bestellstatus, auftragsstatus",
    "currency": "currency code, order currency, waehrung, devise, moneda",
    "total": "order total, grand total, gross total, amount, gesamt, gesamtbetrag, summe, total price",
    "shipping": "shipping cost, shipping total, delivery cost, versand, versandkosten",
    "discount": "discount amount, discount total, rabatt",
    "tax": "taxes, tax total, vat, mwst, steuer",
    "codes": "coupon, coupons, coupon code, discount code, voucher, gutschein, gutscheincode",
    "code": "coupon, coupon code, voucher, voucher code, gutschein, gutscheincode",
    "incentive": "offer, promotion, campaign, aktion",
    "payment_method": "payment, payment type, zahlungsart, zahlungsmethode",
    "placed_at": "order date, ordered at, created at, date, created, bestelldatum, datum, auftragsdatum",
    "paid_at": "payment date, paid date, date paid, bezahlt am",
    "fulfilled_at": "shipped at, shipping date, delivered at, versendet am, lieferdatum",
    "occurred_at": "date, timestamp, time, created at, event time, datum, zeitpunkt, returned at, refund date",
    "order_reference": "order, order id, order number, order no, bestellnummer, auftragsnummer",
    "amount": "refund, refund amount, refunded, refunded amount, erstattung, betrag",
    "reason": "return reason, grund, retourengrund",
    "kind": "event, event name, event type, action, aktion, ereignis",
    "channel": "sales channel, source, kanal",
    "event": "consent, status, opt in, optin, subscribed, einwilligung",
    "expires_at": "valid until, expiry, expiry date, expiration date, gueltig bis",
    "starts_at": "valid from, start date, gueltig ab",
    "consents.event": "newsletter, accepts marketing, accepts email marketing, email consent, newsletter opt in,"
    " marketing consent, einwilligung, subscribed",
}
#: Words of consent that need no asking.
_WORDS = {
    "given": "given, yes, y, true, 1, subscribed, opted in, opt in, accepted, ja, j, oui, si, x",
    "withdrawn": "withdrawn, no, n, false, 0, unsubscribed, opted out, opt out, declined, nein, non",
}
CONSENT_WORDS = {word.strip(): event for event, words in _WORDS.items() for word in words.split(",")}


#: By code point. `ß` is gone already: casefold makes `ss` of it.
_UMLAUTS = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue"}


def normal(name: str) -> str:
    """A name without case, accents and signs: `E-Mail Adresse` is `emailadresse`; umlauts are two letters."""
    spelled = name.casefold().translate(_UMLAUTS)
    plain = unicodedata.normalize("NFKD", spelled)
    return re.sub(r"[^a-z0-9]", "", plain)


_KNOWN = {ours: [normal(name) for name in names.split(",")] for ours, names in SYNONYMS.items()}


def guess(headers: Sequence[str], names: Iterable[str]) -> dict[str, str]:
    """The file's column → ours, each at most once: the same name first, then synonyms, the likeliest first."""
    names = list(names)
    found: dict[str, str] = {}
    by_normal: dict[str, str] = {}
    for header in headers:
        by_normal.setdefault(normal(header), header)
    for ours in names:
        header = by_normal.get(normal(ours))
        if header is not None and header not in found:
            found[header] = ours
    for ours in names:
        if ours in found.values() or f"{ours.removesuffix('_minor')}" in found.values():
            continue
        header = next((by_normal[n] for n in _KNOWN.get(ours, ()) if by_normal.get(n, "") not in ("", *found)), None)
        if header is not None:
            found[header] = ours
    return {header: found[header] for header in headers if header in found}


_NUMBERED_DAY = re.compile(r"(\d{1,2})([./-])(\d{1,2})[./-](?:\d{4}|\d{2})\b")
_COMMA_AMOUNT = re.compile(r"-?\d{1,3}(?:[. ']?\d{3})*,\d{1,2}")
_POINT_AMOUNT = re.compile(r"-?\d{1,3}(?:[, ']?\d{3})*\.\d{1,2}")


def guess_dates(cells: Iterable[str]) -> str:
    """In which order dates stand: `day` or `month` first, or "" where nothing shows it: better refused than swapped."""
    found = [matched.groups() for cell in cells if (matched := _NUMBERED_DAY.match(cell.strip()))]
    is_day = any(int(first) > 12 or sign == "." for first, sign, _second in found)
    is_month = any(int(second) > 12 for _first, _sign, second in found)
    return "" if is_day == is_month else "day" if is_day else "month"


def guess_decimal_comma(cells: Iterable[str]) -> bool:
    """Whether amounts are written like 1.234,50; False as soon as one is written the other way."""
    cells = [cell.strip() for cell in cells]
    return any(map(_COMMA_AMOUNT.fullmatch, cells)) and not any(map(_POINT_AMOUNT.fullmatch, cells))
