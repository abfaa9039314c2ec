#include <algorithm>
#include <cmath>
#include <deque>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"
#include "report/reporters/html/fields.h"
#include "report/reporters/html/markup.h"
#include "report/reporters/html/parts.h"
#include "report/reporters/html/svg.h"

namespace ckpt::report::html {
namespace {

constexpr std::size_t kNodes = 50'000;  // in memory; what is deeper is counted above
constexpr std::size_t kDepth = 16;      // parts of a name; the last one is the rest
constexpr std::size_t kChildren = 200;  // shown of one node
constexpr std::size_t kPart = 80;       // characters of a part
constexpr std::size_t kOpenNodes = 24;  // the first levels are open as long as they have so few nodes
constexpr double kBar = 72;
constexpr std::size_t kClose = 60;  // bytes that end a node, and say how many are missing

struct Node {
  std::string label;
  std::size_t parent = 0;
  std::vector<std::size_t> children;
  bool row = false;        // a row of the table is here
  std::string detail;      // of that row
  std::uint64_t rows = 0;  // here and below
  double weight = 0;       // likewise
};

// "layers[0].weight" -> "layers", "[0]", "weight". Quoted parts stay whole.
std::vector<std::string_view> parts_of(std::string_view name) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < name.size() && parts.size() + 1 < kDepth; ++i) {
    if (name[i] == '"' && (i == 0 || name[i - 1] != '\\')) quoted = !quoted;
    if (quoted || (name[i] != '.' && name[i] != '[')) continue;
    if (i > begin) parts.push_back(name.substr(begin, i - begin));
    begin = name[i] == '.' ? i + 1 : i;
  }
  if (begin < name.size()) parts.push_back(name.substr(begin));
  return parts;
}

bool is_change(const Table& table) { return table.name == "changes"; }

class Tree {
 public:
  explicit Tree(const Table& table) : nodes_(1) {
    for (std::size_t i = 0; i < table.size; ++i) {
      const Object row = table.row(i);
      const double weight = is_change(table) ? is_weight(row) ? contribution(row).value_or(0) : 0
                                             : number_at(row, "numel").value_or(0);
      add(row, std::isfinite(weight) ? weight : 0, is_change(table));
    }
    join_chains();
  }
  const Node& operator[](std::size_t i) const { return nodes_[i]; }

 private:
  void add(const Object& row, double weight, bool change) {
    const std::string name = one_line(name_of(row));
    std::size_t at = 0;
    count(at, weight);
    for (const std::string_view part : parts_of(name)) {
      const std::size_t next = child(at, part);
      if (next == at) return;
      at = next;
      count(at, weight);
    }
    if (at == 0) return;
    nodes_[at].row = true;
    nodes_[at].detail =
        change ? text_at(row, "kind") == "values" ? "rel L2 " + text_at(row, "rel_l2") : text_at(row, "kind")
               : text_at(row, "dtype") + " " + text_at(row, "shape");
  }
  void count(std::size_t at, double weight) {
    ++nodes_[at].rows;
    nodes_[at].weight += weight;
  }
  // `at` itself if there are too many nodes.
  std::size_t child(std::size_t at, std::string_view part) {
    std::string label = abbreviate(part, kPart);
    const auto key = fmt::format("{} {}", at, part);
    if (const auto found = index_.find(key); found != index_.end()) return found->second;
    if (nodes_.size() == kNodes) return at;
    index_.emplace(key, nodes_.size());
    nodes_[at].children.push_back(nodes_.size());
    nodes_.push_back({std::move(label), at, {}, false, {}, 0, 0});
    return nodes_.size() - 1;
  }
  // A node with a single child that is no row itself becomes one with it.
  void join_chains() {
    for (std::size_t i = nodes_.size(); i-- > 1;) {
      Node& node = nodes_[i];
      if (node.row || node.children.size() != 1) continue;
      Node& only = nodes_[node.children.front()];
      if (only.rows != node.rows || node.label.size() + only.label.size() > 2 * kPart) continue;
      node.label += (only.label.starts_with('[') ? "" : ".") + only.label;
      node.row = only.row;
      node.detail = only.detail;
      node.children = only.children;
    }
  }

  std::vector<Node> nodes_;
  std::unordered_map<std::string, std::size_t> index_;
};

