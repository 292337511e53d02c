"""The automatic fitting, against llama.cpp lib 0.5.0's common/fit.cpp compiled with a synthetic model."""

from dataclasses import dataclass

import pytest

from sizewise.gguf.tensors import GgufShape, GgufTensor
from sizewise.parallel.fit import fit
from sizewise.parallel.fit_placement import partial_layers, trial_placement
from sizewise.parallel.fit_request import FitRequest, Measure, Needed, Overflow, Trial
from sizewise.parallel.gguf_places import gguf_places


@dataclass(frozen=True)
class Synthetic:
    """A model whose tensors have one byte per number; attention grows a little from layer to layer."""

    layers: int
    free: tuple[int, ...]
    attention: int
    up: int
    gate: int
    down: int
    output: int
    cache: int
    compute: int
    experts: bool = False

    def shape(self) -> GgufShape:
        ending = "_exps" if self.experts else ""
        tensors = [GgufTensor(base="output.weight", dims=(self.output,))]
        for layer in range(self.layers):
            sizes = {
                "attn_q": self.attention + layer % 3 * 1000,
                f"ffn_up{ending}": self.up,
                f"ffn_gate{ending}": self.gate,
                f"ffn_down{ending}": self.down,
            }
            tensors += [
                GgufTensor(base=f"{name}.weight", dims=(size,), layer=layer) for name, size in sizes.items()
            ]
        return GgufShape(architecture="llama", layers=self.layers, experts=1, gqa=1, tensors=tuple(tensors))


@dataclass(frozen=True)
class Settled:
    """Context, layers of each device, what overflows of which layer and where to, layers without experts."""

    context: int
    layers: tuple[int, ...] | None
    overflows: tuple[tuple[int, Overflow, int | None], ...] = ()
    without_experts: int = 0


def measuring(model: Synthetic) -> Measure:
    shape = model.shape()

    def measure(trial: Trial) -> Needed:
        placement = trial_placement(trial, model.layers, model.free)
        places = gguf_places(shape, placement)
        weights = [0] * len(model.free)
        for tensor in shape.tensors:
            for place in places(tensor):
                if place is not None:
                    weights[place] += tensor.elements
        total = [count + model.compute for count in weights]
        for device in placement.device_of_layer:
            if device is not None:
                total[device] += model.cache * trial.context
        return Needed(total=tuple(total), weights=tuple(weights))

    return measure


