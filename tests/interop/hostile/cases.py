"""Built inputs, one oddity each, named after it: what stands in published attacks, what torch's reader does in its own
way, and every kind of disagreement with torch that was ever found. All of them are judged on every run.
"""

import struct

from . import builders as b

DOUBLES = struct.pack("<4d", 1, 2, 3, 4)


def archives():
    good = b.weights(("weight", b.tensor()))
    records = b.torch_records
    evil = b.proto(b.PAYLOAD)
    yield "control", b.torch_zip(good)
    yield "control deflated", b.archive([setattr(r, "method", 8) or r for r in records(good)])
    yield "entry outside the folder", b.archive(records(good) + [b.Record("outside.txt", b"x")])
    yield "entry outside the folder, first", b.archive([b.Record("outside/x", b"x")] + records(good))
    yield "first entry without a folder", b.archive([b.Record("x", b"x")] + records(good))
    yield "folder entry", b.archive([b.Record("archive/", b"")] + records(good))
    yield "other folder entry", b.archive(records(good) + [b.Record("other/", b"")])
    yield "folder whose name begins with ours", b.archive(records(good) + [b.Record("archive2/x", b"")])
    yield "two checkpoints", b.archive(records(good, folder="a") + records(good, folder="b"))
    for text in (b"big", b"middle", b"", b"little\n", b"LITTLE", b" little", b"l" * 70000, b"\xff"):
        yield f"byteorder {text[:10]!r}", b.torch_zip(good, byteorder=text)
    yield "byteorder twice", b.archive(records(good) + [b.Record("archive/byteorder", b"big")])
    yield "BYTEORDER", b.archive([r for r in records(good) if b"byteorder" not in r.name] + [b.Record("archive/BYTEORDER", b"big")])
    yield "no byteorder", b.archive([r for r in records(good) if b"byteorder" not in r.name])
    for text in (b"", b"0", b"1", b"2", b"3", b"4", b"5", b"10", b"11", b"99", b"-1", b"three", b" 3", b"+3", b"3x", b"03", b"1" * 40,
                 b"3\0", b"\n3", b"3 4", b"0x3"):
        yield f"version {text!r}", b.torch_zip(good, version=text)
    yield "no version", b.archive(records(good)[:-1])
    yield "VERSION", b.archive(records(good)[:-1] + [b.Record("archive/VERSION", b"3\n")])
    yield ".data/version 99", b.archive(records(good) + [b.Record("archive/.data/version", b"99")])
    yield ".data/version 3, version 99", b.archive(records(good, version=b"99") + [b.Record("archive/.data/version", b"3\n")])
    yield "DATA.PKL alone", b.archive([b.Record("archive/DATA.PKL", good)] + records(good)[1:])
    yield "data.pkl twice", b.archive(records(evil) + [b.Record("archive/data.pkl", good)])
    yield "no data.pkl", b.archive(records(good)[1:])
    yield "constants.pkl", b.archive(records(good) + [b.Record("archive/constants.pkl", b.proto(b")"))])
    yield "pickle in a record", b.archive(records(good) + [b.Record("archive/notes.txt", evil)])
    yield "pickle in an unused storage", b.torch_zip(good, (b.FLOATS, evil))
    yield "pickle behind STOP", b.torch_zip(good + evil)
    yield "zeros behind STOP", b.torch_zip(good + bytes(64))
    yield "checkpoint in the checkpoint", b.archive(records(good) + [b.Record("archive/inner.pt", b.torch_zip(evil))])
    yield "pickle in bytes", b.torch_zip(b.proto(b"}" + b.text("x") + b.data(evil) + b"s"))
    for flags in (1, 0x20, 0x40, 0x2000, 8, 0x800):
        yield f"flags {flags:#x}", b.archive([setattr(r, "flags", flags) or r for r in records(good)])
    for method in (9, 12, 99):
        yield f"method {method}", b.archive([setattr(r, "method", method) or r if r.name.endswith(b"0") else r for r in records(good)])
    for name in ("archive/../x", "archive//x", "archive\\x", "archive/data.pkl\0.txt", "archive/\n::error::x", b"archive/\xff\xfe", "",
                 "archive/" + "x" * 60000, "archive/\u202ex", "archive/\x1b[2J"):
        yield f"name {name[:24]!r}", b.archive(records(good) + [b.Record(name, b"x")])
    yield "directory attribute on data.pkl", b.archive([setattr(r, "attributes", 16) or r if b"pkl" in r.name else r for r in records(good)])
    yield "directory attribute on data/0", b.archive([setattr(r, "attributes", 16) or r if b"data/0" in r.name else r for r in records(good)])
    yield "wrong CRC", b.archive([setattr(r, "crc", 1) or r for r in records(good)])
    yield "comment of 65535", b.archive(records(good), comment=b"x" * 65535)
    yield "40 bytes behind", b.archive(records(good), trailing=b"x" * 40)
    yield "70 kB behind", b.archive(records(good), trailing=b"x" * 70000)
    yield "prefix", b.archive(records(good), prefix=b"PK\3\4" + b"x" * 40)
    yield "one entry too few", b.archive(records(good), entries=4)
    yield "storage cut", b.torch_zip(good, (b.FLOATS[:8],))
    yield "storage longer", b.torch_zip(good, (b.FLOATS * 2,))
    yield "no storage", b.torch_zip(good, ())


