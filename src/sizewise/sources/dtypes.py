"""Data types of stored tensors: bits of one element, and what torch calls them.

The names are those of safetensors headers. Source: safetensors 0.8.0, ``safetensors/src/tensor.rs``
(dtypes and bits) and torch 2.13, ``torch/storage.py`` (typed storages), read 2026-10.
"""

DTYPE_BITS = {
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "F64": 64,
    "I64": 64,
    "U64": 64,
    "C64": 64,
}
"""Bits of one element of every dtype that safetensors knows."""

TORCH_DTYPES = {
    "float64": ("F64", 64),
    "float32": ("F32", 32),
    "float16": ("F16", 16),
    "bfloat16": ("BF16", 16),
    "float8_e4m3fn": ("F8_E4M3", 8),
    "float8_e5m2": ("F8_E5M2", 8),
    "float8_e8m0fnu": ("F8_E8M0", 8),
    "float8_e4m3fnuz": ("F8_E4M3FNUZ", 8),
    "float8_e5m2fnuz": ("F8_E5M2FNUZ", 8),
    "int64": ("I64", 64),
    "int32": ("I32", 32),
    "int16": ("I16", 16),
    "int8": ("I8", 8),
    "uint64": ("U64", 64),
    "uint32": ("U32", 32),
    "uint16": ("U16", 16),
    "uint8": ("U8", 8),
    "bool": ("BOOL", 8),
    "complex32": ("C32", 32),
    "complex64": ("C64", 64),
    "complex128": ("C128", 128),
    "qint8": ("QI8", 8),
    "quint8": ("QU8", 8),
    "qint32": ("QI32", 32),
}
"""{torch.<name>: (dtype, bits of one element)}."""

TORCH_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "QInt8Storage": "qint8",
    "QUInt8Storage": "quint8",
    "QInt32Storage": "qint32",
}
"""{torch.<name>: torch dtype of its elements}."""
