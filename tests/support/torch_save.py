# SPDX-License-Identifier: MIT
"""Writes safetensors files as torch.save would write their tensors, without PyTorch, and not by the code under test.

usage: torch_save.py OUTPUT.pt KEY PREFIX TYPE INPUT.safetensors...

KEY: the tensors are the value of this key ("": they are the whole). PREFIX goes before every name; with a "-", the rest of PREFIX is
taken off the name instead. TYPE: f32, or bf16 (rounded to nearest).
"""
import io
import json
import pickle
import struct
import sys
import types
import zipfile


def module(name, *functions):
    """A module with functions of these names, for pickle to refer to."""
    made = types.ModuleType(name)
    for function in functions:
        def stand_in(*arguments):
            raise RuntimeError("never called")
        stand_in.__module__, stand_in.__qualname__, stand_in.__name__ = name, function, function
        setattr(made, function, stand_in)
    sys.modules[name] = made
    return made


torch = module("torch", "FloatStorage", "BFloat16Storage")
utils = torch._utils = module("torch._utils", "_rebuild_tensor_v2")


class Storage:
    def __init__(self, kind, key, count):
        self.kind, self.key, self.count = kind, key, count


class Tensor:
    def __init__(self, storage, shape):
        self.storage, self.shape = storage, tuple(shape)

    def __reduce__(self):
        strides, step = [], 1
        for extent in reversed(self.shape):
            strides.insert(0, step)
            step *= extent
        return utils._rebuild_tensor_v2, (self.storage, 0, self.shape, tuple(strides), False, {})


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return ("storage", value.kind, value.key, "cpu", value.count)


def to_bf16(data):
    out = bytearray()
    for (bits,) in struct.iter_unpack("<I", data):
        out += struct.pack("<H", (bits + 0x7fff + (bits >> 16 & 1)) >> 16)
    return bytes(out)


def main():
    output, key, prefix, kind, *inputs = sys.argv[1:]
    state, storages = {}, []
    for path in inputs:
        file = open(path, "rb").read()
        length = struct.unpack("<Q", file[:8])[0]
        for name, tensor in json.loads(file[8:8 + length]).items():
            if name == "__metadata__":
                continue
            assert tensor["dtype"] == "F32", name
            begin, end = (8 + length + offset for offset in tensor["data_offsets"])
            data, count = file[begin:end], (end - begin) // 4
            if kind == "bf16":
                data = to_bf16(data)
            name = name.removeprefix(prefix[1:]) if prefix.startswith("-") else prefix + name
            storage = torch.BFloat16Storage if kind == "bf16" else torch.FloatStorage
            state[name] = Tensor(Storage(storage, str(len(storages)), count), tensor["shape"])
            storages.append(data)
    description = io.BytesIO()
    Pickler(description, protocol=2).dump({key: state, "step": 20} if key else state)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", description.getvalue())
        archive.writestr("archive/byteorder", b"little")
        for i, data in enumerate(storages):
            archive.writestr(f"archive/data/{i}", data)
        archive.writestr("archive/version", b"3\n")


if __name__ == "__main__":
    main()
