#include "checkpoint/formats/json_tree.h"

#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"

namespace ckpt::formats {
namespace {

using nlohmann::json;
using value::NodeId;

// Takes the events of the parser, which does not recurse.
class Handler final : public json::json_sax_t {
 public:
  Handler(std::string_view name, const Limits& limits, value::Tree& tree)
      : name_(quote(abbreviate(name, 80))), limits_(limits), tree_(tree) {}

  NodeId root() const { return root_; }

  bool null() override { return add(tree_.add_none()); }
  bool boolean(bool value) override { return add(tree_.add_bool(value)); }
  bool number_integer(number_integer_t value) override { return add(tree_.add_int(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    const bool fits = value <= static_cast<number_unsigned_t>(INT64_MAX);
    return add(fits ? tree_.add_int(static_cast<std::int64_t>(value))
                    : tree_.add_big_int(std::to_string(value)));
  }
  bool number_float(number_float_t value, const string_t&) override { return add(tree_.add_float(value)); }
  bool string(string_t& text) override { return add(tree_.add_string(text)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return begin(tree_.add_dict(), true); }
  bool end_object() override { return end(); }
  bool start_array(std::size_t) override { return begin(tree_.add_list(), false); }
  bool end_array() override { return end(); }
  bool key(string_t& text) override {
    if (!open_.back().keys.insert(text).second)
      fail(ErrorCode::kCorrupt,
           fmt::format("{} has the key {} twice in an object", name_, quote(abbreviate(text, 80))));
    open_.back().key = tree_.add_string(text);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    fail(ErrorCode::kCorrupt, fmt::format("{} is not JSON (at byte {})", name_, position));
  }

 private:
  struct Open {
    NodeId node = value::kNoNode;
    bool object = false;
    NodeId key = value::kNoNode;
    std::set<std::string> keys{};
  };

  bool begin(NodeId node, bool object) {
    if (open_.size() >= limits_.depth)
      fail(ErrorCode::kLimit, fmt::format("{} is nested more than {} levels deep", name_, limits_.depth));
    add(node);
    open_.push_back({node, object});
    return true;
  }
  bool end() {
    open_.pop_back();
    return true;
  }
  bool add(NodeId node) {
    if (open_.empty()) {
      root_ = node;
    } else if (open_.back().object) {
      const value::Item item{open_.back().key, node};
      tree_.set_items(open_.back().node, {&item, 1});
    } else {
      tree_.append(open_.back().node, {&node, 1});
    }
    return true;
  }

  std::string name_;
  const Limits& limits_;
  value::Tree& tree_;
  std::vector<Open> open_;
  NodeId root_ = value::kNoNode;
};

}  // namespace

NodeId read_json_tree(std::string_view text, std::string_view name, const Limits& limits, value::Tree& tree) {
  if (!is_utf8(text)) fail(ErrorCode::kCorrupt, fmt::format("{} is not UTF-8", quote(abbreviate(name, 80))));
  Handler handler(name, limits, tree);
  json::sax_parse(text.begin(), text.end(), &handler);
  return handler.root();
}

}  // namespace ckpt::formats
