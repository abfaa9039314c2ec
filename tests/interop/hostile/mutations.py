"""Deterministic damage: a seed file and a number give a mutant.

Bytes are changed where they mean something (pickles, directories, headers) far more often than in the weights; half of
the mutants are edits that know the structure, and keep everything around them valid.
"""

import io
import json
import pickletools
import struct
import zipfile

from . import builders


# --- bytes -----------------------------------------------------------------------------------------------
def change_bytes(rng, content):
    out = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if not out:
            break
        at = rng.randrange(len(out))
        out[at] = rng.choice((0, 0xFF, out[at] ^ 1, out[at] ^ 0x80, (out[at] + 1) & 0xFF, (out[at] - 1) & 0xFF, rng.randrange(256)))
    return bytes(out)


def cut(rng, content):
    return content[:rng.randrange(len(content))] if content else content


def remove_some(rng, content):
    at = rng.randrange(len(content)) if content else 0
    return content[:at] + content[at + rng.choice((1, 1, 2, 8, 64)):]


def repeat_some(rng, content):
    at = rng.randrange(len(content)) if content else 0
    return content[:at] + content[at:at + rng.choice((1, 4, 16, 64))] + content[at:]


def append_some(rng, content):
    return content + rng.choice((b"\0" * 64, b"x", b".", content[:200], b"PK\5\6" + b"\0" * 18, builders.proto(builders.PAYLOAD)))


BYTES = (change_bytes,) * 6 + (cut, remove_some, repeat_some, append_some)


# --- pickles ---------------------------------------------------------------------------------------------
def instructions(content):
    """[bytes of one opcode with its argument] up to STOP, or None if it cannot be cut up."""
    try:
        positions = [position for _, _, position in pickletools.genops(content)]
    except Exception:  # pickletools raises whatever its parsers raise  # pylint: disable=broad-except
        return None
    positions.append(positions[-1] + 1)
    return [content[a:b] for a, b in zip(positions, positions[1:])]


PLAIN = b"()]}.0123eubtadsoQRN\x85\x86\x87\x88\x89\x81\x8f\x90\x91\x93\x94"
VALUES = (b"N", b"\x88", b"K\0", b"K\1", b"J\xff\xff\xff\xff", b"\x8a\x08" + b"\xff" * 7 + b"\x7f", b"G" + b"\0" * 8, b")", b"]", b"}",
          builders.text("x"), builders.text("\ud800"), builders.text(b"\xff\xfe"), builders.name("collections", "OrderedDict"),
          builders.name("torch", "float32"), builders.name("torch", "DoubleStorage"), builders.name("torch._utils", "_rebuild_tensor_v2"))


def edit_argument(rng, one):
    """Another argument of the same length, or another number."""
    code = one[:1]
    if code == b"K":
        return b"K" + bytes([rng.choice((0, 1, 2, 3, 4, 8, 255))])
    if code == b"M":
        return b"M" + struct.pack("<H", rng.choice((0, 1, 2, 256, 65535)))
    if code == b"J":
        return b"J" + struct.pack("<i", rng.choice((0, 1, -1, 1 << 20, (1 << 31) - 1)))
    if code in b"Xc\x8c" and len(one) > 5:
        out, start = bytearray(one), 5 if code == b"X" else 1
        at = rng.randrange(start, len(out))
        if out[at] != 0x0A:
            out[at] = rng.choice((0x61, 0x30, out[at] ^ 1, 0xFF, 0x2E))
        return bytes(out)
    return change_bytes(rng, one)


