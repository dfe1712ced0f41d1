"""The timetable as data: what beat ticks. When each job is due, and for whom, is asked of the database."""

#: Beat writes these rows when it starts; people may switch them off in the console, nothing else.
#: A tick that nobody took before the next one is worthless, so it expires.
TICKS = {
    "tick": {
        "task": "work.tick",
        "schedule": 60.0,
        "options": {"queue": "sweeps", "expire_seconds": 55},
    },
}
