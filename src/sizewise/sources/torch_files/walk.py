"""Run the small program in a checkpoint's ``data.pkl`` as data: nothing is imported, called or built.

An interpreter of our own for the opcodes that ``torch.save`` writes; everything else is refused by name.
Its work follows the bytes: opcodes and tensors are counted against what the archive can mean. Tensors in
the form that torch gives them are read whole by `UsualTensors`, with the same values and faults.
"""

from sizewise.errors import InputError
from sizewise.sources.torch_files.machine import Machine
from sizewise.sources.torch_files.opcodes import STEPS
from sizewise.sources.torch_files.usual import UsualTensors

OPCODE_LIMIT = 10_000_000
FREE_OPCODES = 500_000
OPCODES_PER_TENSOR = 100
STACK_LIMIT = 200_000
_MARK, _STOP = 0x28, 0x2E
_CHECK_EVERY = 1_024


def run_pickle(data: bytes, where: str, *, tensor_limit: int) -> Machine:
    """Run the program to its end; its answer is in ``result``, its storages in ``storages``.

    Raises InputError: blocked_global, blocked_opcode, truncated, bad_field, bad_utf8, overflow,
    bad_offsets, inconsistent, unsupported_version, trailing_data, too_many_entries, too_many_tensors.
    """
    machine = Machine(data=data, where=where, tensor_limit=tensor_limit)
    usual = UsualTensors(machine=machine)
    stack, find, end = machine.stack, STEPS.get, len(data)
    steps = 0
    while machine.position < end:
        code = data[machine.position]
        machine.position += 1
        step = find(code)
        if step is None:
            break
        if code != _MARK or not usual.read():
            step(machine)
        steps += 1
        if not steps % _CHECK_EVERY:
            _check_work(machine, steps)
    else:
        raise InputError("truncated", f"{where} ends without an answer")
    if code != _STOP:
        raise InputError(
            "blocked_opcode", f"{where} holds the opcode {code:#04x}, which torch.save never writes"
        )
    machine.result = machine.pop()
    if stack or machine.marks or machine.position != end:
        raise InputError("trailing_data", f"{where} goes on after its answer")
    return machine


def _check_work(machine: Machine, steps: int) -> None:
    """Demand that the tensors found so far justify the work so far."""
    allowed = min(OPCODE_LIMIT, FREE_OPCODES + OPCODES_PER_TENSOR * machine.tensors)
    if steps > allowed or len(machine.stack) > STACK_LIMIT:
        raise InputError(
            "too_many_entries", f"{machine.where} holds more values than its {machine.tensors:,} tensors need"
        )