def pickles():
    """Of an archive with one storage of four floats, and a second one."""
    yield "plain value", b.proto(b"}" + b.text("x") + b"K\1s")
    for raw in (b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"ab\x80", b"\xf0\x9f\x98"):
        yield f"BINUNICODE {raw!r}", b.proto(b"}" + b.text("x") + b.text(raw) + b"s")
        yield f"SHORT_BINUNICODE {raw!r}", b.proto(b"}" + b.text("x") + b"\x8c" + bytes([len(raw)]) + raw + b"s", 4)
        yield f"BINSTRING {raw!r}", b.proto(b"}" + b.text("x") + b"U" + bytes([len(raw)]) + raw + b"s")
        yield f"global {raw!r}", b.proto(b"ctorch\n" + raw + b"\n0}")
    yield "STRING with \\xff", b.proto(b"S'\\xff'\n")
    yield "STRING with an unknown escape", b.proto(b"S'\\q'\n")
    yield "UNICODE surrogate", b.proto(b"V\\ud800\n")
    yield "UNICODE beyond", b.proto(b"V\\U00110000\n")
    yield "READONLY_BUFFER on None", b.proto(b"N\x98", 5)
    yield "READONLY_BUFFER on bytes", b.proto(b.data(b"x") + b"\x98", 5)
    yield "READONLY_BUFFER on bytearray", b.proto(b"\x96" + struct.pack("<Q", 1) + b"x\x98", 5)
    yield "READONLY_BUFFER on a dict", b.proto(b"}\x98", 5)
    yield "NEXT_BUFFER", b.proto(b"\x97", 5)
    yield "one storage, two dtypes", b.proto(b"](" + b.tensor() + b.tensor(b.storage(kind="DoubleStorage", numel=2), size=(2,)) + b"e")
    yield "one storage, two lengths, the second longer", b.proto(
        b"](" + b.tensor(b.storage(numel=2), size=(2,)) + b.tensor(b.storage(numel=4)) + b"e")
    yield "one storage, two lengths, the second shorter", b.proto(
        b"](" + b.tensor() + b.tensor(b.storage(numel=2), size=(2,)) + b"e")
    yield "one storage, two dtypes of one size", b.proto(b"](" + b.tensor() + b.tensor(b.storage(kind="IntStorage")) + b"e")
    yield "one storage, untyped first", b.proto(
        b"](" + b.tensor(b.storage(kind="UntypedStorage", numel=16, module="torch.storage"), size=(16,)) + b.tensor() + b"e")
    for key, value in (("-4", b.number(-4)), ("2^62", b.number(1 << 62)), ("2^64+4", b.number((1 << 64) + 4)), ("float", b"G@\x10" + bytes(6)),
                       ("True", b"\x88"), ("None", b"N"), ("text", b.text("4")), ("list", b"]"), ("0", b"K\0"), ("2^40", b.number(1 << 40))):
        yield f"numel {key}", b.weights(("w", b.tensor(b"(" + b.text("storage") + b.name("torch", "FloatStorage") + b.text("0") + b.text("cpu")
                                                       + value + b"tQ")))
    for tag in (b"storage", b"Storage", b"module"):
        yield f"tag bytes {tag!r}", b.weights(("w", b.tensor(b"(C" + bytes([len(tag)]) + tag + b.storage()[len(b.text("storage")) + 1:])))
    for key, value in (("int", b"K\0"), ("None", b"N"), ("AB", b.text("AB")), ("path", b.text("../data.pkl")), ("NUL", b.text("0\0x")),
                       ("empty", b.text("")), ("bytes", b"C\x010"), ("missing", b.text("9")), ("tuple", b")"), ("slash", b.text("0/")),
                       ("float", b"G" + bytes(8))):
        yield f"storage key {key}", b.weights(("w", b.tensor(b"(" + b.text("storage") + b.name("torch", "FloatStorage") + value + b.text("cpu")
                                                             + b"K\4tQ")))
    for what, value in (("bytes", b"C\3cpu"), ("None", b"N"), ("int", b"K\0"), ("unknown", b.text("cpv")), ("cuda", b.text("cuda:0")),
                        ("meta", b.text("meta")), ("cuda:x", b.text("cuda:x")), ("escape", b.text("\x1b[2J"))):
        yield f"location {what}", b.weights(("w", b.tensor(b"(" + b.text("storage") + b.name("torch", "FloatStorage") + b.text("0") + value
                                                           + b"K\4tQ")))
    for module, kind in (("os", "FloatStorage"), ("torch", "NoSuchStorage"), ("torch", "float32"), ("torch.cuda", "FloatStorage"),
                         ("torch", "Storage"), ("torch.storage", "TypedStorage"), ("torch", "QInt8Storage"), ("torch", "ComplexFloatStorage"),
                         ("torch", "UntypedStorage"), ("torch", "storage"), ("collections", "OrderedDict")):
        yield f"storage class {module}.{kind}", b.weights(("w", b.tensor(b.storage(kind=kind, module=module))))
    yield "persistent id of one", b.proto(b.text("storage") + b"\x85Q")
    yield "persistent id text", b.proto(b.text("x") + b"Q")
    yield "PERSID", b.proto(b"Px\n")
    yield "persistent id of six", b.weights(("w", b.tensor(b.legacy_storage())))


