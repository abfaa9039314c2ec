// Credentials that a configuration carried into the checkpoint. Messages show two characters, never more.
#include <set>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/checks/security/secret_shapes.h"
#include "value/walk.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {{"secret", "what start length"}, {"suspected", "what start length"}};
constexpr std::size_t kShown = 2;            // characters: enough to find it, too few to use it
constexpr std::size_t kLongestName = 256;    // of a key that can name a credential
constexpr std::size_t kScanned = 64u << 10;  // of one string: a credential is at its beginning or nowhere

bool is_text(const Tree& tree, NodeId id) {
  return is_kind(tree, id, Kind::kString) || is_kind(tree, id, Kind::kBytes);
}

class Scanner {
 public:
  Scanner(const Tree& tree, const Emit& emit) : tree_(tree), emit_(emit) {}

  void shape(NodeId id, const std::string& path) {
    const auto text = tree_.text(id).substr(0, kScanned);
    say(path, secret_shape(text), text);
  }

  // The form of a value is better evidence than the name of its key. One finding a path.
  void key(NodeId key, NodeId value, const std::string& path) {
    const auto name = string_of(tree_, key);
    if (!name || name->size() > kLongestName || !is_text(tree_, value)) return;
    const auto text = tree_.text(value).substr(0, kScanned);
    const auto named = secret_under_key(*name, text);
    if (named.what.empty()) return;  // shape() looks at the value anyway
    const auto shape = secret_shape(text);
    say(path, shape.what.empty() ? named : shape, text);
  }

 private:
  void say(const std::string& path, const Secret& secret, std::string_view text) {
    if (secret.what.empty() || !said_.insert(path).second) return;
    Hit hit = make_hit(path, secret.certain ? "secret" : "suspected");
    hit.fields = {{"what", std::string(secret.what)},
                  {"start", std::string(text.substr(0, kShown))},
                  {"length", std::to_string(text.size())}};
    emit_(std::move(hit));
  }

  const Tree& tree_;
  const Emit& emit_;
  std::set<std::string> said_;
};

void check_items(const Tree& tree, const value::Visit& visit, Scanner& scanner) {
  const bool object = tree.kind(visit.id) == Kind::kObject;
  const NodeId state = object ? tree.object(visit.id).state : kNoNode;
  for (const auto& item : mapping_items(tree, visit.id)) {
    std::string path(visit.path);
    value::append_key(path, tree, item.key);
    scanner.key(item.key, item.value, path);
  }
  for (const auto& item : mapping_items(tree, state)) {  // Namespace, dataclasses: attributes
    std::string path(visit.path);
    if (const auto name = string_of(tree, item.key)) value::append_attribute(path, *name);
    scanner.key(item.key, item.value, path);
  }
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const Tree& tree = context.file().tree;
  if (tree.root() == kNoNode) return;
  Scanner scanner(tree, emit);
  try {
    value::walk(tree, tree.root(), "", Limits{}, [&](const value::Visit& visit) {
      if (visit.place == value::Place::kRepeat) return value::Next::kSkip;
      const auto part = context.items().part_at.find(visit.path);
      if (part != context.items().part_at.end() && !visit.path.empty() &&
          training::is_model(context.items().parts[part->second].form))
        return value::Next::kSkip;
      if (is_text(tree, visit.id)) scanner.shape(visit.id, std::string(visit.path));
      if (visit.place == value::Place::kEnter) check_items(tree, visit, scanner);
      return value::Next::kInto;
    });
  } catch (const Error&) {
    // Beyond the limits: the reader recorded that, and security-limits reports it.
  }
}

}  // namespace

const Check kSecret{.name = "secret",
                    .help = "passwords, tokens and keys",
                    .needs = kNothing,
                    .params = {},
                    .run = run,
                    .kinds = kKinds};

}  // namespace ckpt::lint
