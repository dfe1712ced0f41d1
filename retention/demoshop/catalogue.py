"""The invented catalogue of the demo shop: music of every kind and some merchandise, at prices that orders hit."""

import datetime as dt
from bisect import bisect_left
from dataclasses import dataclass
from random import Random

_GENRES: dict[str, tuple[str, ...]] = {
    "Jazz": ("Bebop", "Fusion", "Vocal", "Big Band"),
    "Rock": ("Classic", "Indie", "Progressive", "Garage"),
    "Pop": ("Charts", "Synth", "Ballads"),
    "Classical": ("Symphonies", "Chamber", "Opera", "Piano"),
    "Electronic": ("Ambient", "House", "Techno"),
    "Folk & World": ("Americana", "Celtic", "Latin", "Asia"),
    "Hip-Hop": ("Old School", "Instrumental"),
    "Soundtracks": ("Film", "Games"),
}
_FIRST = (
    "Velvet Paper Crooked Silent Amber Borrowed Midnight Plastic Copper Wandering Northern Electric Lazy Invisible "
    "Second Folded Salty Broken Golden Restless Hollow Tiny Distant Purple"
).split()
_SECOND = (
    "Lanterns Otters Umbrellas Satellites Pianos Foxes Postcards Windmills Pigeons Rivers Teapots Escalators Sailors "
    "Cactus Moths Ladders Harbours Elevators Marbles Kites"
).split()
_ALBUM = (
    "Live at the Lighthouse|Songs for an Empty Fridge|The Long Intro|Tuesday Again|Eleven Short Goodbyes|"
    "Music for Waiting Rooms|Encore, Encore|The Quiet Side|Rain on Tape|Half Speed|Letters to the Drummer|"
    "Best Forgotten Hits|Unplugged by Accident|Second Pressing|Night Bus Sessions|Forty Minutes of Summer"
).split("|")
#: Format → (cents of the usual prices, unit cost as a share of the price, how many of a genre's products).
_FORMATS: dict[str, tuple[tuple[int, ...], float, int]] = {
    "Single": ((299, 449, 549, 679), 0.55, 5),
    "CD": ((949, 1077, 1149, 1177, 1249, 1299, 1397, 1437, 1449, 1496, 1536, 1599, 1699, 1799), 0.62, 24),
    "Vinyl": ((1999, 2249, 2499, 2799, 3199), 0.66, 12),
    "Double album": ((2354, 2598, 2933, 3499), 0.6, 5),
    "Box set": ((4999, 6999, 9999, 14999, 29999), 0.7, 5),
}
_MERCH: dict[str, tuple[tuple[str, int, float], ...]] = {
    "T-shirts": tuple((f"{band} tour shirt", 1999, 0.4) for band in _FIRST[:10]),
    "Posters": tuple((f"{band} gig poster", 999, 0.25) for band in _FIRST[10:20]),
    "Accessories": (
        ("Record brush", 1249, 0.3),
        ("Inner sleeves, 50 pieces", 1499, 0.5),
        ("Slipmat", 1599, 0.35),
        ("Turntable belt", 899, 0.3),
        ("Stylus cleaner", 699, 0.3),
        ("Canvas record bag", 2499, 0.45),
        ("Record shelf", 8999, 0.82),
        ("Gramophone mug", 1099, 0.35),
    ),
}
#: Things that run out: SKU's name → days until they are due again.
_REPLENISHED = {"Inner sleeves, 50 pieces": 120, "Stylus cleaner": 180, "Turntable belt": 540}
_SEASONAL = ("Winter Lights", "Carols from the Cellar", "Snowed In")


@dataclass(frozen=True, slots=True)
class Item:
    """One product; money in US cents."""

    sku: str
    name: str
    category: str
    price: int
    minimum: int
    cost: int
    is_low_margin: bool
    tags: tuple[str, ...]
    compare_at: int | None = None
    launched_on: dt.date | None = None
    season: tuple[dt.date, dt.date] | None = None
    replenish_days: int | None = None

    def row(self) -> dict:
        """As `ingest("products", …)` reads it."""
        return {
            "sku": self.sku,
            "name": self.name,
            "category": self.category,
            "currency": "USD",
            "price_minor": self.price,
            "minimum_price_minor": self.minimum,
            "unit_cost_minor": self.cost,
            "compare_at_minor": self.compare_at,
            "is_low_margin": self.is_low_margin,
            "tags": list(self.tags),
            "launched_on": self.launched_on,
            "season_from": self.season and self.season[0],
            "season_until": self.season and self.season[1],
            "replenish_days": self.replenish_days,
            "url": f"https://shop.example.com/p/{self.sku.lower()}",
        }


