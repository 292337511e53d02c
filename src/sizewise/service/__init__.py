"""Questions asked by programs: the commands as verbs with typed options, answered without a terminal."""