std::string bar(double share) {
  const std::string width = coordinate(std::max(share * kBar, share > 0 ? 0.5 : 0.0));
  return fmt::format(
      "<svg class=\"bar\" width=\"{}\" height=\"8\" aria-hidden=\"true\"><rect width=\"{}\" "
      "height=\"8\"/></svg>",
      kBar, width);
}

std::string share_text(double share) {
  return share > 0 && share < 0.001 ? "<0.1 %" : fmt::format("{:.1f} %", 100 * share);
}

class TreeWriter {
 public:
  TreeWriter(const Table& table, std::size_t limit)
      : change_(is_change(table)), tree_(table), limit_(limit) {}

  std::string write() {
    if (tree_[0].children.empty()) return {};
    choose();
    std::string out = fmt::format(
        "<details class=\"card\" open><summary><b>By module</b> <span class=\"dim\">{}</span></summary>\n<ul "
        "class=\"tree\">\n",
        change_ ? "how many changes, and each one's share of the squared change of all weights"
                : "how many tensors and elements, and their share");
    put_all(out);
    return out + "</ul></details>\n";
  }

 private:
  std::string line(std::size_t i, bool open) const {
    const Node& node = tree_[i];
    const double whole = tree_[0].weight;
    const double share = whole > 0 ? node.weight / whole : 0;
    if (node.children.empty())
      return fmt::format(
          "<li data-s>{} <span class=\"dim\">{}</span>{}</li>\n", escape(node.label), escape(node.detail),
          change_ && share > 0 ? fmt::format(" <span class=\"n\">{}</span>", escape(share_text(share))) : "");
    const std::string amount = change_ ? plural(node.rows, "change")
                                       : fmt::format("{} · {}", plural(node.rows, "tensor"),
                                                     format_count(static_cast<std::uint64_t>(node.weight)));
    const std::string picture =
        share > 0 ? fmt::format(" {} <span class=\"n\">{}</span>", bar(share), escape(share_text(share)))
                  : "";
    return fmt::format("<li><details{}><summary>{} <span class=\"dim\">{}</span>{}</summary><ul>\n",
                       open ? " open" : "", escape(node.label), amount, picture);
  }

  // The levels from the top, as far as there is room: then every branch shows something.
  void choose() {
    std::deque<std::size_t> todo = {0};
    std::size_t bytes = 400;
    bool open = true;
    std::size_t opened = 0;
    while (!todo.empty()) {
      const std::size_t at = todo.front();
      todo.pop_front();
      for (const std::size_t child : tree_[at].children) {
        if (shown_[at].size() == kChildren) break;
        opened += 1;
        open = opened + tree_[child].children.size() <= kOpenNodes;
        std::string text = line(child, open);
        if (bytes + text.size() + 2 * kClose > limit_) return;
        bytes += text.size() + 2 * kClose;
        lines_.emplace(child, std::move(text));
        shown_[at].push_back(child);
        todo.push_back(child);
      }
    }
  }

  void put_all(std::string& out) {
    struct Frame {
      std::size_t node;
      std::size_t next;
    };
    std::vector<Frame> stack = {{0, 0}};
    while (!stack.empty()) {
      Frame& frame = stack.back();
      const auto& children = shown_[frame.node];
      if (frame.next < children.size()) {
        const std::size_t child = children[frame.next++];
        out += lines_[child];
        if (!tree_[child].children.empty()) stack.push_back({child, 0});
        continue;
      }
      const std::size_t missing = tree_[frame.node].children.size() - children.size();
      if (missing > 0) out += fmt::format("<li class=\"dim\">and {} more</li>\n", missing);
      if (frame.node != 0) out += "</ul></details></li>\n";
      stack.pop_back();
    }
  }

  bool change_;
  Tree tree_;
  std::size_t limit_;
  std::unordered_map<std::size_t, std::vector<std::size_t>> shown_;
  std::unordered_map<std::size_t, std::string> lines_;
};

}  // namespace

std::string tree_part(const Table& table, std::size_t limit) {
  const bool named = table.name == "tensors" || table.name == "changes";
  if (!named || table.size < 2) return {};
  return TreeWriter(table, limit).write();
}

}  // namespace ckpt::report::html