def tensors():
    big = 1 << 62
    for what, arguments in {
            "offset past": {"offset": 10}, "offset negative": {"offset": -1}, "size negative": {"size": (-4,)},
            "stride negative": {"stride": (-1,)}, "rank": {"size": (2, 2)}, "overflow": {"size": (1 << 32, 1 << 32), "stride": (0, 0)},
            "stride overflow": {"size": (2, 2), "stride": (big, big)}, "expanded": {"size": (1 << 40,), "stride": (0,)},
            "size 0, offset far": {"size": (0,), "offset": 1000}, "size 0 and huge": {"size": (0, big, 4), "stride": (1, 1, 1)},
            "scalar": {"size": (), "stride": ()}, "1000 dimensions": {"size": (1,) * 1000, "stride": (1,) * 1000},
            "size beyond 64 bits": {"size": (1 << 70,)}, "zero stride": {"stride": (0,)}, "no more arguments": {"rest": b""},
            "one argument more": {"rest": b"\x89" + b.HOOKS + b"}" + b"N"}, "metadata": {"rest": b"\x89" + b.HOOKS + b"}"},
            "metadata conj": {"rest": b"\x89" + b.HOOKS + b"}" + b.text("conj") + b"\x88s"},
            "metadata unknown": {"rest": b"\x89" + b.HOOKS + b"}" + b.text("x") + b"\x88s"},
            "metadata list": {"rest": b"\x89" + b.HOOKS + b"]"},
            "requires_grad None": {"rest": b"N" + b.HOOKS}, "requires_grad int": {"rest": b"K\1" + b.HOOKS},
            "requires_grad text": {"rest": b.text("x") + b.HOOKS}, "hooks None": {"rest": b"\x89N"}, "hooks list": {"rest": b"\x89]"},
            "hooks text": {"rest": b"\x89" + b.text("x")}, "requires_grad True": {"rest": b"\x88" + b.HOOKS}}.items():
        yield f"tensor {what}", b.weights(("w", b.tensor(**arguments)))
    yield "tensor integer that requires grad", b.weights(("w", b.tensor(b.storage(kind="IntStorage"), rest=b"\x88" + b.HOOKS)))
    for what, size in (("list", b"](K\4e"), ("float", b"G@\x10" + bytes(6) + b"\x85"), ("bool", b"\x88\x85"), ("None", b"N\x85"),
                       ("int", b"K\4"), ("Size", b.name("torch", "Size") + b"K\4\x85\x85R")):
        yield f"tensor size {what}", b.weights(("w", b.call(b.REBUILD, b.storage(), b"K\0", size, b"K\1\x85", b"\x89", b.HOOKS)))
        yield f"tensor stride {what}", b.weights(("w", b.call(b.REBUILD, b.storage(), b"K\0", b"K\4\x85", size.replace(b"K\4", b"K\1"), b"\x89",
                                                              b.HOOKS)))
    for what, offset in (("float", b"G" + bytes(8)), ("None", b"N"), ("bool", b"\x89"), ("text", b.text("0"))):
        yield f"tensor offset {what}", b.weights(("w", b.call(b.REBUILD, b.storage(), offset, b"K\4\x85", b"K\1\x85", b"\x89", b.HOOKS)))
    yield "tensor without a storage", b.weights(("w", b.call(b.REBUILD, b"N", b"K\0", b"K\4\x85", b"K\1\x85", b"\x89", b.HOOKS)))
    yield "tensor of no arguments", b.weights(("w", b.REBUILD + b")R"))
    yield "tensor of a list of arguments", b.weights(("w", b.REBUILD + b"]R"))
    yield "tensor, items set", b.weights(("w", b.tensor() + b"K\0K\1s"))
    yield "tensor, items appended", b.weights(("w", b.tensor() + b"K\1a"))
    yield "tensor, state None", b.weights(("w", b.tensor() + b"Nb"))
    yield "tensor, state dict", b.weights(("w", b.tensor() + b"}" + b.text("x") + b"K\1sb"))
    yield "tensor, state of four", b.weights(("w", b.tensor() + b"(" + b.storage("1") + b"K\0K\4\x85K\1\x85tb"))
    parameter = b.name("torch._utils", "_rebuild_parameter")
    for what, arguments in (("", (b.tensor(), b"\x88", b.HOOKS)), (" of two", (b.tensor(), b"\x88")), (" of none", ()),
                            (" of None", (b"N", b"\x88", b.HOOKS)), (" of a storage", (b.storage(), b"\x88", b.HOOKS)),
                            (" of an integer tensor", (b.tensor(b.storage(kind="IntStorage")), b"\x88", b.HOOKS)),
                            (" of four", (b.tensor(), b"\x88", b.HOOKS, b"N"))):
        yield f"parameter{what}", b.weights(("w", b.call(parameter, *arguments)))
    v3 = b.name("torch._utils", "_rebuild_tensor_v3")
    untyped = b.storage(kind="UntypedStorage", numel=16, module="torch.storage")
    for what, dtype in (("float32", b.name("torch", "float32")), ("None", b"N"), ("text", b.text("float32")), ("int8", b.name("torch", "int8")),
                        ("unknown", b.name("torch", "float33")), ("a storage class", b.name("torch", "FloatStorage"))):
        yield f"v3 {what}", b.weights(("w", b.call(v3, untyped, b"K\0", b"K\4\x85", b"K\1\x85", b"\x89", b.HOOKS, dtype)))


