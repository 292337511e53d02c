"""Reading runs: formats, columns, units, exports with curves, and refusals that name row and column."""

import gzip
import json
import math
import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sizewise.errors import InputError, SizewiseError, UsageError
from sizewise.scaling.run_files import Columns, Curves, Units, read_runs

TABLE = "run,n_params,d_tokens,loss\na,1e8,2e9,3.5\nb,2e8,4e9,3.2\n"
EXPECTED = ((1e8, 2e8), (2e9, 4e9), (3.5, 3.2))


@pytest.fixture
def file(tmp_path):
    def write(content, name="runs.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def core(runs):
    return runs.params, runs.tokens, runs.losses


def refused(path, *words, code="bad_data", **options):
    with pytest.raises(InputError) as caught:
        read_runs(path, **options)
    assert caught.value.code == code
    for word in words:
        assert word in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (TABLE, "a.csv"),
        (TABLE.replace(",", ";"), "a.csv"),
        (TABLE.replace(",", "\t"), "a.tsv"),
        ("\ufeff" + TABLE, "a.csv"),
        (TABLE.replace("\n", "\r\n"), "a.csv"),
        ("\n" + TABLE.replace("\na", "\n\na"), "a.csv"),
        ('"run","n_params","d_tokens","loss"\n"a","100,000,000","2e9",3.5\nb,200M,4B,"3.2"\n', "a.csv"),
        (gzip.compress(TABLE.encode(), mtime=0), "a.csv.gz"),
        (
            json.dumps(
                [
                    {"run": "a", "N": 10**8, "D": 2e9, "L": 3.5},
                    {"run": "b", "N": "0.2B", "D": 4e9, "L": "3.2"},
                ]
            ),
            "a.json",
        ),
        (json.dumps({"params": [1e8, 2e8], "tokens": [2e9, 4e9], "loss": [3.5, 3.2]}), "a.json"),
        (
            json.dumps(
                {
                    "params": {"0": 1e8, "1": 2e8},
                    "tokens": {"0": 2e9, "1": 4e9},
                    "loss": {"0": 3.5, "1": 3.2},
                }
            ),
            "a.json",
        ),
        (
            json.dumps({"runs": [{"n": 1e8, "d": 2e9, "loss": 3.5}, {"n": 2e8, "d": 4e9, "loss": 3.2}]}),
            "a.json",
        ),
        (
            '{"n":1e8,"d":2e9,"loss":3.5}\n\n{"loss":3.2,"n":2e8,"d":4e9,"note":"x"}\n',
            "a.jsonl",
        ),
    ],
)
def test_every_format_gives_the_same_runs(file, content, name):
    assert core(read_runs(file(content, name))) == EXPECTED


def test_columns_found_and_asked_for(file):
    path = file("id,config.N-Params,train_tokens,val/loss,other,lr,D_unique\nx,1e8,2e9,3,4,1e-3,1e9\n")
    runs = read_runs(path)
    assert runs.columns == {
        "n": "config.N-Params",
        "d": "train_tokens",
        "loss": "val/loss",
        "learning_rate": "lr",
        "unique_tokens": "D_unique",
    }
    assert runs.others == {"learning_rate": (1e-3,), "unique_tokens": (1e9,)}
    asked = read_runs(path, Columns(loss="other", run="id", others={"extra": "val/loss"}))
    assert asked.losses == (4.0,)
    assert asked.names == ("x",)
    assert asked.others["extra"] == (3.0,)
    assert len(runs.digest) == 64


def test_what_may_be_meant_twice_is_asked(file):
    path = file("n,d,train_loss,val_loss\n1e8,2e9,3,3.1\n")
    refused(path, "'train_loss', 'val_loss'", "loss=COLUMN (--loss COLUMN)")
    assert read_runs(path, Columns(loss="val_loss")).losses == (3.1,)
    refused(path, "no column 'vall_loss'", "did you mean val_loss", columns=Columns(loss="vall_loss"))
    refused(file("params,tokens\n1e8,2e9\n"), "no column of loss")
    refused(file("params,loss\n1e8,3\n"), "no column of d", "flops=COLUMN (--flops COLUMN)")
    refused(file("tokens,loss\n1e8,3\n"), "no column of n", "n=COLUMN")


def test_non_embedding_column_stands_back(file):
    runs = read_runs(file("n_params,n_nonemb,d,loss\n3e8,2e8,2e9,3\n"))
    assert runs.params == (3e8,)
    assert runs.others["non_embedding_params"] == (2e8,)
    assert read_runs(file("n_nonemb,d,loss\n2e8,2e9,3\n")).params == (2e8,)


