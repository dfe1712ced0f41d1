"""Customers from a CSV file: ours with every check beside a staging COPY and one upsert without any.

python -m benchmarks.ingest [ROWS] [ROUNDS]: 200,000 rows unless told otherwise; both sides read the same file.
"""

import csv
import random
import sys
import tempfile
from pathlib import Path

from django.db import connection, transaction

from benchmarks import harness
from retention import clock
from retention.actors import Actor
from retention.shop.models import Shop
from retention.work.ingest import ingest
from retention.work.ingest.files import open_rows

COLUMNS = (
    "reference", "email", "phone", "given_name", "family_name", "birthday", "postcode", "city", "country", "language",
    "time_zone", "source", "signed_up_at",
)  # fmt: skip
PLACES = (
    ("Berlin", "DE", "de", "Europe/Berlin"), ("Seoul", "KR", "ko", "Asia/Seoul"), ("Paris", "FR", "fr", "Europe/Paris"),
    ("Astana", "KZ", "ru", "Asia/Almaty"), ("Boston", "US", "en", "America/New_York"),
)  # fmt: skip
#: What the same file costs when nobody looks at it: typed staging and one statement.
STAGING = """
CREATE TEMP TABLE floor_staging (reference text, email text, phone text, given_name text, family_name text,
    birthday date, postcode text, city text, country text, language text, time_zone text, source text,
    signed_up_at timestamptz) ON COMMIT DROP
"""
UPSERT = """
INSERT INTO customers_customer AS c (reference, email, phone, given_name, family_name, birth_year, birth_month,
    birth_day, address, postcode, city, region, country, language, time_zone, preferred_channel, interests, source,
    acquisition_currency, attributes, signed_up_at, recorded_at)
SELECT reference, email, phone, given_name, family_name, extract(year FROM birthday), extract(month FROM birthday),
    extract(day FROM birthday), '', postcode, city, '', country, language, time_zone, '', '{}', source, '', '{}',
    signed_up_at, now()
FROM floor_staging
ON CONFLICT (reference) DO UPDATE SET email = EXCLUDED.email, phone = EXCLUDED.phone,
    given_name = EXCLUDED.given_name, family_name = EXCLUDED.family_name, birth_year = EXCLUDED.birth_year,
    birth_month = EXCLUDED.birth_month, birth_day = EXCLUDED.birth_day, postcode = EXCLUDED.postcode,
    city = EXCLUDED.city, country = EXCLUDED.country, language = EXCLUDED.language, time_zone = EXCLUDED.time_zone,
    source = EXCLUDED.source, signed_up_at = EXCLUDED.signed_up_at, xid = pg_current_xact_id()
WHERE (c.email, c.phone, c.given_name, c.family_name, c.birth_year, c.birth_month, c.birth_day, c.postcode, c.city,
        c.country, c.language, c.time_zone, c.source, c.signed_up_at)
    IS DISTINCT FROM (EXCLUDED.email, EXCLUDED.phone, EXCLUDED.given_name, EXCLUDED.family_name, EXCLUDED.birth_year,
        EXCLUDED.birth_month, EXCLUDED.birth_day, EXCLUDED.postcode, EXCLUDED.city, EXCLUDED.country,
        EXCLUDED.language, EXCLUDED.time_zone, EXCLUDED.source, EXCLUDED.signed_up_at)
"""


def write_file(path: Path, rows: int, *, changed: bool = False) -> None:
    """The same people every time; with `changed`, each lives in another city."""
    chance = random.Random(7)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for number in range(rows):
            city, country, language, zone = chance.choice(PLACES)
            born = f"{chance.randint(1940, 2008)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
            joined = f"20{chance.randint(15, 25)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02} 10:00:00+00"
            out.writerow(
                (
                    f"C{chance.getrandbits(40):010x}{number}", f"person{number}@example.com", f"+4915{number:09}",
                    f"Name{number % 977}", f"Family{number % 7919}", born, f"{number % 99999:05}",
                    f"New {city}" if changed else city, country, language, zone, "newsletter", joined,
                )
            )  # fmt: skip


def ours(path: Path) -> int:
    with path.open("rb") as file:
        result = ingest("customers", open_rows(file), now=clock.now(), by=Actor.command("benchmark"))
    assert result.is_written, result.refused[:3]
    return result.new + result.changed + result.unchanged


def floor(path: Path) -> int:
    with transaction.atomic(), connection.cursor() as cursor, path.open("rb") as file:
        cursor.execute(STAGING)
        with cursor.cursor.copy(f"COPY floor_staging ({', '.join(COLUMNS)}) FROM STDIN CSV HEADER") as copy:
            while block := file.read(2**18):
                copy.write(block)
            rows = 0
        cursor.execute("SELECT count(*) FROM floor_staging")
        rows = cursor.fetchone()[0]
        cursor.execute("ANALYZE floor_staging")
        cursor.execute(UPSERT)
    return rows


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else harness.size(200_000)
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder, harness.database():
        Shop.objects.update_or_create(
            id=1,
            defaults={"name": "Bench", "time_zone": "UTC", "currency": "EUR", "languages": ["en"], "country": "DE"},
        )
        path, changed = Path(folder, "customers.csv"), Path(folder, "changed.csv")
        write_file(path, rows)
        write_file(changed, rows, changed=True)

        def fresh() -> None:
            harness.empty("customers_customer")
            harness.settle()

        harness.compare(
            "ingest_new", lambda: ours(path), lambda: floor(path), rounds=rounds, unit="customers", prepare=fresh
        )
        fresh()
        ours(path)
        harness.settle()
        harness.compare("ingest_unchanged", lambda: ours(path), lambda: floor(path), rounds=rounds, unit="customers")

        def known() -> None:
            fresh()
            ours(path)
            harness.settle()

        harness.compare(
            "ingest_changed", lambda: ours(changed), lambda: floor(changed), rounds=rounds, unit="customers",
            prepare=known,
        )  # fmt: skip


if __name__ == "__main__":
    main()