def edit_pickle(rng, content):
    ops = instructions(content)
    if not ops or len(ops) < 3:
        return change_bytes(rng, content)
    rest = content[sum(map(len, ops)):]
    at = rng.randrange(1, len(ops))
    other = rng.randrange(1, len(ops))
    kind = rng.randrange(9)
    if kind == 0:
        del ops[at]
    elif kind == 1:
        ops.insert(at, ops[other])
    elif kind == 2:
        ops[at], ops[other] = ops[other], ops[at]
    elif kind == 3:
        ops[at] = ops[other]
    elif kind == 4:
        ops.insert(at, rng.choice(VALUES))
    elif kind == 5:
        ops[at] = rng.choice(VALUES)
    elif kind == 6:
        ops.insert(at, bytes([rng.choice(PLAIN)]))
    elif kind == 7:
        with_arguments = [i for i, one in enumerate(ops) if len(one) > 1] or [at]
        at = rng.choice(with_arguments)
        ops[at] = edit_argument(rng, ops[at])
    else:
        plain = [i for i, one in enumerate(ops) if len(one) == 1] or [at]
        ops[rng.choice(plain)] = bytes([rng.choice(PLAIN)])
    return b"".join(ops) + rest


# --- archives --------------------------------------------------------------------------------------------
def records_of(content):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as source:
            return [builders.Record(info.filename, source.read(info), method=info.compress_type) for info in source.infolist()]
    except Exception:  # broken on purpose, or no archive  # pylint: disable=broad-except
        return None


NAMES = ("archive/x", "x", "archive/data/0", "archive/data.pkl", "ARCHIVE/DATA.PKL", "archive/../x", "archive/version", "/x", "",
         "archive/constants.pkl", "archive/byteorder", "archive\\x", "archive/data/", "archive/.data/version")


def edit_fields(rng, record):
    field = rng.randrange(9)
    if field == 0:
        record.flags = rng.choice((1, 8, 0x20, 0x800, 0x2000))
    elif field == 1:
        record.method = rng.choice((8, 9, 12, 99))
    elif field == 2:
        record.crc = rng.choice((0, 1, 0xFFFFFFFF))
    elif field == 3:
        record.size = rng.choice((0, 1, len(record.content) + 1, max(0, len(record.content) - 1), 0xFFFFFFFF))
    elif field == 4:
        record.compressed = rng.choice((0, 1, len(record.content) + 1, max(0, len(record.content) - 1), 0xFFFFFFFF))
    elif field == 5:
        record.offset = rng.choice((0, 1, 64, 0xFFFFFFFF))
    elif field == 6:
        record.attributes = rng.choice((0x10, 0xA1FF0000))
    elif field == 7:
        record.time = 1
    else:
        record.local = {rng.choice(("flags", "method", "crc", "size", "compressed")): rng.choice((0, 1, 8, 99))}


def edit_archive(rng, content):
    records = records_of(content)
    if not records:
        return change_bytes(rng, content)
    at, other = rng.randrange(len(records)), rng.randrange(len(records))
    kind = rng.randrange(10)
    if kind == 0:
        del records[at]
    elif kind == 1:
        records[at].content, records[other].content = records[other].content, records[at].content
    elif kind == 2:
        records[at].name = rng.choice((records[other].name, rng.choice(NAMES).encode()))
    elif kind == 3:
        records.insert(at, builders.Record(rng.choice(NAMES), rng.choice((b"", b"3\n", records[other].content))))
    elif kind == 4:
        records[at], records[other] = records[other], records[at]
    elif kind == 5:
        records[at].content = rng.choice(BYTES)(rng, records[at].content)
    elif kind == 6:
        for record in records:
            if record.name.endswith((b"byteorder", b"version")):
                record.content = rng.choice((b"", b"big", b"little\n", b"99", b"3", b"-1", b"\xff", b"1", b"10\n", b"x" * 70000))
    elif kind == 7:
        records[at].name = rng.choice(BYTES)(rng, records[at].name)[:60000]
    else:
        edit_fields(rng, records[at])
    options = rng.randrange(12)
    return builders.archive(records, comment=b"x" * (options == 1), trailing=b"y" * 40 * (options == 2), prefix=b"z" * (options == 3),
                            entries=len(records) - 1 if options == 4 else None)


