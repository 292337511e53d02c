"""Where a model comes from: catalogue, configuration files, standard input, sizes and shapes."""