def calls():
    """Calls of what picklers write, with arguments that no pickler gives."""
    ordered, size, device = b.name("collections", "OrderedDict"), b.name("torch", "Size"), b.name("torch", "device")
    for what, body in {
            "OrderedDict of a list of pairs": ordered + b"](K\1K\2\x86e\x85R", "OrderedDict of an int": ordered + b"K\1\x85R",
            "OrderedDict of a dict": ordered + b"}\x85R", "OrderedDict of two": ordered + b"}}\x86R", "OrderedDict of text": ordered + b.text("ab") + b"\x85R",
            "OrderedDict of a triple": ordered + b"](K\1K\2K\3\x87e\x85R", "OrderedDict, state None": ordered + b")RNb",
            "OrderedDict, state int": ordered + b")RK\1b", "OrderedDict, state dict": ordered + b")R}" + b.text("x") + b"K\1sb",
            "OrderedDict, state list": ordered + b")R]b", "OrderedDict appended": ordered + b")RK\1a", "OrderedDict itself filled": ordered + b"K\1K\2s",
            "OrderedDict NEWOBJ": ordered + b")\x81", "OrderedDict without arguments": ordered + b"NR",
            "Size of a tuple": size + b"K\4\x85\x85R", "Size of none": size + b")R", "Size of an int": size + b"K\4\x85R",
            "Size of a text": size + b.text("x") + b"\x85R", "Size of floats": size + b"G" + bytes(8) + b"\x85\x85R", "Size of a list": size + b"](K\4e\x85R",
            "Size of two": size + b"))\x86R", "device cpu": device + b.text("cpu") + b"\x85R", "device nonsense": device + b.text("cpv") + b"\x85R",
            "device of none": device + b")R", "device cuda:1": device + b.text("cuda") + b"K\1\x86R", "device of an int": device + b"K\0\x85R",
            "device cpu:-2": device + b.text("cpu:-2") + b"\x85R", "device meta": device + b.text("meta") + b"\x85R",
            "set of a list": b.name("builtins", "set") + b"](K\1e\x85R", "set of a list of lists": b.name("builtins", "set") + b"](]e\x85R",
            "set of an int": b.name("builtins", "set") + b"K\1\x85R", "bytearray of bytes": b.name("builtins", "bytearray") + b.data(b"x") + b"\x85R",
            "bytearray of text": b.name("builtins", "bytearray") + b.text("x") + b"\x85R",
            "bytearray of text latin-1": b.name("builtins", "bytearray") + b.text("x") + b.text("latin-1") + b"\x86R",
            "bytearray of 2^40": b.name("builtins", "bytearray") + b.number(1 << 40) + b"\x85R",
            "complex": b.name("builtins", "complex") + b"G" + bytes(8) + b"G" + bytes(8) + b"\x86R",
            "complex of text": b.name("builtins", "complex") + b.text("x") + b"\x85R", "complex of none": b.name("builtins", "complex") + b")R",
            "encode latin1": b.name("_codecs", "encode") + b.text("\xe9") + b.text("latin1") + b"\x86R",
            "encode latin1 of a wide character": b.name("_codecs", "encode") + b.text("\u0100") + b.text("latin1") + b"\x86R",
            "encode nonsense": b.name("_codecs", "encode") + b.text("x") + b.text("nonsense") + b"\x86R",
            "encode of bytes": b.name("_codecs", "encode") + b.data(b"x") + b.text("latin1") + b"\x86R",
            "encode utf-8": b.name("_codecs", "encode") + b.text("x") + b"\x85R",
            "Counter of a dict": b.name("collections", "Counter") + b"}\x85R", "Counter of an int": b.name("collections", "Counter") + b"K\1\x85R",
            "defaultdict of a class": b.name("collections", "defaultdict") + b.name("builtins", "list") + b"\x85R",
            "defaultdict of an int": b.name("collections", "defaultdict") + b"K\1\x85R",
            "deque": b.name("collections", "deque") + b"]K\2\x86R", "deque of an int": b.name("collections", "deque") + b"K\1\x85R",
            "layout": b.name("torch.serialization", "_get_layout") + b.text("torch.strided") + b"\x85R",
            "layout nonsense": b.name("torch.serialization", "_get_layout") + b.text("torch.x") + b"\x85R",
            "call of an int": b"K\1)R", "call of a tensor": b.tensor() + b")R", "call of a text": b.text("x") + b")R", "call of a dtype": b.name("torch", "float32") + b")R",
            "call of a call": ordered + b")R)R", "NEWOBJ of a function": b.REBUILD + b")\x81", "NEWOBJ of an int": b"K\1)\x81",
            "BUILD of a global": ordered + b"}b", "BUILD of an int": b"K\1}b", "BUILD of a dict": b"}}b", "BUILD of a list": b"]}b", "BUILD of None": b"N}b",
            "name that torch has not": b.name("torch", "no_such_name"), "name that collections has not": b.name("collections", "NoSuch"),
            "module that torch has not": b.name("torch.no_such", "x"), "dtype as a value": b.name("torch", "float32"),
            "name with a dot, protocol 2": b.name("torch", "nn.Module"), "module itself": b.name("torch", "nn"),
            "protocol 4 dotted": b"\x80\4" + b.name("torch", "nn.Module"), "builtins.nonsense": b.name("builtins", "nonsense"),
            "Python 2 name": b.name("__builtin__", "set") + b"]\x85R", "Python 2 module": b.name("copy_reg", "_reconstructor"),
    }.items():
        yield what, b.proto(b"}" + b.text("x") + body + b"s")


