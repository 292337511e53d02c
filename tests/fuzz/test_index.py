"""Random shard indexes over random shards: every tensor once, in its shard, or a typed error."""

import json
from random import Random
from typing import Any

from sizewise.errors import InputError
from sizewise.listing import Listing
from sizewise.sources.ranges import BytesReader
from sizewise.sources.safetensors.header import read_header
from sizewise.sources.safetensors.index import read_index, read_shards

from ..corpus.build import ESCAPES
from ..corpus.writers import sound_st
from .driver import ODD_NAMES, ODD_VALUES, flipped, fuzz

SHARDS = {
    f"model-{place}.safetensors": {f"layers.{place}.{name}": ("F32", [place + 2, 3]) for name in "abc"}
    for place in range(4)
}
LISTINGS = {
    name: read_header(BytesReader(content, name=name, size=len(content)))
    for name, content in ((name, sound_st(tensors)) for name, tensors in SHARDS.items())
}


def shard(name: str) -> Listing:
    found = LISTINGS.get(name)
    if found is None:
        raise InputError("missing_shard", "no such shard")
    return found


def sound_index(random: Random) -> tuple[dict[str, Any], int]:
    chosen = random.sample(tuple(SHARDS), random.randint(1, 4))
    pairs = [(tensor, name) for name in chosen for tensor in SHARDS[name]]
    random.shuffle(pairs)
    size = sum(LISTINGS[name].bytes for name in chosen)
    index = {"metadata": {"total_size": size}, "weight_map": dict(pairs)}
    return index, sum(LISTINGS[name].elements for name in chosen)


def break_index(random: Random, index: dict[str, Any]) -> None:
    names = list(index["weight_map"])
    match random.randrange(6):
        case 0:
            index["weight_map"][random.choice(names)] = random.choice((*SHARDS, *ESCAPES, *ODD_VALUES))
        case 1:
            index["weight_map"][random.choice(ODD_NAMES)] = random.choice(tuple(SHARDS))
        case 2:
            del index["weight_map"][random.choice(names)]
        case 3:
            index["metadata"]["total_size"] = random.choice(ODD_VALUES)
        case 4:
            index[random.choice((*ODD_NAMES, "metadata", "weight_map"))] = random.choice(ODD_VALUES)
        case _:
            del index[random.choice(tuple(index))]


def one(random: Random) -> int:
    index, total = sound_index(random)
    broken = random.random() < 0.6
    if broken and random.random() < 0.7:
        break_index(random, index)
    data = json.dumps(index, indent=random.choice((None, 2))).encode("utf-8", "surrogatepass")
    if broken and random.random() < 0.6:
        data = flipped(random, data)
    read = read_index(BytesReader(data, name="index", size=len(data)))
    listing = read_shards(read, shard, "index")
    assert listing.elements == sum(LISTINGS[name].elements for name in read.shards)
    held = {name for file in read.shards for name in SHARDS[file]}
    assert set(read.weight_map) <= held
    doubtful = read.total_size not in (None, listing.bytes) or set(read.weight_map) != held
    assert bool(listing.notices) == doubtful
    if not broken:
        assert listing.elements == total
        assert not doubtful
    return listing.elements


def test_indexes() -> None:
    outcomes = fuzz("index", one)
    assert outcomes.valid_share > 0.3
    assert len(outcomes.codes) >= min(8, outcomes.inputs // 500)
