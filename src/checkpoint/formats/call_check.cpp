#include "checkpoint/formats/call_check.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "checkpoint/formats/closed_modules.h"
#include "tensor/dtype.h"
#include "value/path.h"

namespace ckpt::formats {
namespace {

using namespace std::string_view_literals;
using value::Kind;
using value::kNoNode;
using value::NodeId;
using value::Tree;
using Args = std::span<const NodeId>;

constexpr std::int64_t kMostZeros = std::int64_t{1} << 31;  // of bytes(n): more needs another machine
constexpr std::size_t kMostDefects = 20;

// A call, as a checker sees it. A checker returns what Python would say, or "" if nothing is known to be
// wrong: objects and names may be anything.
struct Call {
  const Tree& tree;
  const value::ObjectParts& object;
  Args args;
};

bool is_open(const Tree& tree, NodeId id) {
  const Kind kind = tree.kind(id);
  return kind == Kind::kObject || kind == Kind::kGlobal || kind == Kind::kPersistent || kind == Kind::kTensor;
}

bool is_number(const Tree& tree, NodeId id) {
  const Kind kind = tree.kind(id);
  return kind == Kind::kBool || kind == Kind::kInt || kind == Kind::kBigInt || kind == Kind::kFloat;
}

bool is_iterable(const Tree& tree, NodeId id) { return !is_number(tree, id) && tree.kind(id) != Kind::kNone; }

std::string not_iterable(const Tree& tree, NodeId id) {
  return fmt::format("{} is not iterable", quote(value::type_name(tree, id)));
}

bool is_unhashable(const Tree& tree, NodeId id) {
  return tree.kind(id) == Kind::kList || tree.kind(id) == Kind::kDict;
}

// --- containers -----------------------------------------------------------------------------------------

std::string elements_problem(const Tree& tree, NodeId id) {
  if (!is_iterable(tree, id)) return not_iterable(tree, id);
  for (const NodeId element : tree.elements(id))
    if (is_unhashable(tree, element))
      return fmt::format("an element of type {} is not hashable", quote(value::type_name(tree, element)));
  return {};
}

// What dict(x) takes: a mapping, or pairs.
std::string pairs_problem(const Tree& tree, NodeId id) {
  if (!is_iterable(tree, id)) return not_iterable(tree, id);
  const Kind kind = tree.kind(id);
  if ((kind == Kind::kString || kind == Kind::kBytes) && !tree.text(id).empty())
    return "a text is not made of pairs";
  for (const NodeId pair : tree.elements(id)) {
    if (is_open(tree, pair)) continue;
    const Kind inner = tree.kind(pair);
    const std::size_t size = inner == Kind::kString ? tree.text(pair).size() : tree.elements(pair).size();
    if (inner != Kind::kDict && size != 2) return "an element is not a pair";
    if (inner != Kind::kString && inner != Kind::kDict && is_unhashable(tree, tree.elements(pair)[0]))
      return "a key is not hashable";
  }
  return {};
}

std::string ordered_dict(const Call& c) {
  if (c.object.appended != kNoNode) return "it has no append";
  if (c.object.state != kNoNode && c.tree.kind(c.object.state) != Kind::kDict)
    return "its state is not a dict";
  if (c.object.instance) return {};  // __new__ takes anything
  if (c.args.size() > 1) return "it takes one argument";
  return c.args.empty() ? std::string() : pairs_problem(c.tree, c.args[0]);
}

std::string default_dict(const Call& c) {
  if (c.object.appended != kNoNode) return "it has no append";
  if (c.object.instance || c.args.empty()) return {};
  const Kind factory = c.tree.kind(c.args[0]);
  if (factory != Kind::kNone && !is_open(c.tree, c.args[0])) return "its first argument cannot be called";
  return c.args.size() > 1 ? pairs_problem(c.tree, c.args[1]) : std::string();
}

std::string counter(const Call& c) {
  if (c.object.appended != kNoNode) return "it has no append";
  if (c.object.instance) return {};
  if (c.args.size() > 1) return "it takes one argument";
  if (c.args.empty() || c.tree.kind(c.args[0]) == Kind::kNone) return {};
  return elements_problem(c.tree, c.args[0]);
}

std::string deque(const Call& c) {
  if (c.object.instance) return {};
  if (c.args.size() > 2) return "it takes two arguments";
  if (!c.args.empty() && !is_iterable(c.tree, c.args[0])) return not_iterable(c.tree, c.args[0]);
  if (c.args.size() < 2 || is_open(c.tree, c.args[1]) || c.tree.kind(c.args[1]) == Kind::kNone) return {};
  const bool length = c.tree.kind(c.args[1]) == Kind::kInt && c.tree.integer(c.args[1]) >= 0;
  return length ? "" : "its length is not a number";
}

std::string unchanged(const Call& c) {
  if (c.object.items != kNoNode) return "it does not take items";
  return c.object.state != kNoNode ? "it has no state" : "";
}

std::string set(const Call& c) {
  if (std::string problem = unchanged(c); !problem.empty()) return problem;
  if (c.args.size() > 1) return "it takes one argument";
  return c.args.empty() ? std::string() : elements_problem(c.tree, c.args[0]);
}

std::string size(const Call& c) {
  if (std::string problem = unchanged(c); !problem.empty()) return problem;
  if (c.object.appended != kNoNode) return "it has no append";
  if (c.args.size() > 1) return "it takes one argument";
  if (c.args.empty() || is_open(c.tree, c.args[0])) return {};
  if (!is_iterable(c.tree, c.args[0])) return not_iterable(c.tree, c.args[0]);
  if (c.tree.kind(c.args[0]) == Kind::kString && !c.tree.text(c.args[0]).empty()) return "it takes numbers";
  for (const NodeId element : c.tree.elements(c.args[0]))
    if (!is_open(c.tree, element) && c.tree.kind(element) != Kind::kInt &&
        c.tree.kind(element) != Kind::kBool)
      return fmt::format("it takes numbers, not {}", quote(value::type_name(c.tree, element)));
  return {};
}

// --- text and numbers -----------------------------------------------------------------------------------

bool is_latin1(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) continue;
    if (byte != 0xC2 && byte != 0xC3) return false;  // U+0080 to U+00FF
    ++i;
  }
  return true;
}

