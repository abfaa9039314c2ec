#include "value/repr.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "value/path.h"

namespace ckpt::value {
namespace {

constexpr std::size_t kDeepest = 3;     // nested containers; anything deeper becomes [...]
constexpr std::size_t kLongText = 300;  // bytes of one text

// The start of a text, not cut within a UTF-8 sequence.
std::string_view head(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

std::string quote_bytes(std::string_view bytes) {
  std::string out = "b\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out.append({'\\', c});
    else if (byte >= 0x20 && byte < 0x7F)
      out += c;
    else
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
  }
  return out += '"';
}

// Recursion is bounded by kDeepest, breadth by the limit: every element writes at least one character.
class Writer {
 public:
  Writer(const Tree& tree, std::size_t limit, std::size_t text_limit)
      : tree_(tree), limit_(limit), text_limit_(text_limit) {}

  std::string write(NodeId id) {
    value(id, 0);
    return std::move(out_);
  }

 private:
  bool full() const { return out_.size() >= limit_; }

  void value(NodeId id, std::size_t depth) {
    switch (tree_.kind(id)) {
      case Kind::kNone: out_ += "None"; return;
      case Kind::kBool: out_ += tree_.boolean(id) ? "True" : "False"; return;
      case Kind::kInt: fmt::format_to(std::back_inserter(out_), "{}", tree_.integer(id)); return;
      case Kind::kBigInt: name(tree_.text(id)); return;
      case Kind::kFloat: out_ += format_double(tree_.real(id)); return;
      case Kind::kString: text(tree_.text(id), [](std::string_view s) { return quote(s); }); return;
      case Kind::kBytes: text(tree_.text(id), quote_bytes); return;
      case Kind::kList: return sequence(id, "[", "]", depth);
      case Kind::kTuple: return sequence(id, "(", tree_.elements(id).size() == 1 ? ",)" : ")", depth);
      case Kind::kSet: return tree_.elements(id).empty() ? name("set()") : sequence(id, "{", "}", depth);
      case Kind::kDict: return dict(id, depth);
      case Kind::kGlobal: return global(id);
      case Kind::kObject: return object(id, depth);
      case Kind::kPersistent: return sequence(id, "<persistent id ", ">", depth);
      case Kind::kTensor: out_ += "<Tensor>"; return;
      case Kind::kStorage: out_ += "<Storage>"; return;
    }
  }

  template <class Quote>
  void text(std::string_view text, Quote quoted) {
    const std::string_view shown = head(text, text_limit_);
    out_ += quoted(shown);
    if (shown.size() < text.size()) fmt::format_to(std::back_inserter(out_), "... ({} bytes)", text.size());
  }

  void name(std::string_view text) {
    const std::string_view shown = head(text, text_limit_);
    out_ += shown;
    if (shown.size() < text.size()) out_ += "...";
  }

  void global(NodeId id) {
    out_ += "<class ";
    name(tree_.qualified_name(id));
    out_ += '>';
  }

  void elements(std::span<const NodeId> ids, std::size_t depth, bool first = true) {
    for (const NodeId id : ids) {
      if (!first) out_ += ", ";
      if (full()) return name("...");
      value(id, depth + 1);
      first = false;
    }
  }

  void sequence(NodeId id, std::string_view open, std::string_view close, std::size_t depth) {
    out_ += open;
    if (depth < kDeepest || tree_.elements(id).empty())
      elements(tree_.elements(id), depth);
    else
      out_ += "...";
    out_ += close;
  }

  void dict(NodeId id, std::size_t depth) {
    out_ += '{';
    bool first = true;
    for (const Item& item : tree_.items(id)) {
      if (!first) out_ += ", ";
      if (full() || depth >= kDeepest) {
        out_ += "...";
        break;
      }
      value(item.key, depth + 1);
      out_ += ": ";
      value(item.value, depth + 1);
      first = false;
    }
    out_ += '}';
  }

  // module.Class(args, name=value): the keyword arguments, else the attributes that BUILD set.
  void object(NodeId id, std::size_t depth) {
    const ObjectParts& parts = tree_.object(id);
    if (parts.callee == kNoNode || tree_.kind(parts.callee) == Kind::kGlobal)
      name(type_name(tree_, id));
    else if (depth < kDeepest)
      value(parts.callee, depth + 1);
    else
      out_ += "...";
    out_ += '(';
    const std::size_t start = out_.size();
    if (depth >= kDeepest)
      out_ += "...";
    else
      arguments(parts, start, depth);
    out_ += ')';
  }

  void arguments(const ObjectParts& parts, std::size_t start, std::size_t depth) {
    if (parts.args != kNoNode && tree_.kind(parts.args) == Kind::kTuple)
      elements(tree_.elements(parts.args), depth);
    else if (parts.args != kNoNode)
      value(parts.args, depth + 1);
    const NodeId named = parts.kwargs != kNoNode ? parts.kwargs : parts.state;
    if (named == kNoNode) return;
    for (const Item& item : tree_.items(named)) {
      if (out_.size() > start) out_ += ", ";
      if (full()) return name("...");
      if (tree_.kind(item.key) == Kind::kString && is_identifier(tree_.text(item.key)))
        name(tree_.text(item.key));
      else
        value(item.key, depth + 1);
      out_ += '=';
      value(item.value, depth + 1);
    }
  }

  const Tree& tree_;
  std::size_t limit_;
  std::size_t text_limit_;
  std::string out_;
};

}  // namespace

std::string exact_repr(const Tree& tree, NodeId id, std::size_t limit) {
  return Writer(tree, limit, limit).write(id);
}

std::string repr(const Tree& tree, NodeId id, std::size_t limit) {
  return Writer(tree, limit, std::min(limit, kLongText)).write(id);
}

}  // namespace ckpt::value
