"""Pickles and zip archives, byte by byte: what the cases and the mutations of the differential test are made of.

Nothing is checked, on purpose. Text that looks like an attack is `echo harmless`.
"""

import struct
import zlib


# --- pickles ---------------------------------------------------------------------------------------------
def text(value):
    raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return b"X" + struct.pack("<I", len(raw)) + raw


def data(value):
    return b"B" + struct.pack("<I", len(value)) + value


def number(value):
    if 0 <= value < 256:
        return b"K" + bytes([value])
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    size = value.bit_length() // 8 + 1
    return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode("utf-8", "surrogatepass")


def numbers(values):
    return b"(" + b"".join(number(v) for v in values) + b"t"


def storage(key="0", kind="FloatStorage", numel=4, location="cpu", module="torch"):
    return b"(" + text("storage") + name(module, kind) + text(key) + text(location) + number(numel) + b"tQ"


def call(callee, *arguments):
    return callee + b"(" + b"".join(arguments) + b"tR"


HOOKS = name("collections", "OrderedDict") + b")R"
REBUILD = name("torch._utils", "_rebuild_tensor_v2")


def tensor(source=None, offset=0, size=(4,), stride=(1,), rest=b"\x89" + HOOKS):
    return call(REBUILD, source or storage(), number(offset), numbers(size), numbers(stride), rest)


def proto(body, version=2):
    return b"\x80" + bytes([version]) + body + b"."


def weights(*pairs):
    """A pickle {"name": value, ...} of pushed values."""
    return proto(b"}(" + b"".join(text(key) + value for key, value in pairs) + b"u")


PAYLOAD = name("os", "system") + text("echo harmless") + b"\x85R"


# --- zip archives ----------------------------------------------------------------------------------------
FLOATS = struct.pack("<4f", 1, 2, 3, 4)


class Record:
    """An entry; fields that are None take the value that fits. `local` overrides fields of the local header."""

    def __init__(self, entry_name, content, **fields):
        self.name = entry_name.encode() if isinstance(entry_name, str) else entry_name
        self.content = content
        self.method = fields.get("method", 0)
        self.flags = fields.get("flags", 0)
        self.time = fields.get("time", 0)
        self.crc = fields.get("crc")
        self.size = fields.get("size")
        self.compressed = fields.get("compressed")
        self.offset = fields.get("offset")
        self.attributes = fields.get("attributes", 0)
        self.extra = fields.get("extra", b"")
        self.local = fields.get("local", {})
        self.in_directory = fields.get("in_directory", True)

    def raw(self):
        if self.method != 8:
            return self.content
        deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
        return deflater.compress(self.content) + deflater.flush()


def archive(records, comment=b"", prefix=b"", trailing=b"", entries=None):
    out, directory, listed = bytearray(prefix), bytearray(), 0
    for record in records:
        raw = record.raw()
        crc = zlib.crc32(record.content) if record.crc is None else record.crc
        compressed = len(raw) if record.compressed is None else record.compressed
        size = len(record.content) if record.size is None else record.size
        offset = len(out) if record.offset is None else record.offset
        local = {"flags": record.flags, "method": record.method, "crc": crc, "compressed": compressed, "size": size,
                 "name": record.name, "extra": b"", "signature": b"PK\3\4"} | record.local
        out += struct.pack("<4sHHHHHIIIHH", local["signature"], 20, local["flags"], local["method"], record.time, 0, local["crc"],
                           local["compressed"], local["size"], len(local["name"]), len(local["extra"]))
        out += local["name"] + local["extra"] + raw
        if record.in_directory:
            listed += 1
            directory += struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, record.flags, record.method, record.time, 0, crc,
                                     compressed, size, len(record.name), len(record.extra), 0, 0, 0, record.attributes, offset)
            directory += record.name + record.extra
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, listed if entries is None else entries, listed if entries is None else entries,
                      len(directory), len(out), len(comment))
    return bytes(out + directory + end + comment + trailing)


def torch_records(pickle, storages=(FLOATS,), folder="archive", byteorder=b"little", version=b"3\n"):
    records = [Record(f"{folder}/data.pkl", pickle), Record(f"{folder}/byteorder", byteorder)]
    records += [Record(f"{folder}/data/{i}", content) for i, content in enumerate(storages)]
    return records + [Record(f"{folder}/version", version)]


def torch_zip(pickle, storages=(FLOATS,), **options):
    return archive(torch_records(pickle, storages, **options))


# --- torch.save before 1.6 -------------------------------------------------------------------------------
MAGIC = bytes.fromhex("80028a0a6cfc9c46f920 6aa850192e".replace(" ", ""))
VERSION = b"\x80\x02M\xe9\x03."
SYSTEM = proto(b"}(" + text("protocol_version") + b"M\xe9\x03" + text("little_endian") + b"\x88"
               + text("type_sizes") + b"}u")


def legacy_storage(key="0", kind="FloatStorage", numel=4):
    return b"(" + text("storage") + name("torch", kind) + text(key) + text("cpu") + number(numel) + b"NtQ"


def legacy(pickle, storages=(("0", 4, FLOATS),), keys=None, system=SYSTEM):
    keys = [key for key, _, _ in storages] if keys is None else keys
    out = MAGIC + VERSION + system + pickle + proto(b"](" + b"".join(text(key) for key in keys) + b"e")
    return out + b"".join(struct.pack("<q", count) + content for _, count, content in storages)
