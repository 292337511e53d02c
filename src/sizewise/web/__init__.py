"""The page and the REST service: the commands' answers over HTTP, on this machine by default."""