def test_tokens_from_flops(file):
    runs = read_runs(file("N,C,loss\n1e8,1.2e18,3\n"))
    assert runs.tokens == (2e9,)
    assert [notice.code for notice in runs.notices] == ["tokens_derived"]
    assert "LAW06" in runs.notices[0].message


def test_units(file):
    path = file("params,tokens,compute,loss\n125,2,0.5,4\n")
    runs = read_runs(path, units=Units(n="millions", d="billions", flops="pf-days", loss="bits"))
    assert runs.params == (1.25e8,)
    assert runs.tokens == (2e9,)
    assert runs.flops == (4.32e19,)
    assert runs.losses == pytest.approx((4 * math.log(2),))
    logged = file("params,tokens,loss\n125000000,2e9,0.5\n")
    assert read_runs(logged, units=Units(loss="log10")).losses == (10**0.5,)
    named = read_runs(file("params_M,tokens_b,c_flops_1e21,loss\n125,2,0.5,4\n"))
    assert (named.params, named.tokens, named.flops) == ((1.25e8,), (2e9,), (5e20,))
    assert {notice.code for notice in named.notices} == {"units_assumed"}
    with pytest.raises(UsageError, match="did you mean millions"):
        read_runs(path, units=Units(n="milions"))


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("", "is missing"),
        ("NaN", "is missing"),
        ("n/a", "is missing"),
        ("abc", "is no number"),
        ("True", "is no number"),
        ("inf", "is infinite"),
        ("1e999", "is infinite"),
        ("0", "above 0"),
        ("-3", "above 0"),
        ("35%", "percentage"),
        ('"3,5"', "decimal comma"),
        ("3k", "suffix"),
        ("0x10", "is no number"),
        ("1e300", "more than any runs have"),
        ('"1,00,000"', "is no number"),
    ],
)
def test_a_wrong_cell_is_named(file, cell, words):
    path = file(f"{TABLE}c,3e8,6e9,{cell}\n")
    refused(path, "row 3", "'loss'", words)
    runs = read_runs(path, skip_incomplete=True)
    assert core(runs) == EXPECTED
    assert "1 incomplete rows left out (first: 3)" in runs.notices[0].message


def test_booleans_of_json_are_no_numbers(file):
    refused(file('[{"n":1e8,"d":2e9,"loss":true}]', "a.json"), "row 1", "'true' is no number")
    refused(file('[{"n":1e8,"d":2e9,"loss":null}]', "a.json"), "is missing")
    refused(file('[{"n":1e8,"d":2e9,"loss":NaN}]', "a.json"), "is missing")
    refused(file("n,d,loss\n0.125,2e9,3\n"), "less than one", "n=billions")


