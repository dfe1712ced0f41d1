"""Tests; they mirror the source, and beside that tell journeys, races, laws and faults."""