// Codecs that picklers name. Others may exist; nobody writes them.
std::string encoding_problem(std::string_view text, std::string_view encoding) {
  const std::string name = lower(encoding);
  if (name == "latin1" || name == "latin-1" || name == "iso-8859-1")
    return is_latin1(text) ? "" : "a character is not in Latin-1";
  if (name == "utf-8" || name == "utf8") return is_utf8(text) ? "" : "a lone surrogate has no UTF-8";
  if (name == "ascii" || name == "us-ascii") {
    const bool ascii =
        std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    return ascii ? "" : "a character is not in ASCII";
  }
  return fmt::format("no pickler writes the encoding {}", quote(abbreviate(encoding, 40)));
}

std::string encode(const Call& c) {
  if (c.args.empty() || c.args.size() > 3) return "it takes a text and an encoding";
  if (is_open(c.tree, c.args[0])) return {};
  if (c.tree.kind(c.args[0]) != Kind::kString)
    return fmt::format("it takes a text, not {}", quote(value::type_name(c.tree, c.args[0])));
  if (c.args.size() == 1) return encoding_problem(c.tree.text(c.args[0]), "utf-8");
  if (is_open(c.tree, c.args[1])) return {};
  if (c.tree.kind(c.args[1]) != Kind::kString) return "its encoding is not a text";
  return encoding_problem(c.tree.text(c.args[0]), c.tree.text(c.args[1]));
}

std::string bytes(const Call& c) {
  if (std::string problem = unchanged(c); !problem.empty()) return problem;
  if (c.args.empty() || is_open(c.tree, c.args[0])) return {};
  const NodeId first = c.args[0];
  const Kind kind = c.tree.kind(first);
  if (kind == Kind::kString) {
    if (c.args.size() < 2) return "a text needs an encoding";
    if (is_open(c.tree, c.args[1])) return {};
    if (c.tree.kind(c.args[1]) != Kind::kString) return "its encoding is not a text";
    return encoding_problem(c.tree.text(first), c.tree.text(c.args[1]));
  }
  if (c.args.size() > 1) return "only a text has an encoding";
  if (kind == Kind::kInt) {
    const std::int64_t zeros = c.tree.integer(first);
    return zeros < 0 || zeros > kMostZeros ? fmt::format("it cannot have {} bytes", zeros) : "";
  }
  if (kind == Kind::kNone || kind == Kind::kFloat || kind == Kind::kBigInt)
    return not_iterable(c.tree, first);
  for (const NodeId element : c.tree.elements(first)) {
    const bool byte =
        c.tree.kind(element) == Kind::kBool ||
        (c.tree.kind(element) == Kind::kInt && c.tree.integer(element) >= 0 && c.tree.integer(element) < 256);
    if (!byte && !is_open(c.tree, element)) return "an element is not a byte";
  }
  return {};
}

std::string complex(const Call& c) {
  if (std::string problem = unchanged(c); !problem.empty()) return problem;
  if (c.args.size() > 2) return "it takes two numbers";
  for (const NodeId arg : c.args) {
    if (is_number(c.tree, arg) || is_open(c.tree, arg)) continue;
    const bool text = c.tree.kind(arg) == Kind::kString && c.args.size() == 1;
    if (text && c.tree.text(arg).find_first_not_of("+-0123456789.eEjJ() ") == std::string_view::npos)
      continue;
    return fmt::format("it takes numbers, not {}", quote(value::type_name(c.tree, arg)));
  }
  return {};
}

// --- torch ----------------------------------------------------------------------------------------------

// c10/core/Device.cpp; the last row are the names of well-known backends outside of torch's tree.
// clang-format off
constexpr std::array kDevices = {
    "cpu"sv, "cuda"sv, "ipu"sv, "xpu"sv, "mkldnn"sv, "opengl"sv, "opencl"sv, "ideep"sv, "hip"sv, "ve"sv, "fpga"sv, "maia"sv, "ort"sv,
    "xla"sv, "lazy"sv, "vulkan"sv, "mps"sv, "meta"sv, "hpu"sv, "mtia"sv, "privateuseone"sv, "msnpu"sv,
    "npu"sv, "mlu"sv, "musa"sv, "gcu"sv, "sdaa"sv, "supa"sv, "dml"sv, "tt"sv};
