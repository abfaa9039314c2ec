#include "value/expansion.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "value/repr.h"

namespace ckpt::value {
namespace {

constexpr double kIndexLabel = 5;  // [12], .name, .<args>
constexpr double kShortText = 256;
constexpr double kLongestLabel = kLongestKey;
constexpr double kShortLabel = 64;  // longer ones cost more than the place itself
constexpr double kWorkPerLabelByte = 1.0 / 16;

bool is_text(Kind kind) { return kind == Kind::kString || kind == Kind::kBytes || kind == Kind::kBigInt; }

class Measure {
 public:
  explicit Measure(const Tree& tree) : tree_(tree) {}

  Expansion run() {
    if (tree_.root() == kNoNode) return {};
    open_.emplace_back(tree_.root(), false);
    while (!open_.empty()) {
      const auto [id, done] = open_.back();
      open_.pop_back();
      if (done)
        finish(id);
      else if (costs_.try_emplace(id).second)
        enter(id);
    }
    Expansion all = costs_[tree_.root()];
    if (tree_.kind(tree_.root()) != Kind::kObject) add(all, objects_, 0, 1);
    all.places += 1;
    all.text_bytes -= unique_text_;
    return all;
  }

 private:
  // Calls visit(child, bytes of its label) for every part of a node.
  template <class Visit>
  void each_child(NodeId id, const Visit& visit) const {
    if (tree_.kind(id) != Kind::kObject) return each_part(id, visit);
    const ObjectParts& parts = tree_.object(id);
    for (const NodeId part :
         {parts.state, parts.items, parts.appended, parts.args, parts.kwargs, parts.callee})
      if (part != kNoNode) visit(part, kIndexLabel);
  }

  template <class Visit>
  void each_part(NodeId id, const Visit& visit) const {
    for (const NodeId element : tree_.elements(id)) visit(element, kIndexLabel);
    for (const Item& item : tree_.items(id)) {
      if (!is_scalar(tree_.kind(item.key))) visit(item.key, kIndexLabel);
      visit(item.value, label_bytes(item.key));
    }
  }

  static bool is_scalar(Kind kind) {
    return kind != Kind::kList && kind != Kind::kTuple && kind != Kind::kSet && kind != Kind::kDict &&
           kind != Kind::kObject && kind != Kind::kPersistent;
  }

  double label_bytes(NodeId key) const {
    return is_text(tree_.kind(key)) ? static_cast<double>(tree_.text(key).size()) + 4 : kIndexLabel;
  }

  void enter(NodeId id) {
    open_.emplace_back(id, true);
    each_child(id, [&](NodeId child, double) {
      if (!is_scalar(tree_.kind(child)) && !costs_.contains(child)) open_.emplace_back(child, false);
    });
  }

  // All parts that are not on the way to this node itself have been finished.
  void finish(NodeId id) {
    Expansion sum;
    each_child(id, [&](NodeId child, double label) {
      sum.places += 1;
      sum.path_bytes += std::min(label, kLongestLabel);
      sum.label_work += std::max(0.0, label - kShortLabel) * kWorkPerLabelByte;
      const Kind kind = tree_.kind(child);
      if (is_text(kind)) sum.text_bytes += count_text(child);
      // A walk enters an object once.
      if (kind == Kind::kObject || is_scalar(kind)) return;
      const auto found = costs_.find(child);
      if (found != costs_.end()) add(sum, found->second, std::min(label, kLongestLabel), 1);
    });
    if (tree_.kind(id) == Kind::kObject) add(objects_, sum, 0, 1);
    costs_[id] = sum;
  }

  // Short texts cost about as much as their place.
  double count_text(NodeId id) {
    const auto size = static_cast<double>(tree_.text(id).size());
    if (size < kShortText) return 0;
    if (texts_.insert(id).second) unique_text_ += size;
    return size;
  }

  static void add(Expansion& sum, const Expansion& more, double label, double times) {
    sum.places += more.places * times;
    sum.path_bytes += (more.path_bytes + more.places * label) * times;
    sum.label_work += more.label_work * times;
    sum.text_bytes += more.text_bytes * times;
  }

  const Tree& tree_;
  std::vector<std::pair<NodeId, bool>> open_;
  std::unordered_map<NodeId, Expansion> costs_;
  std::unordered_set<NodeId> texts_;
  Expansion objects_;
  double unique_text_ = 0;
};

}  // namespace

Expansion measure_expansion(const Tree& tree) { return Measure(tree).run(); }

}  // namespace ckpt::value
