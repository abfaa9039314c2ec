// A hyperparameter that is data: a tensor, a table, a vocabulary.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/hparams/hparams.h"
#include "lint/checks/list.h"
#include "value/walk.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"max-bytes", ParamType::kInteger, "65536", "how large a value may be"},
};
constexpr KindSpec kKinds[] = {{"large", "what size"}};
constexpr std::uint64_t kNumber = 9;  // BINFLOAT and its eight bytes

// An array is represented as "array f8 [3], 24 bytes, sha256 ..." (checkpoint/formats/python_objects.cpp).
std::uint64_t array_bytes(std::string_view text) {
  const auto end = text.rfind(" bytes, sha256 ");
  if (end == std::string_view::npos) return 0;
  const auto begin = text.rfind(' ', end - 1) + 1;
  std::uint64_t bytes = 0;
  std::from_chars(text.data() + begin, text.data() + end, bytes);
  return bytes;
}

std::uint64_t leaf_bytes(const Checkpoint& file, NodeId id) {
  const Tree& tree = file.tree;
  if (tree.kind(id) == Kind::kTensor) {
    const auto& view = file.tensor_records[tree.payload(id)].view;
    return tensor::bytes_for_elements(view.dtype, view.numel);
  }
  if (tree.kind(id) == Kind::kStorage) return file.storages[tree.payload(id)].size;
  const bool text =
      is_kind(tree, id, Kind::kString) || is_kind(tree, id, Kind::kBytes) || is_kind(tree, id, Kind::kBigInt);
  if (!text) return kNumber;
  const bool array = class_of(tree, id) == "numpy.ndarray";
  return std::max<std::uint64_t>(tree.text(id).size(), array ? array_bytes(tree.text(id)) : 0);
}

// A value whose parts are being visited, with their bytes so far.
struct Open {
  std::string path, what;
  std::size_t depth = 0;
  std::uint64_t bytes = 0;
  bool reported = false;  // a part of it is: the innermost large value is the one to name
};

class Sizes {
 public:
  Sizes(const Checkpoint& file, std::uint64_t limit, const Emit& emit)
      : file_(file), limit_(limit), emit_(emit) {}

  value::Next visit(const value::Visit& visit) {
    close(visit.depth);
    if (visit.place == value::Place::kRepeat) return value::Next::kSkip;
    const bool leaf = visit.place == value::Place::kLeaf;
    const auto name = class_of(file_.tree, visit.id);
    open_.push_back({std::string(visit.path), name.empty() ? value::type_name(file_.tree, visit.id) : name,
                     visit.depth, leaf ? leaf_bytes(file_, visit.id) : 0, false});
    return model_part(file_.tree, visit.id).empty() ? value::Next::kInto : value::Next::kSkip;
  }

  // Closes values at `depth` or deeper. Depth 0, all hyperparameters together, is never a finding.
  void close(std::size_t depth) {
    while (!open_.empty() && open_.back().depth >= depth) {
      Open done = std::move(open_.back());
      open_.pop_back();
      if (done.bytes > limit_ && !done.reported && !open_.empty()) {
        Hit hit = make_hit(done.path, "large");
        hit.fields = {{"what", done.what}, {"size", format_bytes(done.bytes)}};
        hit.properties = {{"bytes", done.bytes}};
        emit_(std::move(hit));
        done.reported = true;
      }
      if (open_.empty()) continue;
      open_.back().bytes += std::min(done.bytes, ~std::uint64_t{0} - open_.back().bytes);
      open_.back().reported = open_.back().reported || done.reported;
    }
  }

 private:
  const Checkpoint& file_;
  std::uint64_t limit_;
  const Emit& emit_;
  std::vector<Open> open_;
};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  for (const auto& section : context.training().hyper_parameters) {
    Sizes sizes(file, static_cast<std::uint64_t>(rule.integer("max-bytes")), emit);
    try {
      value::walk(file.tree, section.node, section.path, Limits{},
                  [&](const value::Visit& visit) { return sizes.visit(visit); });
    } catch (const Error&) {
      // Beyond the limits: the reader reports it; what was visited is judged.
    }
    sizes.close(0);
  }
}

}  // namespace

const Check kHparamsSize{.name = "hparams-size",
                         .help = "large hyperparameters",
                         .needs = kNothing,
                         .params = kParams,
                         .run = run,
                         .kinds = kKinds};

}  // namespace ckpt::lint
