"""The weeks ahead on one board: what is sent, what expires, what begins and ends, and where campaigns meet."""
