#include "lint/checks/security/dangerous_names.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "lint/checks/security/name_table.h"

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
    "tempfile"sv, "atexit"sv, "subprocess32"sv, "cgitb"sv, "compileall"sv, "py_compile"sv, "zipapp"sv, "tarfile"sv,
    "zipfile"sv, "glob"sv, "dbm"sv, "_sqlite3"sv, "mailbox"sv, "spwd"sv, "readline"sv, "rlcompleter"sv, "faulthandler"sv,
    "_testcapi"sv, "tkinter"sv, "_tkinter"sv, "turtle"sv, "antigravity"sv, "pkg_resources"sv, "cffi"sv, "_cffi_backend"sv,
    "plumbum"sv, "smart_open"sv, "aiohttp"sv, "httpx"sv, "urllib3"sv, "urllib2"sv, "httplib"sv, "jsonpickle"sv, "pickle5"sv,
    "zodbpickle"sv, "mako"sv};
// clang-format on

// The same within packages that healthy files import from: the module and everything below it.
// clang-format off
constexpr std::array kSubtrees = {
    "torch.hub"sv, "torch.package"sv, "torch.utils.cpp_extension"sv, "torch.utils._config_module"sv, "torch.distributed.rpc"sv,
    "torch.distributed.elastic"sv, "torch.distributed.launcher"sv, "torch.distributed.run"sv, "torch.distributed.launch"sv,
    "torch.fx.graph_module"sv, "torch.fx.experimental.symbolic_shapes"sv, "torch._dynamo.guards"sv, "torch._inductor"sv,
    "torch.utils.data.datapipes.utils.decoder"sv, "torch.utils.bottleneck"sv, "torch.multiprocessing.spawn"sv,
    "torch.cuda.jiterator"sv, "torch.testing._internal"sv, "torch.utils.file_baton"sv, "torch.utils.tensorboard"sv,
    "numpy.f2py"sv, "numpy.distutils"sv, "numpy.testing"sv, "pandas.io"sv, "pandas.core.computation"sv, "urllib.request"sv,
    "http.client"sv, "http.server"sv, "logging.config"sv, "logging.handlers"sv, "multiprocessing.util"sv,
    "multiprocessing.reduction"sv, "multiprocessing.spawn"sv, "multiprocessing.managers"sv, "multiprocessing.pool"sv,
    "multiprocessing.process"sv, "concurrent.futures"sv, "concurrent.interpreters"sv, "test.support"sv, "hydra.utils"sv,
    "hydra._internal"sv, "sympy.parsing"sv, "sympy.core.sympify"sv, "sympy.sympify"sv, "sympy.utilities.lambdify"sv,
    "huggingface_hub.file_download"sv, "transformers.dynamic_module_utils"sv, "tensorflow.io.gfile"sv, "mlflow.pyfunc"sv,
    "IPython.utils.process"sv, "IPython.core"sv};
// clang-format on

// Single modules: their parents and submodules are harmless.
// clang-format off
constexpr std::array kModules = {
    "code"sv, "site"sv, "torch.utils.collect_env"sv, "torch.utils.model_zoo"sv, "torch.jit"sv, "torch.jit._serialization"sv,
    "torch.jit._script"sv, "torch.jit.annotations"sv, "torch.jit.unsupported_tensor_ops"sv, "torch.utils.show_pickle"sv,
    "torch.serialization.load"sv, "joblib.numpy_pickle"sv, "yaml"sv};
// clang-format on

