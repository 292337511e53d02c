"""What host and device need counts together where they share one memory."""

from sizewise.catalog.devices import find_device
from sizewise.parallel.unified import demands

GIB = 2**30


def test_a_mac_has_two_limits() -> None:
    own, both = demands(find_device("m1-16gb"), 10 * GIB, 5 * GIB)
    assert (own.fits, own.limit) == (True, find_device("m1-16gb").memory_bytes)
    assert (both.memory, both.needed, both.limit, both.fits) == ("shared", 15 * GIB, 16 * GIB, True)
    own, both = demands(find_device("m1-16gb"), 11 * GIB, 6 * GIB)
    assert not own.fits
    assert not both.fits


def test_a_card_and_its_host_count_apart() -> None:
    own, host = demands(find_device("rtx-3060"), 8 * GIB, 64 * GIB)
    assert own.fits
    assert (host.memory, host.limit, host.fits) == ("host", None, True)
    assert not demands(find_device("rtx-3060"), 8 * GIB, 64 * GIB, host_memory=32 * GIB)[1].fits
