"""How far two points lie apart: one function, asked by events with a radius and by segments."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION campaigns_kilometres_v1(
    north double precision, east double precision, other_north double precision, other_east double precision
) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    -- In degrees, along a great circle of a sphere of 6,371 km.
    SELECT 6371 * 2 * asin(least(1, sqrt(
        sin(radians(north - other_north) / 2) ^ 2
        + cos(radians(north)) * cos(radians(other_north)) * sin(radians(east - other_east) / 2) ^ 2)))
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial")]

    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION campaigns_kilometres_v1;")]