def edit_archived_pickle(rng, content):
    records = records_of(content)
    pickles = [record for record in records or () if record.name.endswith(b"data.pkl")]
    if not pickles:
        return edit_pickle(rng, content)
    for _ in range(rng.choice((1, 1, 1, 2))):
        pickles[0].content = edit_pickle(rng, pickles[0].content)
    return builders.archive(records)


def change_archived_pickle(rng, content):
    """Bytes of the pickle inside the file as it is: the archive keeps its shape."""
    start = content.find(b"\x80")
    end = content.find(b"PK\7\8", start)
    if start < 0 or end <= start:
        return change_bytes(rng, content)
    return content[:start] + change_bytes(rng, content[start:end])[:end - start] + content[end:]


def change_directory(rng, content):
    start = content.find(b"PK\1\2")
    return change_bytes(rng, content) if start < 0 else content[:start] + rng.choice(BYTES)(rng, content[start:])


# --- legacy, safetensors, metadata -----------------------------------------------------------------------
def edit_safetensors(rng, content):
    size = int.from_bytes(content[:8], "little")
    try:
        header = json.loads(content[8:8 + size])
    except ValueError:
        return change_bytes(rng, content)
    tensors = [key for key in header if key != "__metadata__"]
    one = header[rng.choice(tensors)] if tensors else {}
    kind = rng.randrange(7)
    if kind == 0 and one:
        one["dtype"] = rng.choice(("F32", "f32", "F64", "BF16", "X", 1, None, "F4", "I64", "BOOL"))
    elif kind == 1 and one:
        one["shape"] = rng.choice(([], [0], [4], [-1], [2, 2], [1.0], "x", [1 << 62, 4], [1 << 63]))
    elif kind == 2 and one:
        one["data_offsets"] = rng.choice(([0, 0], [0, 4], [4, 0], [0, 1 << 62], [1.0, 2.0], [0], None))
    elif kind == 3 and tensors:
        header[rng.choice(("x", "__metadata__", ""))] = dict(one)
    elif kind == 4 and tensors:
        del header[rng.choice(tensors)]
    elif kind == 5:
        header["__metadata__"] = rng.choice(({"a": 1}, {"a": "b"}, None, [], {"format": "pt"}))
    elif one:
        one[rng.choice(("dtype", "extra", "shape"))] = rng.choice((1, "F32", [2]))
    raw = json.dumps(header).encode() + b" " * rng.choice((0, 0, 3)) + b"\0" * (rng.randrange(20) == 0)
    return struct.pack("<Q", len(raw) + rng.choice((0, 0, 0, 1, -1))) + raw + content[8 + size:]


def edit_legacy(rng, content):
    """One of the pickles in a row, most often the longest."""
    starts = [i for i in range(len(content) - 1) if content[i] == 0x80 and content[i + 1] in (2, 3, 4, 5) and (i == 0 or content[i - 1] == 0x2E)]
    pickles = [(start, instructions(content[start:])) for start in starts]
    pickles = [(start, sum(map(len, ops))) for start, ops in pickles if ops]
    if not pickles:
        return change_bytes(rng, content)
    start, size = rng.choice([max(pickles, key=lambda one: one[1]), rng.choice(pickles)])
    return content[:start] + edit_pickle(rng, content[start:start + size]) + content[start + size:]


def mutate(rng, kind, content):
    """`kind`: zip, legacy, safetensors, metadata."""
    special = {"zip": (edit_archive, edit_archived_pickle, edit_archived_pickle, change_archived_pickle, change_directory),
               "legacy": (edit_legacy, edit_legacy, change_bytes), "safetensors": (edit_safetensors,),
               "metadata": (edit_pickle, edit_pickle)}[kind]
    if rng.randrange(4):
        return rng.choice(special)(rng, content)
    return rng.choice(BYTES)(rng, content)