def streams():
    """What the pickle machines do in odd places."""
    for what, body in {
            "three values at STOP": b"NNN", "POP a mark": b"(0N", "TUPLE without MARK": b"t", "REDUCE on nothing": b"R", "POP on nothing": b"0N",
            "DUP": b"N2\x86", "POP_MARK": b"(NN1N", "odd SETITEMS": b"}(Ku", "SETITEMS of three": b"}(NNNu", "list as a key": b"}]Ns", "dict as a key": b"}}Ns",
            "set as a key": b"}\x8fNs", "frozenset as a key": b"}(\x91Ns", "tuple with a list as a key": b"}]\x85Ns", "tuple as a key": b"}N\x85Ns",
            "tensor as a key": b"}" + b.tensor() + b"Ns", "OrderedDict as a key": b"}" + b.HOOKS + b"Ns", "Size as a key": b"}" + b.name("torch", "Size") + b")RNs",
            "bytearray as a key": b"}\x96" + struct.pack("<Q", 1) + b"xNs", "set in a set": b"\x8f(\x8f\x90", "list in a set": b"\x8f(]\x90",
            "APPEND on a dict": b"}Na", "APPEND on a tuple": b")Na", "APPENDS on None": b"N(Ne", "empty APPENDS on None": b"N(e", "SETITEM on a list": b"](K\0eK\0K\1s",
            "SETITEM on an empty list": b"]K\0K\1s", "SETITEM on a list with text": b"](K\0e" + b.text("x") + b"K\1s", "SETITEM on None": b"NK\0K\1s", "empty SETITEMS on None": b"N(u",
            "SETITEM on a tuple": b")K\0K\1s", "ADDITEMS on a list": b"](N\x90", "empty ADDITEMS on a list": b"](\x90", "APPEND on a set": b"\x8fNa",
            "GET of nothing": b"h\5", "GET text": b"gx\n", "PUT -1": b"Np-1\n", "PUT with nothing": b"q\0N", "LONG_BINPUT 2^31-1": b"]r\xff\xff\xff\x7f",
            "MEMOIZE": b"N\x94h\0\x86", "INT 0x10": b"I0x10\n", "INT 010": b"I010\n", "INT 08": b"I08\n", "INT 01": b"I01\n", "INT empty": b"I\n", "INT text": b"Ix\n",
            "INT underscore": b"I1_0\n", "INT blank": b"I 1\n", "INT long": b"I" + b"1" * 5000 + b"\n", "LONG": b"L12L\n", "LONG without L": b"L12\n", "LONG octal": b"L010L\n",
            "FLOAT nan": b"Fnan\n", "FLOAT 1e999": b"F1e999\n", "FLOAT blank": b"F 1\n", "FLOAT underscore": b"F1_0\n", "FLOAT comma": b"F1,0\n", "FLOAT hex": b"F0x10\n",
            "STRING without quotes": b"Sx\n", "STRING open": b"S'x\n", "STRING of one quote": b"S'\n", "STRING mixed": b"S'x\"\n", "STRING escape": b"S'\\x4'\n",
            "UNICODE": b"Vx\\u0041\n", "UNICODE bad escape": b"V\\u00\n", "BINSTRING negative": b"T\xff\xff\xff\xff", "BINSTRING": b"T\1\0\0\0x",
            "PROTO twice": b"\x80\3N", "PROTO 6": b"\x80\6N", "PROTO 0": b"\x80\0N", "FRAME": b"\x95" + struct.pack("<Q", 2) + b"N.", "FRAME too long": b"\x95" + struct.pack("<Q", 500) + b"N",
            "FRAME 2^63": b"\x95" + struct.pack("<Q", 1 << 63) + b"N", "FRAME cut through": b"\x95" + struct.pack("<Q", 3) + b.text("abcdef"), "FRAME in FRAME": b"\x95" + struct.pack("<Q", 30) + b"\x95" + struct.pack("<Q", 2) + b"N" * 20,
            "LONG1": b"\x8a\1\5", "LONG1 empty": b"\x8a\0", "LONG4 negative": b"\x8b\xff\xff\xff\xff", "EXT1": b"\x82\1", "EXT4 -1": b"\x84\xff\xff\xff\xff",
            "INST": b"(icollections\nOrderedDict\n", "OBJ": b"(ccollections\nOrderedDict\no", "INST with arguments": b"(K\1icollections\nOrderedDict\n", "OBJ of nothing": b"(o",
            "STACK_GLOBAL": b.text("collections") + b.text("OrderedDict") + b"\x93", "STACK_GLOBAL on ints": b"K\1K\2\x93", "STACK_GLOBAL on bytes": b.data(b"os") + b.data(b"x") + b"\x93",
            "NEWOBJ_EX": b.name("collections", "OrderedDict") + b")}\x92", "NEWOBJ_EX without a dict": b.name("collections", "OrderedDict") + b"))\x92",
            "NEWOBJ list of arguments": b.name("collections", "OrderedDict") + b"]\x81", "REDUCE list of arguments": b.name("collections", "OrderedDict") + b"]R",
            "list in itself": b"]q\0h\0a", "dict in itself": b"}q\0" + b.text("x") + b"h\0s", "tuple in itself": b"]q\0h\0\x85a", "EMPTY_SET": b"\x8f", "BYTEARRAY8": b"\x96" + bytes(8),
            "same key twice": b"}" + b.text("x") + b"K\1s" + b.text("x") + b"K\2s", "keys 1, True, 1.0": b"}K\1K\1s\x88K\2sG?\xf0" + bytes(6) + b"K\3s",
            "DUP then fill": b"]2K\1a", "mark below the container": b"(]K\1eN"}.items():
        yield what, b.proto(body)
    yield "no PROTO", b"}."
    yield "empty pickle", b""
    yield "PROTO alone", b"\x80\2"
    yield "STOP alone", b"."
    yield "opcode 0", b"\x80\2\0."
    yield "opcode 255", b"\x80\2\xff."
    yield "MARK at STOP", b"\x80\2N(."
    yield "no STOP", b"\x80\2N"
    yield "200,000 nested tuples", b.proto(b"N" + b"\x85" * 200000)
    yield "2,000 nested lists", b.proto(b"]" * 2000 + b"a" * 1999)