// clang-format on

std::string device_problem(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view type = text.substr(0, colon);
  if (std::find(kDevices.begin(), kDevices.end(), type) == kDevices.end())
    return fmt::format("{} is not a device", quote(abbreviate(text, 40)));
  if (colon == std::string_view::npos) return {};
  const std::string_view index = text.substr(colon + 1);
  const bool number = !index.empty() && index.size() <= 3 &&
                      index.find_first_not_of("0123456789") == std::string_view::npos &&
                      (index.size() == 1 || index[0] != '0');
  return number ? "" : fmt::format("{} is not a device", quote(abbreviate(text, 40)));
}

std::string device(const Call& c) {
  if (std::string problem = unchanged(c); !problem.empty()) return problem;
  if (c.args.empty() || c.args.size() > 2) return "it takes a name and an index";
  if (is_open(c.tree, c.args[0])) return {};
  if (c.tree.kind(c.args[0]) != Kind::kString) return "it takes a name";
  const std::string_view name = c.tree.text(c.args[0]);
  if (c.args.size() == 2) {
    const Kind index = c.tree.kind(c.args[1]);
    const bool fits =
        index == Kind::kInt && c.tree.integer(c.args[1]) >= 0 && c.tree.integer(c.args[1]) < 128;
    if (!fits && !is_open(c.tree, c.args[1])) return "its index is not that of a device";
    if (name.find(':') != std::string_view::npos) return "its name has an index already";
  }
  return device_problem(name);
}

std::string layout(const Call& c) {
  static constexpr std::array kLayouts = {"torch.strided"sv,    "torch.sparse_coo"sv, "torch.sparse_csr"sv,
                                          "torch.sparse_csc"sv, "torch.sparse_bsr"sv, "torch.sparse_bsc"sv,
                                          "torch._mkldnn"sv,    "torch.jagged"sv};
  if (std::string problem = unchanged(c); !problem.empty()) return problem;
  if (c.args.size() != 1) return "it takes one argument";
  if (is_open(c.tree, c.args[0])) return {};
  const bool known = c.tree.kind(c.args[0]) == Kind::kString &&
                     std::find(kLayouts.begin(), kLayouts.end(), c.tree.text(c.args[0])) != kLayouts.end();
  return known ? "" : "it takes the name of a layout";
}

struct Checker {
  std::string_view name;
  std::string (*check)(const Call&);
};

constexpr Checker kCheckers[] = {
    {"collections.OrderedDict", ordered_dict},
    {"collections.defaultdict", default_dict},
    {"collections.Counter", counter},
    {"collections.deque", deque},
    {"builtins.set", set},
    {"builtins.frozenset", set},
    {"builtins.bytes", bytes},
    {"builtins.bytearray", bytes},
    {"builtins.complex", complex},
    {"_codecs.encode", encode},
    {"torch.Size", size},
    {"torch.device", device},
    {"torch.serialization._get_layout", layout},
};

std::string call_problem(const Tree& tree, const value::ObjectParts& object) {
  const NodeId callee = object.callee;
  const bool made = tree.kind(callee) == Kind::kTensor || tree.kind(callee) == Kind::kStorage;
  if (made) return "it cannot be called";
  if (tree.kind(callee) != Kind::kGlobal) return {};
  const std::string_view module = tree.module(callee), name = tree.text(callee);
  if (module == "torch" && tensor::dtype_from_name(name)) return "it cannot be called";
  if (object.args == kNoNode || tree.kind(object.args) != Kind::kTuple) return {};
  for (const Checker& checker : kCheckers)
    if (checker.name.size() == module.size() + name.size() + 1 && checker.name.starts_with(module) &&
        checker.name.ends_with(name))
      return checker.check({tree, object, tree.elements(object.args)});
  return {};
}

std::string shown(std::string_view name) { return one_line(abbreviate(name, 80)); }

std::string problem_of(const Tree& tree, NodeId node) {
  if (tree.kind(node) == Kind::kGlobal && is_missing_everywhere(tree.module(node), tree.text(node)))
    return fmt::format("Python has no {}", shown(tree.qualified_name(node)));
  if (tree.kind(node) != Kind::kObject) return {};
  const std::string problem = call_problem(tree, tree.object(node));
  return problem.empty() ? problem : fmt::format("{}: {}", shown(value::type_name(tree, node)), problem);
}

}  // namespace

void check_calls(Checkpoint& out, NodeId first, std::uint32_t part) {
  std::size_t found = 0;
  for (NodeId node = first; node < out.tree.size() && found < kMostDefects; ++node) {
    const std::string problem = problem_of(out.tree, node);
    if (problem.empty()) continue;
    ++found;
    out.defects.push_back({"pickle-call-fails", "", problem + ": torch.load fails", {}, part});
  }
}

}  // namespace ckpt::formats
