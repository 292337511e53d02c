import pickle
from dataclasses import dataclass, field, replace

from sizewise.hashed_once import HashedOnce
from sizewise.sources.reference import load_known


@dataclass(frozen=True, slots=True, kw_only=True)
class Deep(HashedOnce):
    inner: "Counted"
    remark: str = field(default="", compare=False)

    __hash__ = HashedOnce.__hash__


class Counted:
    def __init__(self) -> None:
        self.times = 0

    def __hash__(self) -> int:
        self.times += 1
        return 7


def test_what_is_deep_is_hashed_once():
    inner = Counted()
    deep = Deep(inner=inner)
    assert len({hash(deep) for _ in range(5)}) == 1
    assert inner.times == 1


def test_a_changed_copy_has_a_hash_of_its_own():
    inner = Counted()
    deep = Deep(inner=inner)
    hash(deep)
    copied = replace(deep, remark="another")
    assert copied == deep
    assert hash(copied) == hash(deep)
    assert inner.times == 2


def test_a_hash_is_not_sent_to_another_process():
    model = load_known("gpt2")
    fresh = pickle.dumps(model)
    hash(model)
    assert pickle.dumps(model) == fresh
    assert pickle.loads(fresh) == model
    assert hash(pickle.loads(fresh)) == hash(model)
