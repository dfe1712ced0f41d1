"""Local events: calendars kept by hand or read from `.ics` files and feeds, and where each event is kept."""