@dataclass(frozen=True)
class Catalogue:
    """Every product, and by top category those products ordered by price."""

    items: tuple[Item, ...]
    by_genre: dict[str, tuple[Item, ...]]

    @property
    def genres(self) -> tuple[str, ...]:
        return tuple(genre for genre in self.by_genre if genre != "Merch")

    def near(self, genre: str, cents: int, rng: Random) -> Item:
        """A product of the genre whose price is among the nearest to `cents`."""
        shelf = self.by_genre[genre]
        at = bisect_left(shelf, cents, key=lambda item: item.price)
        low = max(0, min(at - 4, len(shelf) - 8))
        return shelf[low + int(rng.random() * min(8, len(shelf)))]


def catalogue(*, seed: int, today: dt.date) -> Catalogue:
    """The same catalogue for the same seed and day."""
    rng = Random(f"catalogue {seed}")
    items: list[Item] = []
    by_genre: dict[str, tuple[Item, ...]] = {}
    for genre in _GENRES:
        shelf = _music(genre, today, rng, first=len(items) + 1)
        items += shelf
        by_genre[genre] = tuple(sorted(shelf, key=lambda item: (item.price, item.sku)))
    merch = _merch(today, rng)
    items += merch
    by_genre["Merch"] = tuple(sorted(merch, key=lambda item: (item.price, item.sku)))
    return Catalogue(tuple(items), by_genre)


def _music(genre: str, today: dt.date, rng: Random, *, first: int) -> list[Item]:
    found: list[Item] = []
    for medium, (prices, cost_share, how_many) in _FORMATS.items():
        for at in range(how_many):
            price = prices[at % len(prices)]
            number = first + len(found)
            is_low_margin = rng.random() < (0.35 if medium == "Box set" else 0.1)
            cost = round(price * (0.9 if is_low_margin else cost_share * rng.uniform(0.9, 1.1)))
            age = rng.randrange(0, 900)
            is_seasonal = rng.random() < 0.02
            title = rng.choice(_SEASONAL if is_seasonal else _ALBUM)
            tags = [medium.lower(), rng.choice(("studio", "live", "reissue", "import"))]
            found.append(
                Item(
                    sku=f"{genre[:3].upper().strip()}-{number:04d}",
                    name=f"The {rng.choice(_FIRST)} {rng.choice(_SECOND)}: {title} ({medium})",
                    category=f"Music/{genre}/{rng.choice(_GENRES[genre])}",
                    price=price,
                    minimum=min(price, round(cost * 1.05)),
                    cost=cost,
                    is_low_margin=is_low_margin,
                    tags=(*tags, "new") if age < 45 else tuple(tags),
                    compare_at=round(price * 1.25) if rng.random() < 0.12 else None,
                    launched_on=today - dt.timedelta(days=age),
                    season=(dt.date(today.year, 11, 1), dt.date(today.year + 1, 1, 7)) if is_seasonal else None,
                )
            )
    return found


def _merch(today: dt.date, rng: Random) -> list[Item]:
    found: list[Item] = []
    for kind, things in _MERCH.items():
        for name, price, cost_share in things:
            cost = round(price * cost_share)
            found.append(
                Item(
                    sku=f"MER-{len(found) + 1:04d}",
                    name=name,
                    category=f"Merch/{kind}",
                    price=price,
                    minimum=round(cost * 1.05),
                    cost=cost,
                    is_low_margin=cost_share > 0.8,
                    tags=("merch", kind.lower()),
                    launched_on=today - dt.timedelta(days=rng.randrange(60, 900)),
                    replenish_days=_REPLENISHED.get(name),
                )
            )
    return found