def test_rows_kept_by_a_column(file):
    path = file("series,n,d,loss,used\na,1e8,2e9,3,1\nb,2e8,4e9,3.1,0\n")
    assert read_runs(path, where={"series": "b"}).params == (2e8,)
    assert read_runs(path, where={"used": "1.0"}).params == (1e8,)
    refused(path, "no complete row", where={"series": "c"})
    refused(path, "no column of 'sries'", where={"sries": "c"})


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a.csv", "truncated"),
        (b"\xef\xbb\xbf \n", "a.csv", "truncated"),
        (b"n,d,loss\n", "a.csv", "bad_data"),
        (b"n,n,loss\n1,2,3\n", "a.csv", "duplicate"),
        (b"n,N,d,loss\n1,2,3,4\n", "a.csv", "bad_data"),
        (b"n,d,loss\n1e8,2e9\n", "a.csv", "bad_data"),
        (b"n,d,loss\n1e8,2e9,3,4\n", "a.csv", "bad_data"),
        (b'n,d,loss\n1e8,2e9,"3\n', "a.csv", "bad_data"),
        (b"n,d,loss\n1e8,2e9," + b"3" * 200_000, "a.csv", "bad_data"),
        (b"n,d,loss\n1e8,\xff,3\n", "a.csv", "bad_utf8"),
        ("n,d,loss\n1e8,2e9,3\n".encode("utf-16"), "a.csv", "bad_utf8"),
        (b"n,d,loss\n1e8,\x00,3\n", "a.csv", "unsupported_format"),
        (pickle.dumps({"n": [1e8]}), "a.csv", "unsupported_format"),
        (b"n,d,loss\n1e8,2e9,3\n", "a.pkl", "unsupported_format"),
        (b"\x93NUMPY\x01\x00", "a.csv", "unsupported_format"),
        (b"PK\x03\x04", "a.csv", "unsupported_format"),
        (b"PAR1", "a.csv", "unsupported_format"),
        (b"\x18\x00", "events.out.tfevents.1.host", "unsupported_format"),
        (gzip.compress(pickle.dumps(1), mtime=0), "a.csv.gz", "unsupported_format"),
        (gzip.compress(b"n,d,loss\n", mtime=0)[:-6], "a.csv.gz", "truncated"),
        (b"<!DOCTYPE html>", "a.csv", "unknown_format"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a.csv", "lfs_pointer"),
        (b"[", "a.json", "bad_json"),
        (b"[" * 100_000, "a.json", "too_deep"),
        (b"[]", "a.json", "bad_data"),
        (b"[1, 2]", "a.json", "bad_data"),
        (b"[[1, 2]]", "a.json", "bad_data"),
        (b"[[null, null, []]]", "a.json", "bad_data"),
        (b"{}", "a.json", "bad_data"),
        (b'{"n": [1], "d": [1, 2]}', "a.json", "bad_data"),
        (b'[{"n": 1, "n": 2}]', "a.json", "duplicate"),
        (b'[{"n": ' + b"9" * 5000 + b', "d": 2, "loss": 3}]', "a.json", "bad_json"),
        (b'{"n":1e8,"d":2e9,"loss":3}\nx\n', "a.jsonl", "bad_json"),
        (b'{"n":1e8,"d":2e9,"loss":3}\n[1]\n', "a.jsonl", "bad_json"),
    ],
)
def test_hostile_files_are_refused(file, content, name, code):
    refused(file(content, name), code=code)