// clang-format off
constexpr std::array kNames = {
    "builtins.eval"sv, "builtins.exec"sv, "builtins.compile"sv, "builtins.open"sv, "builtins.__import__"sv,
    "builtins.input"sv, "builtins.breakpoint"sv, "builtins.execfile"sv, "builtins.setattr"sv, "builtins.delattr"sv,
    "builtins.globals"sv, "builtins.locals"sv, "builtins.vars"sv, "builtins.apply"sv, "builtins.help"sv,
    "operator.attrgetter"sv, "operator.methodcaller"sv, "_operator.attrgetter"sv, "_operator.methodcaller"sv,
    "types.CodeType"sv, "types.FunctionType"sv, "types.ModuleType"sv,
    "types.MethodType"sv, "io.open"sv, "io.open_code"sv, "io.FileIO"sv, "_io.open"sv, "_io.open_code"sv, "_io.FileIO"sv, "codecs.open"sv,
    "logging.FileHandler"sv, "uuid._get_command_stdout"sv, "platform.popen"sv, "platform._syscmd_ver"sv, "platform._syscmd_file"sv,
    "linecache.getline"sv, "fileinput.input"sv, "site.addsitedir"sv, "gc.get_objects"sv, "inspect.getattr_static"sv,
    "torch.load"sv, "torch.serialization.load"sv, "torch.serialization._load"sv, "torch.serialization._legacy_load"sv,
    "torch.storage._load_from_bytes"sv, "torch.save"sv, "torch.serialization.save"sv, "torch.ops.load_library"sv,
    "torch._ops.load_library"sv, "torch.compile"sv, "numpy.load"sv, "numpy.loadtxt"sv, "numpy.fromfile"sv, "numpy.memmap"sv,
    "numpy.genfromtxt"sv, "numpy.save"sv, "numpy.savetxt"sv, "numpy.lib.npyio.load"sv, "numpy.lib._npyio_impl.load"sv,
    "numpy.lib.npyio.loadtxt"sv, "numpy.core.memmap.memmap"sv, "joblib.load"sv, "pandas.read_pickle"sv,
    "numpy.loads"sv, "numpy.core.multiarray.fromfile"sv, "numpy._core.multiarray.fromfile"sv, "numpy.DataSource"sv,
    "numpy.lib.npyio.NpzFile"sv, "numpy.lib._npyio_impl.NpzFile"sv, "numexpr.evaluate"sv, "numexpr.necompiler.evaluate"sv,
    "pandas.eval"sv, "sympy.parse_expr"sv, "sympy.lambdify"sv, "torch.classes.load_library"sv, "torch._classes.load_library"sv,
    "torch.cuda.CUDAPluggableAllocator"sv, "torch.cuda.memory.CUDAPluggableAllocator"sv, "torch.multiprocessing.Process"sv, "torch.multiprocessing.start_processes"sv, "torch.export.load"sv,
    "torch._C.PyTorchFileReader"sv, "torch._C.PyTorchFileWriter"sv, "torch._C.import_ir_module"sv,
    "multiprocessing.Process"sv, "multiprocessing.Pool"sv, "multiprocessing.context.Process"sv,
    "multiprocessing.context.SpawnProcess"sv, "multiprocessing.context.ForkProcess"sv,
    "multiprocessing.context.ForkServerProcess"sv, "threading.Thread"sv, "threading.Timer"sv, "_thread.start_new_thread"sv,
    "_thread.start_new"sv, "weakref.finalize"sv, "copyreg.add_extension"sv, "copyreg.remove_extension"sv, "copyreg.pickle"sv,
    "dataclasses._create_fn"sv, "typing.get_type_hints"sv, "typing._eval_type"sv, "inspect.get_annotations"sv,
    "urllib.urlopen"sv, "urllib.urlretrieve"sv, "lightning.pytorch.cli.instantiate_module"sv,
    "lightning.pytorch.cli.instantiate_class"sv, "pytorch_lightning.cli.instantiate_module"sv,
    "pytorch_lightning.cli.instantiate_class"sv, "pytorch_lightning.utilities.cli.instantiate_class"sv,
    "lightning.fabric.utilities.cloud_io._load"sv, "lightning_fabric.utilities.cloud_io._load"sv,
    "pytorch_lightning.utilities.cloud_io.load"sv, "huggingface_hub.hf_hub_download"sv, "huggingface_hub.snapshot_download"sv,
    "keras.models.load_model"sv, "tensorflow.keras.models.load_model"sv, "tensorflow.io.read_file"sv,
    "tensorflow.io.write_file"sv, "tensorflow.load_op_library"sv, "tensorflow.load_library"sv, "mlflow.pytorch.load_model"sv,
    "omegaconf.OmegaConf.load"sv, "omegaconf.omegaconf.OmegaConf.load"sv, "fsspec.open"sv, "fsspec.core.open"sv,
    "jinja2.Template"sv, "jinja2.environment.Template"sv, "fabric.Connection"sv, "fabric.connection.Connection"sv,
    "invoke.run"sv, "git.Repo"sv, "git.repo.base.Repo"sv, "git.cmd.Git"sv};
// clang-format on

bool begins_lower(std::string_view name) {
  const auto at = name.find_first_not_of('_');
  return at != std::string_view::npos && std::islower(static_cast<unsigned char>(name[at])) != 0;
}

bool is_in_subtree(std::string_view full) {
  return std::any_of(kSubtrees.begin(), kSubtrees.end(), [&](std::string_view tree) {
    return full.starts_with(tree) && (full.size() == tree.size() || full[tree.size()] == '.');
  });
}

// Path.write_text, _local.PosixPath.unlink: all methods of paths access files.
bool is_path_method(std::string_view full) {
  if (!full.starts_with("pathlib.")) return false;
  const auto dot = full.rfind('.');
  const auto owner = full.substr(0, dot);
  return owner.ends_with("Path") && begins_lower(full.substr(dot + 1));
}

std::string_view plain_danger(std::string_view module, std::string_view name) {
  if (has_name(kFamilies, top_package(module))) return "system";
  if (has_name(kModules, module)) return "module";
  const std::string full = full_name(module, name);
  if (is_in_subtree(full)) return "submodule";
  if (is_path_method(full)) return "path-method";
  if (has_name(kNames, full)) return "function";
  if (has_name(kModules, full) || (module.empty() && has_name(kFamilies, name))) return "module";
  return "";
}

}  // namespace

std::string_view danger_of(std::string_view module, std::string_view name) {
  if (const auto danger = plain_danger(module, name); !danger.empty()) return danger;
  // Protocol 4 follows attributes: "pathlib" "os.system" is os.system. Nested classes begin with a capital.
  if (const auto dot = name.find('.'); dot != std::string_view::npos) {
    if (has_name(kFamilies, name.substr(0, dot)) || begins_lower(name)) return "attribute-walk";
    for (std::size_t at = 0; at != std::string_view::npos; at = name.find('.', at + 1))
      if (is_escape_attribute(
              name.substr(at == 0 ? 0 : at + 1, name.find('.', at + 1) - (at == 0 ? 0 : at + 1))))
        return "internals";
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
