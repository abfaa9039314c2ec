#include "lint/checks/security/known_calls.h"

#include <array>
#include <cctype>
#include <string>

#include "lint/checks/security/name_table.h"
#include "lint/checks/security/weights_only_names.h"

namespace ckpt::lint {
namespace {

using namespace std::string_view_literals;

// What __reduce__, __reduce_ex__ and copyreg give for the objects of these packages: read from CPython 3.9 to
// 3.13, numpy 1.17 to 2.4, torch 1.0 to 2.13, and found in checkpoints. Classes that are pickled by NEWOBJ
// need no line.
// clang-format off
constexpr auto kCalls = std::to_array<std::string_view>({
    "_codecs.encode"sv, "codecs.encode"sv, "copyreg._reconstructor"sv, "copyreg.__newobj__"sv, "copyreg.__newobj_ex__"sv,
    "builtins.set"sv, "builtins.frozenset"sv, "builtins.bytes"sv, "builtins.bytearray"sv, "builtins.complex"sv,
    "builtins.range"sv, "builtins.slice"sv, "builtins.int"sv, "builtins.float"sv, "builtins.bool"sv, "builtins.str"sv,
    "builtins.list"sv, "builtins.tuple"sv, "builtins.dict"sv, "builtins.object"sv, "builtins.enumerate"sv,
    "builtins.zip"sv, "builtins.reversed"sv, "builtins.iter"sv, "builtins.type"sv, "builtins.getattr"sv,
    "collections.OrderedDict"sv, "collections.defaultdict"sv, "collections.Counter"sv, "collections.deque"sv,
    "collections.UserDict"sv, "collections.UserList"sv, "collections.UserString"sv, "collections.ChainMap"sv,
    "datetime.date"sv, "datetime.datetime"sv, "datetime.time"sv, "datetime.timedelta"sv, "datetime.timezone"sv,
    "zoneinfo.ZoneInfo"sv, "zoneinfo.ZoneInfo._unpickle"sv, "zoneinfo._zoneinfo.ZoneInfo._unpickle"sv,
    "decimal.Decimal"sv, "decimal.Context"sv, "_decimal.Decimal"sv, "_decimal.Context"sv, "fractions.Fraction"sv,
    "functools.partial"sv, "_functools.partial"sv, "functools.partialmethod"sv, "functools.reduce"sv, "_functools.reduce"sv,
    "operator.itemgetter"sv, "_operator.itemgetter"sv, "operator.getitem"sv, "_operator.getitem"sv,
    "itertools.count"sv, "itertools.cycle"sv, "itertools.repeat"sv, "itertools.chain"sv, "itertools.islice"sv,
    "itertools.product"sv, "itertools.permutations"sv, "itertools.combinations"sv, "itertools.zip_longest"sv,
    "itertools.compress"sv, "pathlib.Path"sv, "pathlib.PosixPath"sv, "pathlib.WindowsPath"sv, "pathlib.PurePath"sv,
    "pathlib.PurePosixPath"sv, "pathlib.PureWindowsPath"sv, "pathlib._local.Path"sv, "pathlib._local.PosixPath"sv,
    "pathlib._local.WindowsPath"sv, "pathlib._local.PurePath"sv, "pathlib._local.PurePosixPath"sv,
    "pathlib._local.PureWindowsPath"sv, "types.SimpleNamespace"sv, "types.GenericAlias"sv, "argparse.Namespace"sv,
    "uuid.UUID"sv, "uuid.SafeUUID"sv, "ipaddress.IPv4Address"sv, "ipaddress.IPv6Address"sv, "ipaddress.IPv4Network"sv,
    "ipaddress.IPv6Network"sv, "ipaddress.IPv4Interface"sv, "ipaddress.IPv6Interface"sv, "re._compile"sv, "re.RegexFlag"sv,
    "random.Random"sv, "time.struct_time"sv, "array.array"sv, "array._array_reconstructor"sv, "logging.getLogger"sv,
    "io.BytesIO"sv, "io.StringIO"sv, "_io.BytesIO"sv, "_io.StringIO"sv, "_weakrefset.WeakSet"sv, "weakref.WeakSet"sv,
    "http.HTTPStatus"sv, "http.HTTPMethod"sv, "inspect._ParameterKind"sv, "calendar.Day"sv, "calendar.Month"sv,
    "numpy.dtype"sv, "numpy.ndarray"sv, "numpy.core.multiarray._reconstruct"sv, "numpy.core.multiarray.scalar"sv,
    "numpy._core.multiarray._reconstruct"sv, "numpy._core.multiarray.scalar"sv, "numpy.core.numeric._frombuffer"sv,
    "numpy._core.numeric._frombuffer"sv, "numpy.ma.core._mareconstruct"sv, "numpy.core._DType_reconstruct"sv,
    "numpy._core._DType_reconstruct"sv, "numpy._core._internal._convert_to_stringdtype_kwargs"sv,
    "numpy.core._internal._convert_to_stringdtype_kwargs"sv, "numpy.random._pickle.__randomstate_ctor"sv,
    "numpy.random._pickle.__generator_ctor"sv, "numpy.random._pickle.__bit_generator_ctor"sv,
    "numpy.random.__RandomState_ctor"sv, "numpy.random.bit_generator.__pyx_unpickle_SeedSequence"sv,
    "numpy.random._bit_generator.__pyx_unpickle_SeedSequence"sv, "numpy.random._mt19937.MT19937"sv,
    "numpy.random._pcg64.PCG64"sv, "numpy.random._pcg64.PCG64DXSM"sv, "numpy.random._philox.Philox"sv,
    "numpy.random._sfc64.SFC64"sv, "numpy._CopyMode"sv,
    "torch._tensor._rebuild_from_type"sv, "torch.tensor._rebuild_from_type"sv, "torch._utils._rebuild_sparse_csr_tensor"sv,
    "torch._utils._rebuild_xla_tensor"sv, "torch._utils._rebuild_mlc_tensor"sv, "torch._utils._rebuild_ort_tensor"sv,
    "torch._utils._rebuild_hpu_tensor"sv, "torch._utils._rebuild_meta_tensor"sv, "torch._C.Generator"sv, "torch.Generator"sv,
    "torch.nested._internal.nested_tensor._rebuild_njt"sv, "torch.nn.parameter.UninitializedParameter"sv,
    "torch.nn.parameter.UninitializedBuffer"sv, "torch.nn.parameter.Buffer"sv, "torch.jit._pickle.restore_type_tag"sv,
    "torch.jit._pickle.build_intlist"sv, "torch.jit._pickle.build_tensorlist"sv, "torch.jit._pickle.build_doublelist"sv,
    "torch.jit._pickle.build_boollist"sv, "torch.jit._pickle.build_tensor_from_id"sv,
    "torch.fx.immutable_collections.immutable_dict"sv, "torch.fx.immutable_collections.immutable_list"sv,
    "torch.utils._ordered_set.OrderedSet"sv, "torch.torch_version.TorchVersion"sv,
    "lightning.pytorch.utilities.parsing.AttributeDict"sv, "lightning.fabric.utilities.data.AttributeDict"sv});
// clang-format on

// Enumerations: Enum(value), all that torch 2.13 and Lightning (1.0 to 2.6) may put into a checkpoint.
// clang-format off
constexpr auto kEnums = std::to_array<std::string_view>({
    "lightning.pytorch.callbacks.early_stopping.EarlyStoppingReason"sv,
    "lightning.pytorch.callbacks.prediction_writer.WriteInterval"sv, "lightning.pytorch.callbacks.timer.Interval"sv,
    "lightning.pytorch.trainer.states.RunningStage"sv, "lightning.pytorch.trainer.states.TrainerFn"sv,
    "lightning.pytorch.trainer.states.TrainerStatus"sv, "torch.amp.grad_scaler.OptState"sv,
    "torch.cuda.amp.grad_scaler.OptState"sv, "torch.ao.quantization.backend_config.backend_config.ObservationType"sv,
    "torch.ao.quantization.observer.MappingType"sv, "torch.ao.quantization.observer.TorchAODType"sv,
    "torch.ao.quantization.observer.ZeroPointDomain"sv, "torch.ao.quantization.quant_type.QuantType"sv,
    "torch.quantization.quant_type.QuantType"sv, "torch.distributed._shard.sharded_tensor.metadata.MEM_FORMAT_ENCODING"sv,
    "torch.distributed._sharded_tensor.metadata.MEM_FORMAT_ENCODING"sv,
    "torch.distributed.algorithms._checkpoint.checkpoint_wrapper.CheckpointImpl"sv,
    "torch.distributed.algorithms._quantization.quantization.DQuantType"sv,
    "torch.distributed.algorithms.ddp_comm_hooks.DDPCommHookType"sv,
    "torch.distributed.checkpoint.filesystem.SerializationFormat"sv,
    "torch.distributed.checkpoint.metadata._MEM_FORMAT_ENCODING"sv, "torch.distributed.checkpoint.planner.LoadItemType"sv,
    "torch.distributed.checkpoint.planner.WriteItemType"sv,
    "torch.distributed.checkpoint.state_dict_saver.AsyncCheckpointerType"sv, "torch.distributed.fsdp.api.BackwardPrefetch"sv,
    "torch.distributed.fsdp.api.ShardingStrategy"sv, "torch.distributed.fsdp.api.StateDictType"sv,
    "torch.distributed.fsdp.fully_sharded_data_parallel.BackwardPrefetch"sv,
    "torch.distributed.fsdp.fully_sharded_data_parallel.OptimStateKeyType"sv,
    "torch.distributed.fsdp.fully_sharded_data_parallel.ShardingStrategy"sv,
    "torch.distributed.fsdp.fully_sharded_data_parallel.StateDictType"sv,
    "torch.distributed.fsdp._common_utils.HandleTrainingState"sv, "torch.distributed.fsdp._common_utils.TrainingState"sv,
    "torch.distributed.fsdp._flat_param.HandleShardingStrategy"sv,
    "torch.distributed.fsdp._fully_shard._fsdp_common.TrainingState"sv,
    "torch.distributed.fsdp._fully_shard._fsdp_param.ShardedState"sv,
    "torch.distributed.tensor.placement_types._StridedShardOffsetMode"sv, "torch.nn.attention.bias.CausalVariant"sv,
    "torch.nn.attention.SDPBackend"sv, "torch.nn.parallel.distributed._BufferCommHookLocation"sv,
    "torch.nn.utils.parametrizations._OrthMaps"sv, "torch.serialization.LoadEndianness"sv,
    "torch.utils.checkpoint.CheckpointPolicy"sv, "torch.utils.dlpack.DLDeviceType"sv});
// clang-format on

// Classes that are spelled like functions, beyond those of kCalls: instances of them are pickled by NEWOBJ.
// clang-format off
constexpr auto kLowerClasses = std::to_array<std::string_view>({
    "builtins.memoryview"sv, "builtins.property"sv, "builtins.staticmethod"sv, "builtins.classmethod"sv, "builtins.super"sv,
    "numpy.poly1d"sv, "numpy.vectorize"sv, "numpy.matrix"sv, "numpy.record"sv, "numpy.recarray"sv, "numpy.rec.recarray"sv,
    "numpy.generic"sv, "numpy.number"sv, "numpy.integer"sv, "numpy.floating"sv, "numpy.bool"sv, "numpy.bool_"sv,
    "numpy.float16"sv, "numpy.float32"sv, "numpy.float64"sv, "numpy.longdouble"sv, "numpy.complex64"sv,
    "numpy.complex128"sv, "numpy.int8"sv, "numpy.int16"sv, "numpy.int32"sv, "numpy.int64"sv, "numpy.longlong"sv,
    "numpy.uint8"sv, "numpy.uint16"sv, "numpy.uint32"sv, "numpy.uint64"sv, "numpy.ulonglong"sv, "numpy.object_"sv,
    "numpy.str_"sv, "numpy.bytes_"sv, "numpy.void"sv, "numpy.datetime64"sv, "numpy.timedelta64"sv, "numpy.finfo"sv,
    "numpy.iinfo"sv, "numpy.ma.core.mvoid"sv, "numpy.char.chararray"sv, "numpy.core.records.recarray"sv,
    "numpy.core.records.record"sv, "numpy.matrixlib.defmatrix.matrix"sv, "torch.dtype"sv, "torch.finfo"sv, "torch.iinfo"sv,
    "torch.layout"sv, "torch.memory_format"sv, "torch.qscheme"sv, "torch.amp.autocast_mode.autocast"sv,
    "torch.cuda.amp.autocast_mode.autocast"sv, "torch.autograd.grad_mode.enable_grad"sv,
    "torch.autograd.grad_mode.inference_mode"sv, "torch.autograd.grad_mode.no_grad"sv,
    "torch.autograd.grad_mode.set_grad_enabled"sv, "torch.autograd.profiler.profile"sv,
    "torch.autograd.profiler.record_function"sv, "torch.distributed.remote_device._remote_device"sv,
    "torch.distributions.utils.lazy_property"sv, "torch.profiler.profiler.profile"sv});
// clang-format on

struct Wrapper {
  std::string_view name;
  std::size_t argument;  // is called with others of the arguments
};
constexpr Wrapper kWrappers[] = {
    {"torch._tensor._rebuild_from_type"sv, 0},          {"torch._tensor._rebuild_from_type_v2"sv, 0},
    {"torch.tensor._rebuild_from_type"sv, 0},           {"copyreg._reconstructor"sv, 1},
    {"numpy.random._pickle.__randomstate_ctor"sv, 1},   {"numpy.random._pickle.__generator_ctor"sv, 1},
    {"numpy.random._pickle.__bit_generator_ctor"sv, 0}, {"fsspec.spec.make_instance"sv, 0}};

bool begins_lower(std::string_view name) {
  const auto at = name.find_first_not_of('_');
  return at == std::string_view::npos || std::islower(static_cast<unsigned char>(name[at])) != 0;
}

std::string_view last_component(std::string_view name) { return name.substr(name.rfind('.') + 1); }

// The packages of Lightning under one name: pytorch_lightning and lightning.pytorch hold the same modules.
std::string canonical(std::string_view module, std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kPackages[] = {
      {"pytorch_lightning"sv, "lightning.pytorch"sv}, {"lightning_fabric"sv, "lightning.fabric"sv}};
  std::string full = full_name(module, name);
  for (const auto& [old, now] : kPackages)
    if (top_package(module) == old) return std::string(now) + full.substr(old.size());
  return full;
}

// ValueError, torch.cuda.OutOfMemoryError, MisconfigurationException: exceptions are pickled by a call.
bool is_exception(std::string_view name) {
  static constexpr std::array kOthers = {"GeneratorExit"sv,  "KeyboardInterrupt"sv,  "StopIteration"sv,
                                         "SystemExit"sv,     "StopAsyncIteration"sv, "BaseExceptionGroup"sv,
                                         "ExceptionGroup"sv, "DivisionByZero"sv,     "InvalidOperation"sv};
  name = last_component(name);
  return !begins_lower(name) && (name.ends_with("Error") || name.ends_with("Exception") ||
                                 name.ends_with("Warning") || has_name(kOthers, name));
}

bool is_result_type(std::string_view module, std::string_view name) {
  return (module == "torch.return_types" || module == "numpy.dtypes") &&
         name.find('.') == std::string_view::npos;
}

}  // namespace

bool is_library(std::string_view module) {
  static constexpr std::array kPackages = {"torch"sv,     "functorch"sv,          "torchgen"sv,
                                           "numpy"sv,     "pytorch_lightning"sv,  "lightning_fabric"sv,
                                           "lightning"sv, "lightning_utilities"sv};
  return has_name(kPackages, top_package(module)) || is_python_module(module);
}

bool is_known_call(std::string_view module, std::string_view name) {
  if (is_weights_only_name(module, name) || is_result_type(module, name) || is_exception(name)) return true;
  // A module of enumerations, which moved and grew from version to version.
  const std::string full = canonical(module, name);
  if (full.starts_with("lightning.pytorch.utilities.enums.") ||
      full.starts_with("lightning.fabric.utilities.enums."))
    return !begins_lower(last_component(name));
  return has_name(kCalls, full) || has_name(kEnums, full);
}

std::optional<std::size_t> called_argument(std::string_view module, std::string_view name) {
  const std::string full = full_name(module, name);
  for (const Wrapper& wrapper : kWrappers)
    if (wrapper.name == full) return wrapper.argument;
  return std::nullopt;
}

bool is_function_name(std::string_view module, std::string_view name) {
  if (!begins_lower(last_component(name))) return false;
  const std::string full = full_name(module, name);
  return !is_known_call(module, name) && !has_name(kLowerClasses, full) && module != "torch.return_types";
}

bool is_plain_function(std::string_view module, std::string_view name) {
  if (name.find('.') != std::string_view::npos || name.starts_with('_')) return false;
  static constexpr std::array kModules = {
      "torch"sv, "torch.special"sv, "torch.linalg"sv, "torch._C._nn"sv, "torch._C._special"sv,
      "numpy"sv, "math"sv,          "builtins"sv,     "operator"sv,     "_operator"sv};
  return has_name(kModules, module) || module.starts_with("torch.nn.") ||
         module.starts_with("torch.optim.") || module.starts_with("torch.utils.data.");
}

}  // namespace ckpt::lint
