#include "checkpoint/formats/python_objects.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/sha256.h"
#include "base/text.h"
#include "tensor/dtype.h"

namespace ckpt::formats {
namespace {

using value::Item;
using value::Kind;
using value::kNoNode;
using value::NodeId;
using value::ObjectParts;
using value::Tree;
using Args = std::span<const NodeId>;

struct Call {
  Tree& tree;
  NodeId node;
  const ObjectParts& object;
  Args args;     // elements of the argument tuple
  NodeId state;  // of BUILD, or kNoNode
};

bool has_no_extras(const Call& c) {
  return c.state == kNoNode && c.object.items == kNoNode && c.object.appended == kNoNode;
}

bool is(const Tree& tree, NodeId node, Kind kind) { return node != kNoNode && tree.kind(node) == kind; }

// A dict state with the one key that torch's state_dicts carry: kept with the dict that the object becomes.
bool is_state_dict_metadata(const Tree& tree, NodeId state) {
  return is(tree, state, Kind::kDict) && tree.items(state).size() == 1 &&
         tree.get(state, "_metadata") != kNoNode;
}

void become_dict(const Call& c, NodeId items) {
  if (items == kNoNode) items = c.tree.add_dict();
  c.tree.become_copy_of(c.node, items, c.object.callee);
  if (is_state_dict_metadata(c.tree, c.state)) c.tree.keep_state(c.node, c.state);
}

// --- containers -----------------------------------------------------------------------------------------

// OrderedDict() + items; Python 2 wrote the items as arguments: OrderedDict([[k, v], ..]).
void ordered_dict(const Call& c) {
  if (c.state != kNoNode && !is_state_dict_metadata(c.tree, c.state)) return;
  if (c.args.empty()) return become_dict(c, c.object.items);
  if (c.args.size() != 1 || c.object.items != kNoNode || !is(c.tree, c.args[0], Kind::kList)) return;
  std::vector<Item> items;
  for (const NodeId pair : c.tree.elements(c.args[0])) {
    const auto both = c.tree.elements(pair);
    if (both.size() != 2) return;
    items.push_back({both[0], both[1]});
  }
  const NodeId dict = c.tree.add_dict();
  c.tree.set_items(dict, items);
  become_dict(c, dict);
}

// defaultdict(factory), AttributeDict: a dict of its items only.
void items_only(const Call& c) {
  if (c.state == kNoNode) become_dict(c, c.object.items);
}

void counter(const Call& c) {
  if (c.args.size() == 1 && is(c.tree, c.args[0], Kind::kDict) && has_no_extras(c)) become_dict(c, c.args[0]);
}

void deque(const Call& c) {
  if (c.state != kNoNode || c.object.items != kNoNode) return;
  if (c.object.appended != kNoNode) return c.tree.become_copy_of(c.node, c.object.appended, c.object.callee);
  const bool list = !c.args.empty() && is(c.tree, c.args[0], Kind::kList);
  c.tree.become_copy_of(c.node, list ? c.args[0] : c.tree.add_list(), c.object.callee);
}

void set(const Call& c) {
  if (!has_no_extras(c) || c.args.size() > 1) return;
  const NodeId result = c.tree.add_set();
  if (!c.args.empty()) {
    if (c.tree.kind(c.args[0]) != Kind::kList && c.tree.kind(c.args[0]) != Kind::kTuple) return;
    const auto elements = c.tree.elements(c.args[0]);
    c.tree.append(result, std::vector<NodeId>(elements.begin(), elements.end()));
  }
  c.tree.become_copy_of(c.node, result, c.object.callee);
}

void tuple_like(const Call& c) {  // torch.Size((2, 3)); torch.return_types.max(((values, indices), {}))
  if (has_no_extras(c) && !c.args.empty() && is(c.tree, c.args[0], Kind::kTuple))
    c.tree.become_copy_of(c.node, c.args[0], c.object.callee);
}

// argparse.Namespace, SimpleNamespace, jsonargparse's Namespace: attributes in a dict state
void attributes(const Call& c) {
  if (is(c.tree, c.state, Kind::kDict) && c.object.items == kNoNode) become_dict(c, c.state);
}

// DictConfig and ListConfig {_content, _metadata, _parent}; nodes {_val, ..}: omegaconf/basecontainer.py,
// nodes.py
void omegaconf(const Call& c) {
  if (!is(c.tree, c.state, Kind::kDict)) return;
  NodeId content = c.tree.get(c.state, "_content");
  if (content == kNoNode) content = c.tree.get(c.state, "_val");
  if (content == kNoNode || content == c.node) return;
  const Kind kind = c.tree.kind(content);
  if (kind == Kind::kObject || kind == Kind::kGlobal || kind == Kind::kPersistent) return;
  c.tree.become_copy_of(c.node, content, c.object.callee);
}

// --- scalars --------------------------------------------------------------------------------------------

// _codecs.encode(text, 'latin1'): how protocol 2 spells bytes; code points above 255 cannot be.
std::optional<std::string> latin1(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      bytes.push_back(text[i]);
    } else if ((lead == 0xC2 || lead == 0xC3) && i + 1 < text.size()) {
      ++i;
      bytes.push_back(static_cast<char>((lead & 0x03) << 6 | (static_cast<unsigned char>(text[i]) & 0x3F)));
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

void codecs_encode(const Call& c) {
  if (!has_no_extras(c) || c.args.size() != 2 || !is(c.tree, c.args[0], Kind::kString)) return;
  const std::string_view codec =
      is(c.tree, c.args[1], Kind::kString) ? c.tree.text(c.args[1]) : std::string_view{};
  if (codec != "latin1" && codec != "latin-1" && codec != "iso-8859-1") return;
  // Plain bytes: the call is only how protocol 2 writes them.
  if (const auto bytes = latin1(c.tree.text(c.args[0]))) c.tree.become_bytes(c.node, *bytes, kNoNode);
}

void bytes(const Call& c) {  // builtins.bytes(), bytearray(b".."), bytearray(text, 'latin-1')
  if (!has_no_extras(c)) return;
  const bool plain = c.tree.text(c.object.callee) == "bytes";
  if (c.args.empty()) return c.tree.become_bytes(c.node, {}, plain ? kNoNode : c.object.callee);
  if (is(c.tree, c.args[0], Kind::kBytes))
    return c.tree.become_bytes(c.node, std::string(c.tree.text(c.args[0])), c.object.callee);
  if (c.args.size() == 2 && is(c.tree, c.args[0], Kind::kString))
    if (const auto raw = latin1(c.tree.text(c.args[0]))) c.tree.become_bytes(c.node, *raw, c.object.callee);
}

void path(const Call& c) {  // PosixPath('/', 'a', 'b')
  if (!has_no_extras(c)) return;
  std::string text;
  for (const NodeId part : c.args) {
    if (!is(c.tree, part, Kind::kString)) return;
    if (!text.empty() && text.back() != '/' && text.back() != '\\') text += '/';
    text += c.tree.text(part);
  }
  c.tree.become_string(c.node, text.empty() ? "." : text, c.object.callee);
}

void device(const Call& c) {  // torch.device('cuda', 1)
  if (!has_no_extras(c) || c.args.empty() || !is(c.tree, c.args[0], Kind::kString)) return;
  std::string text(c.tree.text(c.args[0]));
  if (c.args.size() > 1 && is(c.tree, c.args[1], Kind::kInt))
    text += fmt::format(":{}", c.tree.integer(c.args[1]));
  c.tree.become_string(c.node, text, c.object.callee);
}

void layout(const Call& c) {
  if (has_no_extras(c) && c.args.size() == 1 && is(c.tree, c.args[0], Kind::kString))
    c.tree.become_string(c.node, std::string(c.tree.text(c.args[0])), c.object.callee);
}

void complex(const Call& c) {
  if (!has_no_extras(c) || c.args.size() != 2 || !is(c.tree, c.args[0], Kind::kFloat) ||
      !is(c.tree, c.args[1], Kind::kFloat))
    return;
  const double imaginary = c.tree.real(c.args[1]);
  c.tree.become_string(c.node,
                       fmt::format("({}{}{}j)", format_double(c.tree.real(c.args[0])),
                                   std::signbit(imaginary) ? "" : "+", format_double(imaginary)),
                       c.object.callee);
}

// --- numpy: numpy/core/src/multiarray (descr_reduce, array_reduce, scalar pickling) --------------------

struct NumpyType {
  char kind = 0;  // 'f', 'i', 'u', 'b', ... of numpy.dtype('f4', ..)
  std::size_t size = 0;
  bool big = false;
  std::string text;  // "f4"
};

// numpy.dtype('f8', False, True) with the state (3, '<', ..)
std::optional<NumpyType> numpy_dtype(const Tree& tree, NodeId node) {
  if (!is(tree, node, Kind::kObject)) return std::nullopt;
  const ObjectParts& object = tree.object(node);
  const auto args = is(tree, object.args, Kind::kTuple) ? tree.elements(object.args) : Args{};
  if (!is(tree, object.callee, Kind::kGlobal) || tree.qualified_name(object.callee) != "numpy.dtype" ||
      args.empty() || !is(tree, args[0], Kind::kString))
    return std::nullopt;
  NumpyType type;
  type.text = tree.text(args[0]);
  if (type.text.size() < 2 || type.text.size() > 3) return std::nullopt;
  type.kind = type.text[0];
  for (const char digit : type.text.substr(1)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    type.size = type.size * 10 + static_cast<std::size_t>(digit - '0');
  }
  const auto state = is(tree, object.state, Kind::kTuple) ? tree.elements(object.state) : Args{};
  if (state.size() > 1 && is(tree, state[1], Kind::kString)) type.big = tree.text(state[1]) == ">";
  return type;
}

template <class T>
T from_bytes(std::string raw, bool big) {
  if (big) std::reverse(raw.begin(), raw.end());
  T value;
  std::memcpy(&value, raw.data(), sizeof value);
  return value;
}

void numpy_scalar(const Call& c) {
  if (!has_no_extras(c) || c.args.size() != 2 || !is(c.tree, c.args[1], Kind::kBytes)) return;
  const auto type = numpy_dtype(c.tree, c.args[0]);
  const std::string raw(c.tree.text(c.args[1]));
  if (!type || raw.size() != type->size) return;
  // `scalar` loses Python's name of the exact class; the dtype is precise enough.
  const NodeId origin = c.object.callee;
  if (type->kind == 'f' && type->size == 8)
    return c.tree.become_float(c.node, from_bytes<double>(raw, type->big), origin);
  if (type->kind == 'f' && type->size == 4)
    return c.tree.become_float(c.node, static_cast<double>(from_bytes<float>(raw, type->big)), origin);
  if (type->kind == 'b' && type->size == 1) return c.tree.become_bool(c.node, raw[0] != 0, origin);
  if ((type->kind != 'i' && type->kind != 'u') || type->size > 8) return;
  std::string wide = raw;
  if (type->big) std::reverse(wide.begin(), wide.end());
  const bool negative = type->kind == 'i' && (static_cast<unsigned char>(wide.back()) & 0x80) != 0;
  wide.resize(8, negative ? '\xff' : '\0');
  const auto value = from_bytes<std::int64_t>(wide, false);
  if (type->kind == 'i' || value >= 0) c.tree.become_int(c.node, value, origin);
}

// ndarray.__setstate__((1, shape, dtype, fortran order, bytes)): shown by shape and content digest.
void numpy_array(const Call& c) {
  const auto state = is(c.tree, c.state, Kind::kTuple) ? c.tree.elements(c.state) : Args{};
  if (state.size() != 5 || !is(c.tree, state[1], Kind::kTuple) || !is(c.tree, state[4], Kind::kBytes)) return;
  const auto type = numpy_dtype(c.tree, state[2]);
  if (!type) return;
  std::vector<std::int64_t> shape;
  for (const NodeId size : c.tree.elements(state[1])) {
    if (!is(c.tree, size, Kind::kInt)) return;
    shape.push_back(c.tree.integer(size));
  }
  const std::string_view raw = c.tree.text(state[4]);
  c.tree.become_string(c.node,
                       fmt::format("array {} {}, {} bytes, sha256 {}", type->text, format_shape(shape),
                                   raw.size(), sha256_hex(raw).substr(0, 16)),
                       c.object.callee);
}

// --- the table ------------------------------------------------------------------------------------------

struct Known {
  std::string_view
      name;  // module.name; "*.X" matches the last component (a class that moved between modules)
  void (*simplify)(const Call&);
};

constexpr Known kKnown[] = {
    {"collections.OrderedDict", ordered_dict},
    {"collections.defaultdict", items_only},
    {"collections.Counter", counter},
    {"collections.deque", deque},
    {"builtins.set", set},
    {"builtins.frozenset", set},
    {"builtins.bytes", bytes},
    {"builtins.bytearray", bytes},
    {"builtins.complex", complex},
    {"_codecs.encode", codecs_encode},
    {"torch.Size", tuple_like},
    {"torch.device", device},
    {"torch.serialization._get_layout", layout},
    {"argparse.Namespace", attributes},
    {"types.SimpleNamespace", attributes},
    {"jsonargparse._namespace.Namespace", attributes},
    {"numpy.core.multiarray.scalar", numpy_scalar},
    {"numpy._core.multiarray.scalar", numpy_scalar},
    {"numpy.core.multiarray._reconstruct", numpy_array},
    {"numpy._core.multiarray._reconstruct", numpy_array},
};

constexpr std::array<std::string_view, 2> kPathModules = {"pathlib", "pathlib._local"};

void (*find_known(const Tree& tree, NodeId callee))(const Call&) {
  const std::string_view module = tree.module(callee);
  const std::string_view name = tree.text(callee);
  if (std::find(kPathModules.begin(), kPathModules.end(), module) != kPathModules.end() &&
      name.ends_with("Path"))
    return path;
  if (module.starts_with("omegaconf.")) return omegaconf;
  if (module == "torch.return_types") return tuple_like;
  if (name == "AttributeDict" && (module.starts_with("lightning") || module.starts_with("pytorch_lightning")))
    return items_only;
  for (const Known& known : kKnown)
    if (known.name.size() == module.size() + name.size() + 1 && known.name.starts_with(module) &&
        known.name.ends_with(name))
      return known.simplify;
  return nullptr;
}

void simplify(Tree& tree, NodeId node) {
  const ObjectParts object = tree.object(node);  // a copy: adding nodes may move what a reference points to
  if (!is(tree, object.callee, Kind::kGlobal)) return;
  const auto run = find_known(tree, object.callee);
  if (run == nullptr) return;
  const Args args = is(tree, object.args, Kind::kTuple) ? tree.elements(object.args) : Args{};
  run(Call{tree, node, object, args, object.state});
}

}  // namespace

void simplify_python_objects(Tree& tree, NodeId first) {
  // In the order of ids arguments come before calls, but the content of an object is set after the object was
  // made (BUILD, SETITEMS): a second round lets containers see what their content has become.
  for (int round = 0; round < 2; ++round) {
    const auto count = static_cast<NodeId>(tree.size());
    for (NodeId node = first; node < count; ++node)
      if (tree.kind(node) == Kind::kObject) simplify(tree, node);
  }
}

}  // namespace ckpt::formats
