// Nothing that differs is unlisted: one leaf of a real file changed, and the comparison has a change with its
// path.
#include <filesystem>

#include "checkpoint/leaves.h"
#include "tests/diff/diff_support.h"
#include "tests/support/files.h"
#include "value/access.h"

using namespace ckpt;

namespace {

constexpr std::size_t kLeavesOfAFile = 6;

std::vector<std::string> healthy_files() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test::fixtures_dir() / "valid")) {
    const auto extension = entry.path().extension();
    if (extension == ".ckpt" || extension == ".pt") out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Where a container keeps a value.
std::vector<value::NodeId*> slots_of(value::Tree& tree) {
  std::vector<value::NodeId*> out;
  std::vector<value::NodeId> todo = {tree.root()};
  std::set<value::NodeId> seen;
  while (!todo.empty()) {
    const value::NodeId node = todo.back();
    todo.pop_back();
    if (!seen.insert(node).second) continue;
    const auto add = [&](const value::NodeId& child) {
      const bool container = value::is_mapping(tree, child) || value::is_sequence(tree, child);
      if (container) todo.push_back(child);
      const value::Kind kind = tree.kind(child);
      // The checkpoint's own: a test may change it. Tensors and objects have places of their own.
      if (kind == value::Kind::kInt || kind == value::Kind::kFloat || kind == value::Kind::kString ||
          kind == value::Kind::kNone || kind == value::Kind::kBool)
        out.push_back(&const_cast<value::NodeId&>(child));
    };
    for (const value::Item& item : value::mapping_items(tree, node)) add(item.value);
    for (const value::NodeId& element : value::sequence(tree, node)) add(element);
  }
  return out;
}

// A parameter's name is listed with the parameters of its group.
bool is_listed(const diff::Diff& diff, std::string path) {
  if (const auto names = path.find(".param_names["); names != std::string::npos)
    path = path.substr(0, names) + ".params";
  return std::any_of(diff.changes.begin(), diff.changes.end(), [&](const diff::Change& change) {
    return change.path == path || change.old_path == path;
  });
}

TEST_CASE("one leaf of any file that changes is listed with its path") {
  std::size_t tried = 0;
  test::Noise noise(7);
  for (const std::string& file : healthy_files()) {
    CAPTURE(file);
    const Opened base = open_input(file);
    const Opened other = open_input(file);
    if (!base.file || !other.file) continue;
    auto& changed = const_cast<Checkpoint&>(*other.file);
    const value::NodeId odd = changed.tree.add_string("not what it was");
    const auto slots = slots_of(changed.tree);
    for (std::size_t i = 0; i < std::min(kLeavesOfAFile, slots.size()); ++i) {
      value::NodeId& slot = *slots[noise.below(slots.size())];
      const value::NodeId before = std::exchange(slot, odd);
      std::string path;
      for (const Leaf& leaf : collect_leaves(changed))
        if (leaf.node == odd && !leaf.repeat && path.empty()) path = leaf.path;
      if (!path.empty()) {
        CAPTURE(path);
        const Opened again = read_input(other.file, file);
        CHECK(is_listed(test::compare_two(base, again), path));
        CHECK(is_listed(test::compare_two(again, base), path));
        ++tried;
      }
      slot = before;
    }
  }
  CHECK(tried > 300);
}

// The storage with the lowest bit of the view's first element flipped.
tensor::Storage flipped(const tensor::Storage& storage, const tensor::TensorView& view) {
  std::vector<std::byte> bytes = io::read_all(*storage.bytes, storage.size, "storage");
  const std::size_t size = tensor::element_size(view.dtype);
  const std::size_t at = view.storage_offset * size + (storage.big_endian ? size - 1 : 0);
  bytes.at(at) ^= std::byte{1};
  tensor::Storage out = storage;
  out.bytes = io::memory_source(std::move(bytes));
  return out;
}

// Any of the tensors that share the storage: which of them is listed is the comparison's choice.
bool is_listed(const diff::Diff& diff, const Checkpoint& file, std::uint32_t storage) {
  return std::any_of(file.entries.begin(), file.entries.end(), [&](const TensorEntry& entry) {
    return file.tensor_records[entry.record].view.storage == storage && is_listed(diff, entry.path);
  });
}

TEST_CASE("one element of any tensor that changes is listed with its path") {
  std::size_t tried = 0;
  test::Noise noise(11);
  for (const std::string& file : healthy_files()) {
    CAPTURE(file);
    const Opened base = open_input(file);
    const Opened other = open_input(file);
    if (!base.file || !other.file) continue;
    auto& changed = const_cast<Checkpoint&>(*other.file);
    for (std::size_t i = 0; i < std::min(kLeavesOfAFile, changed.entries.size()); ++i) {
      const TensorEntry& entry = changed.entries[noise.below(changed.entries.size())];
      const tensor::TensorView& view = changed.tensor_records[entry.record].view;
      if (!view.has_storage() || !view.in_bounds || view.numel == 0 ||
          tensor::elements_per_byte(view.dtype) != 1)
        continue;
      tensor::Storage& storage = changed.storages[view.storage];
      if (storage.bytes == nullptr) continue;
      if (entry.path.ends_with("nan")) continue;  // a NaN with other bits is still a NaN
      CAPTURE(entry.path);
      tensor::Storage before = std::exchange(storage, flipped(storage, view));
      const Opened again = read_input(other.file, file);
      CHECK(is_listed(test::compare_two(base, again), changed, view.storage));
      CHECK(is_listed(test::compare_two(again, base), changed, view.storage));
      ++tried;
      storage = std::move(before);
    }
  }
  CHECK(tried > 300);
}

}  // namespace