def test_pickles_are_never_run(file, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    refused(file(pickle.dumps(Trap()), "a.csv"), "LAW21", code="unsupported_format")
    refused(file(pickle.dumps(Trap(), protocol=0), "a.csv"))
    assert not (tmp_path / "sprung").exists()


def test_paths(tmp_path):
    refused(tmp_path / "none.csv", code="not_found")
    refused(tmp_path, "holds no CSV")
    refused("a" * 5000, code="unreadable")
    refused("a\0b", code="unreadable")


def test_wandb_table_of_runs(file):
    path = file(
        "Name,State,Created,config.n_params,train_tokens,train/loss\n"
        "a,finished,x,1e8,2e9,3.5\nb,finished,x,2e8,4e9,3.2\nc,crashed,x,3e8,1e9,\n"
    )
    runs = read_runs(path)
    assert core(runs) == EXPECTED
    assert runs.names == ("a", "b")
    assert [notice.code for notice in runs.notices] == ["unfinished_runs"]


def test_wandb_objects_in_cells(file):
    rows = [
        ("{'n_params': 100000000, 'opt': {'lr': 0.001}}", "{'loss': 3.5, 'tokens': 2e9, '_wandb': nan}", "a"),
        ('{"n_params": {"value": 2e8, "desc": null}}', '{"loss": 3.2, "tokens": 4e9}', "b"),
    ]
    lines = ["config,summary,name"]
    lines += [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    assert core(read_runs(file("\n".join(lines)))) == EXPECTED
    trap = "config,summary,name\n\"{'n': __import__('os').getpid()}\",{},a\n"
    refused(file(trap), "row 1", code="bad_json")


CHART = (
    '"Step","gpt-70M - train/loss","gpt-70M - train/loss__MIN","gpt-70M - train/loss__MAX",'
    '"gpt-1.3b - train/loss","gpt-1.3b - _step"\n'
    '"0","9.0","9","9","9.5","0"\n"100","4.0","4","4","","100"\n"200","3.9","4","4","3.0","200"\n'
)


def test_wandb_chart(file):
    path = file(CHART)
    runs = read_runs(path, curves=Curves(tokens_per_step=1e6, params={"gpt-70M": 7.1e7}))
    assert core(runs) == ((7.1e7, 1.3e9), (2e8, 2e8), (3.9, 3.0))
    assert runs.names == ("gpt-70M", "gpt-1.3b")
    assert {notice.code for notice in runs.notices} == {"size_assumed", "last_points"}
    assert "gpt-70M" not in next(n.message for n in runs.notices if n.code == "size_assumed")
    refused(path, "tokens_per_step")
    nameless = CHART.replace("gpt-70M", "baseline")
    refused(file(nameless), "'baseline'", "curves.params (--size-of)", curves=Curves(tokens_per_step=1e6))
    twofold = CHART.replace("gpt-70M", "7b-on-100b")
    refused(file(twofold), "several sizes", curves=Curves(tokens_per_step=1e6))
    for wrong in (0, math.nan, True):
        with pytest.raises(UsageError):
            read_runs(path, curves=Curves(tokens_per_step=wrong))


def test_every_point_of_a_curve_but_its_start(file):
    path = file("step,loss\n0,9\n10,5\n20,4\n", "m-70M.csv")
    runs = read_runs(path, curves=Curves(tokens_per_step=1e6, every_point=True))
    assert core(runs) == ((7e7, 7e7), (1e7, 2e7), (5.0, 4.0))


def test_tensorboard(file):
    scalars = "Wall time,Step,Value\n1.5,10,4.0\n2.5,20,3.5\n"
    path = file(scalars, "run-base_70M-tag-train_loss.csv")
    expected = ((7e7,), (2e7,), (3.5,))
    runs = read_runs(path, curves=Curves(tokens_per_step=1e6))
    assert core(runs) == expected
    assert runs.names == ("base_70M",)
    path = file("[[1.5, 10, 4.0], [2.5, 20, 3.5]]", "run-base_70M-tag-loss.json")
    assert core(read_runs(path, curves=Curves(tokens_per_step=1e6))) == expected


def test_trainer_logs(file, tmp_path):
    def state(loss):
        history = [
            {"loss": 9.0, "step": 10, "epoch": 0.1},
            {"eval_loss": loss + 0.1, "step": 20},
            {"loss": loss, "step": 20, "learning_rate": 1e-4},
            {"train_runtime": 5.0, "step": 20, "total_flos": 1e18},
        ]
        return json.dumps({"global_step": 20, "log_history": history})

    file(state(3.5), "logs/m-100M/trainer_state.json")
    file(state(3.2), "logs/m-200M/trainer_state.json")
    file('{"hidden_size": 8}', "logs/m-200M/config.json")
    runs = read_runs(tmp_path / "logs", Columns(loss="loss"), curves=Curves(tokens_per_step=1e8))
    assert core(runs) == ((1e8, 2e8), (2e9, 2e9), (3.5, 3.2))
    evaluated = read_runs(tmp_path / "logs", Columns(loss="eval_loss"), curves=Curves(tokens_per_step=1e8))
    assert evaluated.losses == (3.6, 3.3000000000000003)
    lines = '{"step":10,"loss":4}\n{"step":20,"lr":0.1}\n{"step":30,"loss":3}\n'
    log = file(lines, "m-1b.jsonl")
    assert core(read_runs(log, curves=Curves(tokens_per_step=1e6))) == ((1e9,), (3e7,), (3.0,))


def test_a_folder_is_one_set_of_runs(file, tmp_path):
    file("run,n,d,loss,lr\na,1e8,2e9,3.5,1\n", "all/x.csv")
    file("run,n,d,loss\nb,2e8,4e9,3.2\n", "all/y.csv")
    runs = read_runs(tmp_path / "all")
    assert core(runs) == EXPECTED
    assert runs.names == ("a", "b")
    assert runs.others == {}


def test_runs_by_position(file):
    runs = read_runs(file(TABLE)).at([1])
    assert core(runs) == ((2e8,), (4e9,), (3.2,))
    assert runs.names == ("b",)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=120),
        st.lists(
            st.sampled_from(
                [
                    "n",
                    "d",
                    "loss",
                    ",",
                    "\n",
                    "1e8",
                    "2e9",
                    "3",
                    '"',
                    "{",
                    "}",
                    "[",
                    "]",
                    ":",
                    "-",
                    "Step",
                    "é",
                ]
            ),
            max_size=40,
        ).map(lambda parts: "".join(parts).encode()),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["n", "d", "loss", "step", "log_history", "x"]), inner, max_size=4
                )
            ),
            max_leaves=12,
        ).map(lambda document: json.dumps(document).encode()),
    ),
    st.sampled_from(["a.csv", "a.json", "a.csv.gz"]),
    st.booleans(),
)
def test_only_our_own_errors_come_out(file, content, name, skip):
    try:
        runs = read_runs(file(content, name), skip_incomplete=skip)
    except SizewiseError:
        return
    assert len(runs.params) == len(runs.tokens) == len(runs.losses) > 0
    assert all(math.isfinite(value) and value > 0 for column in core(runs) for value in column)
