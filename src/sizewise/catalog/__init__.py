"""Facts as frozen, validated objects: model types, models, devices, formats."""
