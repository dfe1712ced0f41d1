"""Who lives near a place: distances that an atlas tells, and what is not known."""

import pytest
from django.core.exceptions import ValidationError

from campaigns.calendar.models import Place
from campaigns.calendar.operations import PlaceAsked, save_place
from retention.actors import Actor
from retention.customers.models import Customer
from retention.segments import rules
from retention.segments.models import Segment
from retention.segments.querysets import members
from tests.segments.facts import NOW

pytestmark = pytest.mark.django_db

#: Berlin–Potsdam are 27 km, Berlin–Hamburg 255 km; the two isles lie 22 km apart, on both sides of the date line.
PLACES = [
    ("DE", "Berlin", 52.5200, 13.4050),
    ("DE", "Potsdam", 52.3906, 13.0645),
    ("DE", "Hamburg", 53.5511, 9.9937),
    ("US", "Berlin", 44.4685, -71.1851),
    ("FJ", "West Isle", 0.0, 179.9),
    ("FJ", "East Isle", 0.0, -179.9),
]
#: name → (country, city); Zossen is near, but nobody said where it lies.
PEOPLE = {
    "anna": ("DE", "Berlin"), "boris": ("DE", "POTSDAM"), "chloe": ("DE", "Hamburg"), "dora": ("US", "Berlin"),
    "emil": ("DE", "Zossen"), "finn": ("DE", ""), "gala": ("FJ", "East Isle"), "hugo": ("", "Berlin"),
}  # fmt: skip


@pytest.fixture
def people(shop):
    Place.objects.bulk_create(Place(country=c, city=n, latitude=a, longitude=o) for c, n, a, o in PLACES)
    return {
        Customer.objects.create(reference=name, country=country, city=city, recorded_at=NOW).pk: name
        for name, (country, city) in PEOPLE.items()
    }


@pytest.mark.parametrize(
    ("kilometres", "places", "meant"),
    [
        (1, ["DE:Berlin"], "anna"),
        (26, ["DE:Berlin"], "anna"),
        (28, ["DE:Berlin"], "anna boris"),
        (254, ["DE:Berlin"], "anna boris"),
        (257, ["DE:Berlin"], "anna boris chloe"),
        (28, ["DE:Berlin", "DE:Hamburg"], "anna boris chloe"),
        (10, ["US:Berlin"], "dora"),
        (23, ["FJ:West Isle"], "gala"),
        (21, ["FJ:West Isle"], ""),
    ],
)
def test_it_means_exactly_these(people, kilometres, places, meant):
    rule = {"key": "near_place", "args": {"kilometres": kilometres, "places": places}}
    found = {people[pk] for pk in members(rule, NOW).values_list("pk", flat=True)}
    assert found == set(meant.split())
    others = {people[pk] for pk in members({"not": rule}, NOW).values_list("pk", flat=True)}
    assert others == set(PEOPLE) - found


def test_it_is_said_with_the_names_of_places(people):
    rule = {"key": "near_place", "args": {"kilometres": 30, "places": ["DE:Berlin", "FJ:West Isle"]}}
    assert rules.sentence(rule) == "Everyone who lives within 30 km of Berlin (DE) or West Isle (FJ)."
    with pytest.raises(ValidationError, match="not one of the choices"):
        rules.sentence({"key": "near_place", "args": {"kilometres": 30, "places": ["DE:Nowhere"]}})


def test_a_place_that_rules_name_does_not_become_another(people, now):
    """Else the rule were not valid any more, and campaigns that ask it would stop; nobody deletes one."""
    rule = {"any": [{"key": "near_place", "args": {"kilometres": 30, "places": ["DE:Berlin", "FJ:West Isle"]}}]}
    segment = Segment.objects.create(name="Around Berlin", rule=rule)
    berlin = Place.objects.get(country="DE", city="Berlin")

    def save(city, latitude=52.5):
        where = {"country": "DE", "city": city, "latitude": latitude, "longitude": 13.4}
        return save_place(place_id=berlin.pk, now=now, by=Actor.command("test"), **where)

    with pytest.raises(PlaceAsked, match=r"near Berlin \(DE\): Around Berlin\."):
        save("Bernau")
    assert save("Berlin", latitude=52.6).latitude == 52.6
    assert {people[pk] for pk in members(rule, NOW).values_list("pk", flat=True)} == {"anna", "gala"}
    Segment.objects.filter(pk=segment.pk).update(archived_at=now)
    assert save("Bernau").pk == berlin.pk
