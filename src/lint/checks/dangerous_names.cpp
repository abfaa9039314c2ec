#include "lint/checks/dangerous_names.h"

#include <array>
#include <cctype>

#include "lint/checks/name_table.h"

namespace ckpt::lint {
namespace {

using namespace std::string_view_literals;

// Whole families, submodules included: processes, files, network, interpreters, loaders.
// clang-format off
constexpr std::array kFamilies = {
    "os"sv, "posix"sv, "nt"sv, "posixpath"sv, "ntpath"sv, "sys"sv, "subprocess"sv, "_posixsubprocess"sv, "socket"sv,
    "_socket"sv, "shutil"sv, "importlib"sv, "_frozen_importlib"sv, "imp"sv, "_imp"sv, "runpy"sv, "ctypes"sv, "_ctypes"sv,
    "pty"sv, "webbrowser"sv, "asyncio"sv, "commands"sv, "popen2"sv, "timeit"sv, "profile"sv, "cProfile"sv, "pdb"sv,
    "bdb"sv, "trace"sv, "doctest"sv, "pydoc"sv, "idlelib"sv, "lib2to3"sv, "pip"sv, "ensurepip"sv, "venv"sv,
    "setuptools"sv, "distutils"sv, "_osx_support"sv, "_aix_support"sv, "_pyrepl"sv, "ssl"sv, "ftplib"sv, "smtplib"sv,
    "poplib"sv, "imaplib"sv, "nntplib"sv, "telnetlib"sv, "xmlrpc"sv, "socketserver"sv, "wsgiref"sv, "pickle"sv,
    "_pickle"sv, "cPickle"sv, "pickletools"sv, "dill"sv, "cloudpickle"sv, "marshal"sv, "shelve"sv, "zipimport"sv,
    "pkgutil"sv, "_interpreters"sv, "_xxsubinterpreters"sv, "fickling"sv, "codeop"sv, "sqlite3"sv, "mmap"sv,
    "requests"sv, "paramiko"sv, "pexpect"sv, "sh"sv, "winreg"sv, "_winapi"sv, "msvcrt"sv, "resource"sv, "signal"sv,
    "tempfile"sv, "atexit"sv};
// clang-format on

// Single modules whose parents are harmless.
// clang-format off
constexpr std::array kModules = {
    "code"sv, "torch.hub"sv, "torch.package"sv, "torch.utils.cpp_extension"sv, "torch.utils.collect_env"sv,
    "torch.utils.model_zoo"sv, "torch.utils._config_module"sv, "torch.distributed.rpc"sv, "torch.distributed.rpc.internal"sv,
    "torch.jit"sv, "torch.jit._serialization"sv, "torch.jit._script"sv, "torch.jit.annotations"sv, "torch.jit.unsupported_tensor_ops"sv,
    "torch.fx.experimental.symbolic_shapes"sv, "torch._dynamo.guards"sv, "torch._inductor.codecache"sv,
    "torch.utils.bottleneck.__main__"sv, "torch.utils.show_pickle"sv, "torch.serialization.load"sv, "numpy.f2py"sv,
    "numpy.f2py.crackfortran"sv, "numpy.distutils"sv, "numpy.testing._private.utils"sv, "urllib.request"sv, "http.client"sv,
    "http.server"sv, "logging.config"sv, "logging.handlers"sv, "multiprocessing.util"sv, "multiprocessing.reduction"sv,
    "joblib.numpy_pickle"sv, "yaml"sv, "pandas.io.pickle"sv};
// clang-format on

// clang-format off
constexpr std::array kNames = {
    "builtins.eval"sv, "builtins.exec"sv, "builtins.compile"sv, "builtins.open"sv, "builtins.__import__"sv,
    "builtins.input"sv, "builtins.breakpoint"sv, "builtins.execfile"sv, "builtins.setattr"sv, "builtins.delattr"sv,
    "builtins.globals"sv, "builtins.locals"sv, "builtins.vars"sv, "builtins.apply"sv, "builtins.help"sv,
    "operator.attrgetter"sv, "operator.methodcaller"sv, "_operator.attrgetter"sv, "_operator.methodcaller"sv,
    "functools.reduce"sv, "_functools.reduce"sv, "types.CodeType"sv, "types.FunctionType"sv, "types.ModuleType"sv,
    "types.MethodType"sv, "io.open"sv, "io.open_code"sv, "io.FileIO"sv, "_io.open"sv, "_io.open_code"sv, "_io.FileIO"sv, "codecs.open"sv,
    "logging.FileHandler"sv, "uuid._get_command_stdout"sv, "platform.popen"sv, "platform._syscmd_ver"sv, "platform._syscmd_file"sv,
    "linecache.getline"sv, "fileinput.input"sv, "site.addsitedir"sv, "gc.get_objects"sv, "inspect.getattr_static"sv,
    "torch.load"sv, "torch.serialization.load"sv, "torch.serialization._load"sv, "torch.serialization._legacy_load"sv,
    "torch.storage._load_from_bytes"sv, "torch.save"sv, "torch.serialization.save"sv, "torch.ops.load_library"sv,
    "torch._ops.load_library"sv, "torch.compile"sv, "numpy.load"sv, "numpy.loadtxt"sv, "numpy.fromfile"sv, "numpy.memmap"sv,
    "numpy.genfromtxt"sv, "numpy.save"sv, "numpy.savetxt"sv, "numpy.lib.npyio.load"sv, "numpy.lib._npyio_impl.load"sv,
    "numpy.lib.npyio.loadtxt"sv, "numpy.core.memmap.memmap"sv, "joblib.load"sv, "pandas.read_pickle"sv};
// clang-format on

bool begins_lower(std::string_view name) {
  const auto at = name.find_first_not_of('_');
  return at != std::string_view::npos && std::islower(static_cast<unsigned char>(name[at])) != 0;
}

std::string why_plain(std::string_view module, std::string_view name) {
  if (has_name(kFamilies, top_package(module)))
    return "reaches processes, files, the network or another loader";
  if (has_name(kModules, module)) return "runs or loads code";
  const std::string full = full_name(module, name);
  if (has_name(kNames, full)) return "runs code, opens files or loads another pickle";
  if (has_name(kModules, full) || (module.empty() && has_name(kFamilies, name)))
    return "is a module that runs or loads code";
  return "";
}

}  // namespace

std::string why_dangerous(std::string_view module, std::string_view name) {
  if (auto why = why_plain(module, name); !why.empty()) return why;
  // Protocol 4 walks attributes: "pathlib" "os.system" is os.system. Nested classes begin with a capital.
  if (const auto dot = name.find('.'); dot != std::string_view::npos) {
    if (has_name(kFamilies, name.substr(0, dot)) || begins_lower(name))
      return "walks through a module's attributes";
    for (std::size_t at = 0; at != std::string_view::npos; at = name.find('.', at + 1))
      if (is_escape_attribute(
              name.substr(at == 0 ? 0 : at + 1, name.find('.', at + 1) - (at == 0 ? 0 : at + 1))))
        return "walks to the interpreter's internals";
  }
  return "";
}

bool names_a_module(std::string_view module, std::string_view name) {
  if (!begins_lower(name)) return false;
  // Classes that are spelled like modules, and whose methods healthy files name.
  static constexpr std::array kBuiltin = {"object"sv, "type"sv,     "str"sv,     "bytes"sv,     "bytearray"sv,
                                          "int"sv,    "float"sv,    "complex"sv, "bool"sv,      "list"sv,
                                          "tuple"sv,  "dict"sv,     "set"sv,     "frozenset"sv, "slice"sv,
                                          "range"sv,  "property"sv, "super"sv};
  // clang-format off
  static constexpr std::array kClasses = {"datetime.date"sv, "datetime.datetime"sv, "datetime.time"sv, "datetime.timedelta"sv,
                                          "datetime.timezone"sv, "collections.defaultdict"sv, "collections.deque"sv,
                                          "functools.partial"sv, "torch.dtype"sv, "torch.device"sv, "torch.finfo"sv,
                                          "torch.iinfo"sv, "numpy.ndarray"sv, "numpy.dtype"sv};
  // clang-format on
  if (module == "builtins") return !has_name(kBuiltin, name);
  return !has_name(kClasses, full_name(module, name));
}

bool is_escape_attribute(std::string_view name) {
  // clang-format off
  static constexpr std::array kEscapes = {
      "__globals__"sv, "__builtins__"sv, "__subclasses__"sv, "__bases__"sv, "__base__"sv, "__mro__"sv, "__class__"sv,
      "__dict__"sv, "__code__"sv, "__getattribute__"sv, "__import__"sv, "__loader__"sv, "__spec__"sv, "__closure__"sv,
      "f_globals"sv, "f_builtins"sv, "gi_frame"sv, "func_globals"sv, "__reduce__"sv, "__reduce_ex__"sv, "__setstate__"sv};
  // clang-format on
  return has_name(kEscapes, name);
}

}  // namespace ckpt::lint
