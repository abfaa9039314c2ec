#include "checkpoint/formats/closed_modules.h"

#include <algorithm>
#include <array>

namespace ckpt::formats {
namespace {

using namespace std::string_view_literals;

// clang-format off
constexpr std::array kBuiltins = {
    "ArithmeticError"sv, "AssertionError"sv, "AttributeError"sv, "BaseException"sv, "BaseExceptionGroup"sv,
    "BlockingIOError"sv, "BrokenPipeError"sv, "BufferError"sv, "BytesWarning"sv, "ChildProcessError"sv,
    "ConnectionAbortedError"sv, "ConnectionError"sv, "ConnectionRefusedError"sv, "ConnectionResetError"sv,
    "DeprecationWarning"sv, "EOFError"sv, "Ellipsis"sv, "EncodingWarning"sv, "EnvironmentError"sv,
    "Exception"sv, "ExceptionGroup"sv, "False"sv, "FileExistsError"sv, "FileNotFoundError"sv,
    "FloatingPointError"sv, "FutureWarning"sv, "GeneratorExit"sv, "IOError"sv, "ImportError"sv,
    "ImportWarning"sv, "IndentationError"sv, "IndexError"sv, "InterruptedError"sv, "IsADirectoryError"sv,
    "KeyError"sv, "KeyboardInterrupt"sv, "LookupError"sv, "MemoryError"sv, "ModuleNotFoundError"sv,
    "NameError"sv, "None"sv, "NotADirectoryError"sv, "NotImplemented"sv, "NotImplementedError"sv,
    "OSError"sv, "OverflowError"sv, "PendingDeprecationWarning"sv, "PermissionError"sv,
    "ProcessLookupError"sv, "PythonFinalizationError"sv, "RecursionError"sv, "ReferenceError"sv,
    "ResourceWarning"sv, "RuntimeError"sv, "RuntimeWarning"sv, "StopAsyncIteration"sv, "StopIteration"sv,
    "SyntaxError"sv, "SyntaxWarning"sv, "SystemError"sv, "SystemExit"sv, "TabError"sv, "TimeoutError"sv,
    "True"sv, "TypeError"sv, "UnboundLocalError"sv, "UnicodeDecodeError"sv, "UnicodeEncodeError"sv,
    "UnicodeError"sv, "UnicodeTranslateError"sv, "UnicodeWarning"sv, "UserWarning"sv, "ValueError"sv,
    "Warning"sv, "WindowsError"sv, "ZeroDivisionError"sv, "__build_class__"sv, "__import__"sv, "abs"sv,
    "aiter"sv, "all"sv, "anext"sv, "any"sv, "ascii"sv, "bin"sv, "bool"sv, "breakpoint"sv, "bytearray"sv,
    "bytes"sv, "callable"sv, "chr"sv, "classmethod"sv, "compile"sv, "complex"sv, "copyright"sv, "credits"sv,
    "delattr"sv, "dict"sv, "dir"sv, "divmod"sv, "enumerate"sv, "eval"sv, "exec"sv, "exit"sv, "filter"sv,
    "float"sv, "format"sv, "frozenset"sv, "getattr"sv, "globals"sv, "hasattr"sv, "hash"sv, "help"sv,
    "hex"sv, "id"sv, "input"sv, "int"sv, "isinstance"sv, "issubclass"sv, "iter"sv, "len"sv, "license"sv,
    "list"sv, "locals"sv, "map"sv, "max"sv, "memoryview"sv, "min"sv, "next"sv, "object"sv, "oct"sv,
    "open"sv, "ord"sv, "pow"sv, "print"sv, "property"sv, "quit"sv, "range"sv, "repr"sv, "reversed"sv,
    "round"sv, "set"sv, "setattr"sv, "slice"sv, "sorted"sv, "staticmethod"sv, "str"sv, "sum"sv, "super"sv,
    "tuple"sv, "type"sv, "vars"sv, "zip"sv};
constexpr std::array kCollections = {
    "ChainMap"sv, "Counter"sv, "OrderedDict"sv, "UserDict"sv, "UserList"sv, "UserString"sv, "abc"sv,
    "defaultdict"sv, "deque"sv, "namedtuple"sv, "_OrderedDictItemsView"sv, "_OrderedDictKeysView"sv,
    "_OrderedDictValuesView"sv, "_tuplegetter"sv};
constexpr std::array kCodecs = {
    "ascii_decode"sv, "ascii_encode"sv, "charmap_build"sv, "charmap_decode"sv, "charmap_encode"sv,
    "code_page_decode"sv, "code_page_encode"sv, "decode"sv, "encode"sv, "escape_decode"sv,
    "escape_encode"sv, "latin_1_decode"sv, "latin_1_encode"sv, "lookup"sv, "lookup_error"sv,
    "mbcs_decode"sv, "mbcs_encode"sv, "oem_decode"sv, "oem_encode"sv, "raw_unicode_escape_decode"sv,
    "raw_unicode_escape_encode"sv, "readbuffer_encode"sv, "register"sv, "register_error"sv,
    "unicode_escape_decode"sv, "unicode_escape_encode"sv, "unregister"sv, "utf_16_be_decode"sv,
    "utf_16_be_encode"sv, "utf_16_decode"sv, "utf_16_encode"sv, "utf_16_ex_decode"sv, "utf_16_le_decode"sv,
    "utf_16_le_encode"sv, "utf_32_be_decode"sv, "utf_32_be_encode"sv, "utf_32_decode"sv, "utf_32_encode"sv,
    "utf_32_ex_decode"sv, "utf_32_le_decode"sv, "utf_32_le_encode"sv, "utf_7_decode"sv, "utf_7_encode"sv,
    "utf_8_decode"sv, "utf_8_encode"sv};
// Names of Python 2 that Python 3 maps in protocols 0 to 2 only.
constexpr std::array kGone = {"__builtin__"sv, "copy_reg"sv, "exceptions"sv, "UserDict"sv, "UserList"sv, "cPickle"sv};
// clang-format on

template <class Names>
bool has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool is_missing_everywhere(std::string_view module, std::string_view name) {
  name = name.substr(0, name.find('.'));
  const bool special = name.starts_with("__") && name.ends_with("__");
  if (module == "builtins") return !special && !has(kBuiltins, name);
  if (module == "collections") return !special && !has(kCollections, name);
  if (module == "_codecs") return !special && !has(kCodecs, name);
  return has(kGone, module);
}

}  // namespace ckpt::formats
