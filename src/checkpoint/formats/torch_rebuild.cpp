#include "checkpoint/formats/torch_rebuild.h"

#include <string>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/text.h"
#include "checkpoint/formats/rebuild_context.h"

namespace ckpt::formats {
namespace {

using tensor::DType;
using tensor::TensorView;
using value::Kind;
using value::kNoNode;
using value::NodeId;

// --- tensors --------------------------------------------------------------------------------------------

bool read_sizes(RebuildContext& c, NodeId node, std::vector<std::int64_t>& out) {
  const Kind kind = c.tree.kind(node);
  if (kind == Kind::kObject) {  // torch.Size((2, 3))
    const auto inner = c.call_args(node);
    if (c.callee_name(node) != "torch.Size" || inner.size() != 1) return false;
    return read_sizes(c, inner[0], out);
  }
  if (kind != Kind::kTuple && kind != Kind::kList) return false;
  out.clear();
  for (const NodeId element : c.tree.elements(node)) {
    if (c.tree.kind(element) != Kind::kInt || c.tree.integer(element) < 0) return false;
    out.push_back(c.tree.integer(element));
  }
  return true;
}

void check_bounds(RebuildContext& c, std::uint32_t record) {
  TensorView& view = c.out.tensor_records[record].view;
  const tensor::Storage& storage = c.out.storages[view.storage];
  const auto extent = tensor::checked_extent(view);
  if (view.numel > 0 && storage.bytes == nullptr)
    view.in_bounds = false;
  else if (!extent || tensor::bytes_for_elements(view.dtype, *extent) > storage.size ||
           *extent > (1ull << 62)) {
    view.in_bounds = false;
    if (!storage.no_data)
      c.record_defect(record, "tensor-out-of-bounds",
                      fmt::format("shape {}, stride {}, offset {} extend past storage {} ({} bytes)",
                                  format_shape(view.shape), format_shape(view.strides), view.storage_offset,
                                  quote(abbreviate(storage.key, 80)), storage.size));
  }
  if (view.shape.size() > c.limits.dimensions)
    c.record_defect(record, "tensor-malformed", fmt::format("{} dimensions", view.shape.size()));
  if (view.in_bounds && view.numel > (1ull << 32) && storage.size > 0 && view.numel / 8 > storage.size)
    c.record_defect(
        record, "tensor-expanded-huge",
        fmt::format("{} elements are expanded from {} bytes (stride 0)", view.numel, storage.size));
}

// (storage, storage_offset, size, stride): the four first arguments of every _rebuild_tensor*.
std::optional<std::uint32_t> strided(RebuildContext& c, std::span<const NodeId> args,
                                     std::optional<DType> dtype) {
  if (c.tree.kind(args[0]) != Kind::kStorage) return std::nullopt;
  TensorRecord record;
  TensorView& view = record.view;
  view.storage = c.tree.payload(args[0]);
  if (!dtype) dtype = c.declared_of(view.storage).dtype;
  view.dtype = dtype.value_or(DType::kUInt8);
  if (c.tree.kind(args[1]) != Kind::kInt || c.tree.integer(args[1]) < 0) return std::nullopt;
  view.storage_offset = static_cast<std::uint64_t>(c.tree.integer(args[1]));
  if (!read_sizes(c, args[2], view.shape) || !read_sizes(c, args[3], view.strides)) return std::nullopt;
  if (view.shape.size() != view.strides.size()) return std::nullopt;
  const auto numel = tensor::checked_numel(view.shape);
  if (!numel) return std::nullopt;
  view.numel = *numel;
  const auto index = c.add(std::move(record));
  check_bounds(c, index);
  return index;
}

bool flag(RebuildContext& c, std::span<const NodeId> args, std::size_t i) {
  return i < args.size() && c.tree.kind(args[i]) == Kind::kBool && c.tree.boolean(args[i]);
}

// torch takes nothing but a bool, and True for numbers with a fraction only.
bool read_requires_grad(RebuildContext& c, NodeId node, TensorView& view) {
  if (c.tree.kind(node) != Kind::kBool) return false;
  view.requires_grad = c.tree.boolean(node);
  return !view.requires_grad || tensor::is_floating(view.dtype);
}

// {'conj': True, 'neg': True}: torch/_utils.py set_tensor_metadata, which is called with what is true.
bool read_metadata(RebuildContext& c, std::span<const NodeId> args, std::size_t i, TensorView& view) {
  if (i >= args.size() || c.tree.kind(args[i]) == Kind::kNone) return true;
  if (c.tree.kind(args[i]) != Kind::kDict) return false;
  for (const value::Item& item : c.tree.items(args[i]))
    if (c.tree.kind(item.key) != Kind::kString || c.tree.kind(item.value) != Kind::kBool) return false;
  const NodeId conj = c.tree.get(args[i], "conj");
  const NodeId neg = c.tree.get(args[i], "neg");
  view.conj = conj != kNoNode && c.tree.boolean(conj);
  view.neg = neg != kNoNode && c.tree.boolean(neg);
  return conj == kNoNode || tensor::dtype_class(view.dtype) == tensor::DTypeClass::kComplex;
}

std::optional<std::uint32_t> rebuild_v1(RebuildContext& c, std::span<const NodeId> args) {
  return strided(c, args, std::nullopt);
}

std::optional<std::uint32_t> rebuild_v2(RebuildContext& c, std::span<const NodeId> args) {
  const auto index = strided(c, args, std::nullopt);
  if (!index) return index;
  TensorView& view = c.out.tensor_records[*index].view;
  if (!read_requires_grad(c, args[4], view) || !read_metadata(c, args, 6, view)) return std::nullopt;
  return index;
}

// The storage is untyped, and the dtype is an argument: dtypes without a storage class (float8, uint16 ...).
std::optional<std::uint32_t> rebuild_v3(RebuildContext& c, std::span<const NodeId> args) {
  const auto dtype = c.dtype_of(args[6]);
  if (!dtype) return std::nullopt;
  const auto index = strided(c, args, dtype);
  if (!index) return index;
  TensorView& view = c.out.tensor_records[*index].view;
  if (!read_requires_grad(c, args[4], view) || !read_metadata(c, args, 7, view)) return std::nullopt;
  return index;
}

std::optional<std::uint32_t> rebuild_parameter(RebuildContext& c, std::span<const NodeId> args) {
  if (c.tree.kind(args[0]) != Kind::kTensor) return std::nullopt;
  TensorRecord record = c.out.tensor_records[c.tree.payload(args[0])];
  if (!read_requires_grad(c, args[1], record.view)) return std::nullopt;
  record.subclass = "torch.nn.parameter.Parameter";
  return c.add(std::move(record));
}

std::optional<double> number_of(RebuildContext& c, NodeId node) {
  if (c.tree.kind(node) == Kind::kFloat) return c.tree.real(node);
  if (c.tree.kind(node) == Kind::kInt) return static_cast<double>(c.tree.integer(node));
  return std::nullopt;
}

// quantizer = (per_tensor_affine, scale, zero_point) or (per_channel_affine, scales, zero_points, axis)
std::optional<std::uint32_t> rebuild_qtensor(RebuildContext& c, std::span<const NodeId> args) {
  if (c.tree.kind(args[4]) != Kind::kTuple) return std::nullopt;
  const auto index = strided(c, args, std::nullopt);
  const auto quantizer = c.tree.elements(args[4]);
  if (!index || quantizer.size() < 3 || c.tree.kind(quantizer[0]) != Kind::kGlobal) return std::nullopt;
  TensorRecord& record = c.out.tensor_records[*index];
  record.view.requires_grad = flag(c, args, 5);
  auto q = std::make_shared<tensor::Quantizer>();
  if (c.tree.text(quantizer[0]).starts_with("per_tensor")) {
    const auto scale = number_of(c, quantizer[1]);
    if (!scale || c.tree.kind(quantizer[2]) != Kind::kInt) return std::nullopt;
    q->scale = *scale;
    q->zero_point = c.tree.integer(quantizer[2]);
  } else {
    q->scheme = tensor::Quantizer::Scheme::kPerChannel;
    record.parts = {{"scales", quantizer[1]}, {"zero_points", quantizer[2]}};
    if (quantizer.size() > 3 && c.tree.kind(quantizer[3]) == Kind::kInt && c.tree.integer(quantizer[3]) >= 0)
      q->axis = static_cast<std::size_t>(c.tree.integer(quantizer[3]));
  }
  record.view.quantizer = std::move(q);
  return index;
}

// A tensor that is a set of other tensors: dtype and requires_grad are those of `values`.
std::uint32_t composite(RebuildContext& c, std::string layout, NodeId values, NodeId size,
                        std::vector<std::pair<std::string, NodeId>> parts) {
  TensorRecord record;
  record.layout = std::move(layout);
  record.parts = std::move(parts);
  record.view.in_bounds = false;  // it has no strided bytes itself
  if (values != kNoNode && c.tree.kind(values) == Kind::kTensor)
    record.view.dtype = c.out.tensor_records[c.tree.payload(values)].view.dtype;
  if (size != kNoNode && read_sizes(c, size, record.view.shape))
    record.view.numel = tensor::checked_numel(record.view.shape).value_or(0);
  return c.add(std::move(record));
}

// torch.serialization._get_layout('torch.sparse_coo')
std::string layout_name(RebuildContext& c, NodeId node) {
  const auto args = c.call_args(node);
  if (args.size() != 1 || c.tree.kind(args[0]) != Kind::kString) return {};
  const std::string_view text = c.tree.text(args[0]);
  return text.starts_with("torch.") ? std::string(text.substr(6)) : std::string();
}

std::optional<std::uint32_t> rebuild_sparse(RebuildContext& c, std::span<const NodeId> args) {
  const std::string layout = layout_name(c, args[0]);
  const auto data = c.tree.elements(args[1]);
  if (layout == "sparse_coo" && data.size() >= 3)
    return composite(c, layout, data[1], data[2], {{"indices", data[0]}, {"values", data[1]}});
  if (!layout.starts_with("sparse_") || data.size() < 4) return std::nullopt;
  const bool rows = layout == "sparse_csr" || layout == "sparse_bsr";
  return composite(c, layout, data[2], data[3],
                   {{rows ? "crow_indices" : "ccol_indices", data[0]},
                    {rows ? "col_indices" : "row_indices", data[1]},
                    {"values", data[2]}});
}

std::optional<std::uint32_t> rebuild_nested(RebuildContext& c, std::span<const NodeId> args) {
  return composite(c, "nested", args[0], kNoNode,
                   {{"buffer", args[0]}, {"sizes", args[1]}, {"strides", args[2]}, {"offsets", args[3]}});
}

// ({values, offsets, lengths, ...},): torch/nested/_internal/nested_tensor.py
std::optional<std::uint32_t> rebuild_jagged(RebuildContext& c, std::span<const NodeId> args) {
  if (c.tree.kind(args[0]) != Kind::kDict) return std::nullopt;
  const NodeId values = c.tree.get(args[0], "values");
  const NodeId offsets = c.tree.get(args[0], "offsets");
  if (values == kNoNode || offsets == kNoNode) return std::nullopt;
  return composite(c, "jagged", values, kNoNode, {{"values", values}, {"offsets", offsets}});
}

// (dtype, size, stride, requires_grad): without bytes by design
std::optional<std::uint32_t> rebuild_meta(RebuildContext& c, std::span<const NodeId> args) {
  const auto dtype = c.dtype_of(args[0]);
  TensorRecord record;
  if (!dtype || !read_sizes(c, args[1], record.view.shape) || !read_sizes(c, args[2], record.view.strides))
    return std::nullopt;
  const auto numel = tensor::checked_numel(record.view.shape);
  if (!numel) return std::nullopt;
  record.view.dtype = *dtype;
  record.view.numel = *numel;
  record.view.requires_grad = flag(c, args, 3);
  record.view.in_bounds = false;
  record.layout = "meta";
  const auto index = c.add(std::move(record));
  c.record_defect(index, "tensor-no-storage", "a meta tensor: shape and dtype without any data");
  return index;
}

// (class, dtype, size, stride, storage_offset, layout, device, requires_grad): the data is in the state
std::optional<std::uint32_t> rebuild_wrapper(RebuildContext& c, std::span<const NodeId> args) {
  const auto dtype = c.dtype_of(args[1]);
  TensorRecord record;
  if (!dtype || !read_sizes(c, args[2], record.view.shape)) return std::nullopt;
  record.view.dtype = *dtype;
  record.view.numel = tensor::checked_numel(record.view.shape).value_or(0);
  record.view.requires_grad = flag(c, args, 7);
  record.view.in_bounds = false;
  record.layout = "wrapper";
  return c.add(std::move(record));
}

// (tensor, dtype, device, requires_grad): XLA and other devices without own storages
std::optional<std::uint32_t> rebuild_device(RebuildContext& c, std::span<const NodeId> args) {
  if (c.tree.kind(args[0]) != Kind::kTensor) return std::nullopt;
  TensorRecord record = c.out.tensor_records[c.tree.payload(args[0])];
  record.view.requires_grad = flag(c, args, 3);
  return c.add(std::move(record));
}

std::optional<std::uint32_t> rebuild_uninitialized(RebuildContext& c, std::span<const NodeId> args) {
  TensorRecord record;
  record.layout = "uninitialized";
  record.view.in_bounds = false;
  record.view.requires_grad = flag(c, args, 0);
  const auto index = c.add(std::move(record));
  c.record_defect(index, "tensor-no-storage", "a lazy parameter that was never initialized: it has no data");
  return index;
}

std::optional<std::uint32_t> rebuild_from_type(RebuildContext& c, std::span<const NodeId> args);

struct RebuildFunction {
  std::string_view name;
  std::size_t fewest, most;  // arguments, as torch 2.13 takes them
  std::optional<std::uint32_t> (*run)(RebuildContext&, std::span<const NodeId>);
};

constexpr RebuildFunction kFunctions[] = {
    {"torch._utils._rebuild_tensor", 4, 4, rebuild_v1},
    {"torch._utils._rebuild_tensor_v2", 6, 7, rebuild_v2},
    {"torch._utils._rebuild_tensor_v3", 7, 8, rebuild_v3},
    {"torch._utils._rebuild_parameter", 3, 3, rebuild_parameter},
    {"torch._utils._rebuild_parameter_with_state", 4, 4, rebuild_parameter},
    {"torch._utils._rebuild_qtensor", 7, 7, rebuild_qtensor},
    {"torch._utils._rebuild_sparse_tensor", 2, 2, rebuild_sparse},
    {"torch._utils._rebuild_sparse_csr_tensor", 2, 2, rebuild_sparse},
    {"torch._utils._rebuild_nested_tensor", 4, 4, rebuild_nested},
    {"torch.nested._internal.nested_tensor._rebuild_njt", 1, 1, rebuild_jagged},
    {"torch._utils._rebuild_meta_tensor_no_storage", 4, 4, rebuild_meta},
    {"torch._utils._rebuild_wrapper_subclass", 8, 8, rebuild_wrapper},
    {"torch._utils._rebuild_device_tensor_from_cpu_tensor", 4, 4, rebuild_device},
    {"torch._tensor._rebuild_from_type", 4, 4, rebuild_from_type},
    {"torch._tensor._rebuild_from_type_v2", 4, 4, rebuild_from_type},
    {"torch.nn.parameter.UninitializedParameter", 0, 3, rebuild_uninitialized},
    {"torch.nn.parameter.UninitializedBuffer", 0, 4, rebuild_uninitialized},
};

const RebuildFunction* find_function(std::string_view name) {
  if (!name.starts_with("torch.")) return nullptr;
  for (const RebuildFunction& function : kFunctions)
    if (function.name == name) return &function;
  return nullptr;
}

std::optional<std::uint32_t> run_function(RebuildContext& c, const RebuildFunction& function,
                                          std::span<const NodeId> args) {
  if (args.size() < function.fewest || args.size() > function.most) return std::nullopt;
  return function.run(c, args);
}

// Tensors in the state of a subclass: DTensor {'_local_tensor': T, '_spec': ..}, jagged {values, offsets}.
void add_state_parts(RebuildContext& c, NodeId state, TensorRecord& record) {
  std::vector<NodeId> dicts;
  if (c.tree.kind(state) == Kind::kDict) dicts.push_back(state);
  for (const NodeId element : c.tree.elements(state))
    if (c.tree.kind(element) == Kind::kDict) dicts.push_back(element);
  for (const NodeId dict : dicts)
    for (const value::Item& item : c.tree.items(dict))
      if (c.tree.kind(item.key) == Kind::kString && c.tree.kind(item.value) == Kind::kTensor) {
        const std::string name(c.tree.text(item.key));
        record.parts.emplace_back(name == "_local_tensor" ? "local" : name, item.value);
      }
}

// (function, class, arguments, state): function(*arguments) seen as `class`. torch CALLS the first argument,
// so only a function of the table is followed here.
std::optional<std::uint32_t> rebuild_from_type(RebuildContext& c, std::span<const NodeId> args) {
  if (c.tree.kind(args[0]) != Kind::kGlobal || c.tree.kind(args[2]) != Kind::kTuple) return std::nullopt;
  const RebuildFunction* function = find_function(c.tree.qualified_name(args[0]));
  if (function == nullptr || function->run == rebuild_from_type) return std::nullopt;
  const auto index = run_function(c, *function, c.tree.elements(args[2]));
  if (!index) return index;
  TensorRecord& record = c.out.tensor_records[*index];
  if (c.tree.kind(args[1]) == Kind::kGlobal) {
    const std::string name = c.tree.qualified_name(args[1]);
    if (name != "torch.Tensor" && name != "torch._tensor.Tensor") record.subclass = name;
    if (name.ends_with(".DTensor")) record.layout = "dtensor";
  }
  if (record.parts.empty()) add_state_parts(c, args[3], record);
  return index;
}

// torch <= 0.3: torch.FloatTensor NEWOBJ, then BUILD (storage, offset, size, stride)
std::optional<std::uint32_t> rebuild_old_class(RebuildContext& c, const value::ObjectParts& object) {
  if (object.state == kNoNode || c.tree.kind(object.state) != Kind::kTuple) return std::nullopt;
  const auto state = c.tree.elements(object.state);
  if (state.size() != 4 || c.tree.kind(state[0]) != Kind::kStorage) return std::nullopt;
  return strided(c, state, std::nullopt);
}

// What the stream does to a tensor after it was made. torch never writes any of it.
void check_changes(RebuildContext& c, std::uint32_t record, const value::ObjectParts& object) {
  if (object.items != kNoNode)
    c.record_defect(record, "pickle-setitem-on-non-dict",
                    "items are set on a tensor: this corrupts memory in torch < 2.10 (CVE-2026-24747)");
  if (object.appended != kNoNode)
    c.record_defect(record, "pickle-call-fails", "values are appended to a tensor: torch.load fails");
  if (object.state != kNoNode)
    c.record_defect(record, "pickle-call-fails",
                    "a state is set on a tensor: torch.load fails, or replaces the tensor by another");
}

void resolve_object(RebuildContext& c, NodeId node) {
  const std::string name = c.callee_name(node);
  if (!name.starts_with("torch.")) return;
  const RebuildFunction* function = find_function(name);
  const value::ObjectParts object = c.tree.object(node);
  std::optional<std::uint32_t> record;
  if (function != nullptr) {
    record = run_function(c, *function, c.call_args(node));
    if (record) check_changes(c, *record, object);
    if (!record)
      c.defect("tensor-malformed", "", fmt::format("{} with arguments that do not make a tensor", name));
  } else if (name.ends_with("Tensor") && object.instance) {
    record = rebuild_old_class(c, object);
  }
  if (record) c.tree.become_tensor(node, *record);
}

}  // namespace

void rebuild_tensors(Checkpoint& out, const RebuildScope& scope, const FindStorage& find,
                     const Limits& limits) {
  RebuildContext context{out, out.tree, scope, find, limits, {}, out.storages.size(), {}};
  // Arguments are made before the calls that use them, so one pass in the order of ids resolves all.
  for (NodeId node = scope.first; node < out.tree.size(); ++node) {
    if (out.tree.kind(node) == Kind::kPersistent)
      resolve_persistent(context, node);
    else if (out.tree.kind(node) == Kind::kObject)
      resolve_object(context, node);
  }
}

}  // namespace ckpt::formats