def shared(levels, width, opening, inner, closing):
    """Pushes a value that refers to the level below `width` times, `levels` deep."""
    out = inner + b"r" + struct.pack("<I", 0) + b"0"
    for level in range(levels):
        parts = ((b.text(str(i)) if closing == b"u" else b"") + b"j" + struct.pack("<I", level) for i in range(width))
        out += opening + b"".join(parts) + closing + b"r" + struct.pack("<I", level + 1) + b"0"
    return out + b"j" + struct.pack("<I", levels)


def under_x(value):
    return b.proto(b"}" + b.text("x") + value + b"s")


def expansions():
    megabyte = b"x" * (1 << 20)
    yield "dicts 8^40", under_x(shared(40, 8, b"}(", b.tensor(), b"u"))
    yield "lists 10^60", under_x(shared(60, 10, b"](", b"]", b"e"))
    yield "tuples 8^40", under_x(shared(40, 8, b"(", b"N", b"t"))
    yield "sets of frozensets 2^40", under_x(shared(40, 2, b"(", b"(N\x91", b"\x91"))
    yield "tuples 8^40 as a key", b.proto(b"}" + shared(40, 8, b"(", b"N", b"t") + b"Ns")
    yield "1 MB of bytes 5,000 times", b.proto(b"](" + b.data(megabyte) + b"q\1" + b"h\1" * 4999 + b"e")
    yield "1 MB of text 5,000 times", b.proto(b"](" + b.text(megabyte) + b"q\1" + b"h\1" * 4999 + b"e")
    yield "1 MB of text in a dict 5,000 times", b.proto(b"](}" + b.text("a") + b.text(megabyte) + b"sq\1" + b"h\1" * 4999 + b"e")
    yield "1 MB key in 1,000 dicts", b.proto(b"]q\2" + b.text(megabyte) + b"q\1" + b"0(" + b"}h\1Ns" * 1000 + b"e")
    yield "64 kB key in 200 nested dicts", b.proto(b"Nq\0" + b.text("x" * (1 << 16)) + b"q\1" + b"00" + b"}h\1h\0sq\0" * 200)
    yield "arguments 8^40", under_x(b.name("pathlib", "PurePosixPath") + shared(40, 8, b"(", b.text("a"), b"t") + b"\x85R")
    yield "persistent ids shared", b.proto(b"](" + b.storage() + b"q\1" + b"h\1" * 20000 + b"e")
    yield "one tensor 20,000 times", b.proto(b"](" + b.tensor() + b"q\1" + b"h\1" * 20000 + b"e")


