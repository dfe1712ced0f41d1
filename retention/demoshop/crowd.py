"""The invented people of the demo shop: who they are, where they live, and what they consented to."""

import datetime as dt
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from retention.demoshop.histories import Purchase
from retention.demoshop.names import FAMILY, GIVEN
from retention.demoshop.places import CITIES, COUNTRIES, City

_CITY_WEIGHTS = list(accumulate(city.weight for city in CITIES))
#: Acquisition source → (chance, cost in cents).
_SOURCES = {
    "search": (30, 410),
    "friend": (18, 0),
    "social": (16, 620),
    "affiliate": (12, 850),
    "newsletter swap": (8, 150),
    "shop window": (16, 90),
}
_SOURCE_WEIGHTS = list(accumulate(chance for chance, _ in _SOURCES.values()))
#: Other languages that some people of a country prefer.
_OTHER_LANGUAGE = {"CA": "fr", "US": "ko", "DE": "ru", "KZ": "en", "IN": "en"}
_FORMATS = ("CD", "Vinyl", "Download")
WORDING = "2024-05"


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person.

    Attributes:
        number: the data set's customer number, or for a subscriber who never bought her own.
        taste: her two favourite genres.
        birthday: (year or None, month, day), or None where she never told.
    """

    number: int
    reference: str
    email: str
    given_name: str
    family_name: str
    city: City
    language: str
    address: str
    postcode: str
    phone: str
    birthday: tuple[int | None, int, int] | None
    taste: tuple[str, str]
    source: str
    cost: int
    signed_up_at: dt.datetime
    attributes: dict
    preferred_channel: str

    def row(self) -> dict:
        """As `ingest("customers", …)` reads it."""
        return {
            "reference": self.reference,
            "email": self.email,
            "phone": self.phone,
            "given_name": self.given_name,
            "family_name": self.family_name,
            "birthday": _as_typed(self.birthday),
            "address": self.address,
            "postcode": self.postcode,
            "city": self.city.name,
            "region": self.city.region,
            "country": self.city.country,
            "language": self.language,
            "time_zone": self.city.zone,
            "preferred_channel": self.preferred_channel,
            "interests": list(self.taste),
            "source": self.source,
            "acquisition_cost_minor": self.cost,
            "acquisition_currency": "USD",
            "attributes": self.attributes,
            "signed_up_at": self.signed_up_at,
        }


def buyer(number: int, history: Sequence[Purchase], genres: Sequence[str], zone: ZoneInfo, seed: int) -> Person:
    """The person behind one real history; she signed up on the day of her first purchase or some time before it."""
    rng = Random(f"buyer {seed} {number}")
    lead = rng.choices((0, rng.randrange(1, 8), rng.randrange(8, 370)), (60, 25, 15))[0]
    # Six in the morning of the shop: orders of the same day come after it.
    at = dt.datetime.combine(history[0].on - dt.timedelta(days=lead), dt.time(6, rng.randrange(60)), zone)
    return _person(rng, number, f"C{number:05d}", genres, at.astimezone(dt.UTC))


def subscribers(count: int, genres: Sequence[str], now: dt.datetime, seed: int) -> Iterator[Person]:
    """People who only signed up; every twentieth did so within the last day, so that there is someone to welcome."""
    for number in range(1, count + 1):
        rng = Random(f"subscriber {seed} {number}")
        ago = rng.uniform(0.2, 20) if number % 20 == 0 else rng.uniform(30, 700 * 24)
        signed_up_at = (now - dt.timedelta(hours=ago)).replace(microsecond=0)
        yield _person(rng, 100_000 + number, f"S{number:05d}", genres, signed_up_at)


def consent_rows(person: Person, *, is_buyer: bool, now: dt.datetime, seed: int) -> Iterator[dict]:
    """What she said over time, as `ingest("consents", …)` reads it; a refusal is a withdrawal from the start."""
    rng = Random(f"consent {seed} {person.reference}")
    roll = rng.random()
    if not is_buyer:
        events = ["given"] if roll < 0.94 else ["given", "withdrawn"]
    else:
        events = ["given"] if roll < 0.62 else ["given", "withdrawn"] if roll < 0.71 else ["withdrawn"]
        if roll > 0.88:
            events = []
    source = rng.choice(("checkout", "account", "popup")) if is_buyer else "newsletter form"
    yield from _events(rng, person, "email", "marketing", events, source, now)
    if events == ["given"] and rng.random() < 0.3:
        topic = rng.choice(("topic:new-releases", "topic:concerts"))
        yield from _events(rng, person, "email", topic, ["given"], "preferences", now)
    if person.phone:
        events = ["given"] if rng.random() < 0.35 else ["withdrawn"]
        yield from _events(rng, person, "sms", "marketing", events, "checkout", now)


def _events(
    rng: Random, person: Person, channel: str, purpose: str, events: list[str], source: str, now: dt.datetime
) -> Iterator[dict]:
    at = person.signed_up_at + dt.timedelta(minutes=rng.randrange(1, 9))
    for position, event in enumerate(events):
        if position:
            at += (now - at) * rng.uniform(0.05, 0.9)
        yield {
            "customer": person.reference,
            "channel": channel,
            "purpose": purpose,
            "event": event,
            "source": "unsubscribe link" if position else source,
            "wording": WORDING,
            "reference": f"{person.reference}:{channel}:{purpose}:{position + 1}",
            "occurred_at": min(at, now).replace(microsecond=0),
        }


def _as_typed(birthday: tuple[int | None, int, int] | None) -> str:
    """`1990-05-17`, or `05-17` where the year is not known."""
    if birthday is None:
        return ""
    year, month, day = birthday
    return f"{month:02d}-{day:02d}" if year is None else f"{year}-{month:02d}-{day:02d}"


def _person(rng: Random, number: int, reference: str, genres: Sequence[str], signed_up_at: dt.datetime) -> Person:
    city = CITIES[bisect(_CITY_WEIGHTS, rng.randrange(_CITY_WEIGHTS[-1]))]
    country = COUNTRIES[city.country]
    given, given_latin = rng.choice(GIVEN[country.language])
    family, family_latin = rng.choice(FAMILY[country.language])
    source = list(_SOURCES)[bisect(_SOURCE_WEIGHTS, rng.randrange(_SOURCE_WEIGHTS[-1]))]
    language = country.language
    if city.country in _OTHER_LANGUAGE and rng.random() < 0.08:
        language = _OTHER_LANGUAGE[city.country]
    first, second = rng.sample(list(genres), 2)
    phone = country.phone.replace("{area}", city.area) if rng.random() < 0.4 else ""
    return Person(
        number=number,
        reference=reference,
        email=f"{given_latin}.{family_latin}.{number}@example.com",
        given_name=given,
        family_name=family,
        city=city,
        language=language,
        address=country.street.format(n=rng.randrange(1, 200)),
        postcode=_filled(city.postcode, rng),
        phone=_filled(phone, rng),
        birthday=_birthday(rng),
        taste=(first, second),
        source=source,
        cost=round(_SOURCES[source][1] * rng.uniform(0.6, 1.5)),
        signed_up_at=signed_up_at,
        attributes=_attributes(rng),
        preferred_channel="sms" if phone and rng.random() < 0.15 else "email",
    )


def _filled(pattern: str, rng: Random) -> str:
    """# becomes a digit; the A of a British or Canadian postcode's second half a letter."""
    head, blank, tail = pattern.partition(" ")
    tail = "".join(rng.choice("ABDEFGHJLNP") if sign == "A" else sign for sign in tail)
    return "".join(str(rng.randrange(10)) if sign == "#" else sign for sign in head + blank + tail)


def _birthday(rng: Random) -> tuple[int | None, int, int] | None:
    """Four in ten never told; one in eight of the others kept the year to herself; a few more than by chance leap."""
    if rng.random() < 0.41:
        return None
    day = dt.date(1944, 1, 1) + dt.timedelta(days=rng.randrange(62 * 365))
    if rng.random() < 0.004:
        day = dt.date(rng.choice((1960, 1972, 1984, 1996, 2000)), 2, 29)
    return (None if rng.random() < 0.12 else day.year, day.month, day.day)


def _attributes(rng: Random) -> dict:
    found: dict = {}
    if rng.random() < 0.45:
        found["favourite_format"] = {"value": rng.choice(_FORMATS), "how": "asked"}
    if rng.random() < 0.2:
        found["plays_an_instrument"] = {"value": rng.random() < 0.6, "how": "asked"}
    if rng.random() < 0.15:
        found["concerts_a_year"] = {"value": rng.randrange(13), "how": "imported"}
    return found