CASES = [
    (
        Synthetic(
            layers=32,
            free=(21_803_409_604,),
            attention=22_020_096,
            up=193_986_560,
            gate=301_989_888,
            down=188_743_680,
            output=286_261_248,
            cache=1024,
            compute=161_480_704,
            experts=True,
        ),
        (4096, 8192, 1),
        Settled(context=8192, layers=(33,), overflows=((28, "attention", None),), without_experts=4),
    ),
    (
        Synthetic(
            layers=12,
            free=(1_629_679_676, 2_667_051_625),
            attention=12_582_912,
            up=37_748_736,
            gate=55_574_528,
            down=34_603_008,
            output=558_891_008,
            cache=40000,
            compute=433_061_888,
        ),
        (4096, 0, 1),
        Settled(context=4096, layers=(0, 2)),
    ),
    (
        Synthetic(
            layers=61,
            free=(34_413_438_195, 28_465_402_515),
            attention=57_671_680,
            up=462_422_016,
            gate=60_817_408,
            down=436_207_616,
            output=319_815_680,
            cache=0,
            compute=493_879_296,
            experts=True,
        ),
        (4096, 0, 1),
        Settled(
            context=4096,
            layers=(33, 29),
            overflows=((32, "attention", 1), (58, "attention", None)),
            without_experts=3,
        ),
    ),
    (
        Synthetic(
            layers=61,
            free=(3_368_580_140, 3_111_022_899, 7_301_878_304),
            attention=55_574_528,
            up=22_020_096,
            gate=7_340_032,
            down=5_242_880,
            output=208_666_624,
            cache=40000,
            compute=417_333_248,
        ),
        (32768, 0, 1),
        Settled(context=4096, layers=(7, 6, 23)),
    ),
    (
        Synthetic(
            layers=12,
            free=(2_154_706_144, 2_302_732_326, 1_972_871_096),
            attention=13_631_488,
            up=35_651_584,
            gate=157_286_400,
            down=29_360_128,
            output=595_591_168,
            cache=1024,
            compute=225_443_840,
            experts=True,
        ),
        (2048, 0, 1),
        Settled(context=2048, layers=(4, 8, 1), overflows=((3, "up", 1),), without_experts=5),
    ),
    (
        Synthetic(
            layers=32,
            free=(16_424_585_817, 7_027_573_510, 27_780_744_234),
            attention=38_797_312,
            up=185_597_952,
            gate=396_361_728,
            down=142_606_336,
            output=251_658_240,
            cache=0,
            compute=249_561_088,
            experts=True,
        ),
        (32768, 0, 1),
        Settled(context=32768, layers=None),
    ),
    (
        Synthetic(
            layers=28,
            free=(2_993_412_214,),
            attention=48_234_496,
            up=79_691_776,
            gate=147_849_216,
            down=44_040_192,
            output=127_926_272,
            cache=1024,
            compute=409_993_216,
            experts=True,
        ),
        (32768, 0, 1),
        Settled(context=4096, layers=(22,), without_experts=21),
    ),
    (
        Synthetic(
            layers=12,
            free=(2_221_368_100,),
            attention=15_728_640,
            up=20_971_520,
            gate=6_291_456,
            down=8_388_608,
            output=209_715_200,
            cache=4096,
            compute=138_412_032,
        ),
        (2048, 0, 1),
        Settled(context=2048, layers=None),
    ),
    (
        Synthetic(
            layers=12,
            free=(1_996_530_928, 2_249_819_778, 3_318_691_173),
            attention=27_262_976,
            up=20_971_520,
            gate=17_825_792,
            down=37_748_736,
            output=581_959_680,
            cache=1024,
            compute=267_386_880,
        ),
        (32768, 0, 1),
        Settled(context=32768, layers=None),
    ),
    (
        Synthetic(
            layers=28,
            free=(1_725_975_051,),
            attention=44_040_192,
            up=25_165_824,
            gate=33_554_432,
            down=30_408_704,
            output=620_756_992,
            cache=4096,
            compute=79_691_776,
        ),
        (4096, 0, 1),
        Settled(context=4096, layers=(0,)),
    ),
    (
        Synthetic(
            layers=61,
            free=(33_990_717_381,),
            attention=46_137_344,
            up=241_172_480,
            gate=59_768_832,
            down=132_120_576,
            output=456_130_560,
            cache=1024,
            compute=53_477_376,
            experts=True,
        ),
        (131072, 8192, 1),
        Settled(context=8192, layers=None),
    ),
    (
        Synthetic(
            layers=28,
            free=(4_113_523_827, 1_662_891_618, 3_668_786_824),
            attention=17_825_792,
            up=100_663_296,
            gate=41_943_040,
            down=162_529_280,
            output=522_190_848,
            cache=40000,
            compute=134_217_728,
            experts=True,
        ),
        (2048, 0, 1),
        Settled(context=2048, layers=(8, 4, 17), without_experts=22),
    ),
    (
        Synthetic(
            layers=12,
            free=(3_932_364_872, 2_976_769_365),
            attention=49_283_072,
            up=53_477_376,
            gate=62_914_560,
            down=22_020_096,
            output=510_656_512,
            cache=0,
            compute=361_758_720,
        ),
        (4096, 0, 4),
        Settled(context=16384, layers=None),
    ),
    (
        Synthetic(
            layers=12,
            free=(4_543_973_666, 2_437_833_432),
            attention=45_088_768,
            up=125_829_120,
            gate=62_914_560,
            down=41_943_040,
            output=428_867_584,
            cache=0,
            compute=117_440_512,
            experts=True,
        ),
        (2048, 0, 4),
        Settled(context=8192, layers=(12, 1)),
    ),
    (
        Synthetic(
            layers=12,
            free=(5_562_028_011, 3_951_518_805),
            attention=13_631_488,
            up=220_200_960,
            gate=56_623_104,
            down=73_400_320,
            output=374_341_632,
            cache=0,
            compute=426_770_432,
            experts=True,
        ),
        (2048, 0, 1),
        Settled(context=2048, layers=None),
    ),
]
"""A model, its trained context with the one asked for and the streams, and what the engine settles on."""


@pytest.mark.parametrize(("model", "contexts", "settled"), CASES)
def test_the_engine_settles_on_the_same(
    model: Synthetic, contexts: tuple[int, int, int], settled: Settled
) -> None:
    trained, asked, streams = contexts
    request = FitRequest(
        layers=model.layers,
        free=model.free,
        trained_context=trained,
        context=asked,
        streams=streams,
        experts=model.experts,
    )
    trial = fit(request, measuring(model)).trial
    assert trial.context == settled.context
    found = None if trial.layout is None else tuple(entry.layers for entry in trial.layout)
    assert found == settled.layers
    if trial.layout is not None:
        partial = list(partial_layers(trial.layout, model.layers))
        assert tuple(entry for entry in partial if entry[1] != "experts") == settled.overflows
        assert sum(entry[1] == "experts" for entry in partial) == settled.without_experts


def test_a_host_alone_only_shortens_the_context() -> None:
    request = FitRequest(
        layers=4, free=(5 * 2**30,), trained_context=131072, devices=False, minimum_context=4096
    )

    def measure(trial: Trial) -> Needed:
        return Needed(total=(2**30 + trial.context * 2**15,), weights=(2**30,))

    found = fit(request, measure)
    assert found.fits
    assert found.trial.context == 98_304
    tight = FitRequest(layers=4, free=(2**30,), trained_context=131072, devices=False)
    assert not fit(tight, measure).fits
