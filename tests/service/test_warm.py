"""What a service loads ahead."""

import gc

from sizewise.service.verbs import OFFERED
from sizewise.service.warm import USUAL, warm


def test_what_is_loaded_ahead_is_out_of_the_collectors_sight():
    gc.unfreeze()
    try:
        warm()
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
    assert set(USUAL) <= set(OFFERED)