def legacies():
    good = b.weights(("weight", b.tensor(b.legacy_storage())))
    yield "legacy", b.legacy(good)
    yield "legacy, cut", b.legacy(good)[:-4]
    yield "legacy, trailing pickle", b.legacy(good) + b.proto(b.PAYLOAD)
    yield "legacy, key twice", b.legacy(good, (("0", 4, b.FLOATS), ("0", 4, b.FLOATS)))
    yield "legacy, storage not delivered", b.legacy(good, ())
    yield "legacy, unknown key", b.legacy(good, (("0", 4, b.FLOATS), ("9", 4, b.FLOATS)))
    yield "legacy, count 2", b.legacy(good, (("0", 2, b.FLOATS),))
    yield "legacy, count -1", b.legacy(good, (("0", -1, b.FLOATS),))
    yield "legacy, payload in the system", b.legacy(good, system=b.proto(b.PAYLOAD))
    yield "legacy, system None", b.legacy(good, system=b.proto(b"N"))
    yield "legacy, big-endian system", b.legacy(good, system=b.SYSTEM.replace(b"\x88", b"\x89"))
    yield "legacy, keys tuple", b.MAGIC + b.VERSION + b.SYSTEM + good + b.proto(b.text("0") + b"\x85") + struct.pack("<q", 4) + b.FLOATS
    yield "legacy, keys int", b.MAGIC + b.VERSION + b.SYSTEM + good + b.proto(b"](K\0e") + struct.pack("<q", 4) + b.FLOATS
    yield "legacy, keys None", b.MAGIC + b.VERSION + b.SYSTEM + good + b.proto(b"N")
    yield "legacy, version 1002", b.MAGIC + b"\x80\x02M\xea\x03." + b.SYSTEM + good + b.proto(b"]")
    yield "legacy, id of five", b.legacy(b.weights(("weight", b.tensor())))
    for what, view in (("", b"(" + b.text("v") + b"K\1K\2t"), (" past", b"(" + b.text("v") + b"K\3K\4t"), (" negative", b"(" + b.text("v") + b"J\xff\xff\xff\xffK\2t"),
                       (" text", b.text("v"))):
        source = b.legacy_storage()[:-3] + view + b"tQ"
        yield f"legacy, view{what}", b.legacy(b.weights(("weight", b.tensor(source, size=(2,)))))
    yield "bare pickle", b.proto(b"}")
    yield "bare payload", b.proto(b.PAYLOAD)


def all_cases():
    """(name, content)."""
    yield from archives()
    for make in (pickles, tensors, calls, streams, expansions):
        for name, pickle in make():
            yield name, b.torch_zip(pickle, (b.FLOATS, b.FLOATS))
    yield from legacies()
