#include "lint/engine.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "io/byte_source.h"

using namespace ckpt;
using namespace ckpt::lint;

namespace {

// --- a checkpoint in memory: {"state_dict": {...}} with one storage a tensor ------------------------------

class Builder {
 public:
  Builder() {
    file_->path = "model.ckpt";
    const auto key = file_->tree.add_string("state_dict");
    root_ = file_->tree.add_dict();
    state_dict_ = file_->tree.add_dict();
    const value::Item item{key, state_dict_};
    file_->tree.set_items(root_, std::span(&item, 1));
    file_->tree.set_root(root_);
  }

  std::uint32_t record(const std::vector<float>& values, bool readable = true) {
    std::vector<std::byte> bytes(values.size() * sizeof(float));
    if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    tensor::Storage storage;
    storage.size = bytes.size();
    if (readable) storage.bytes = io::memory_source(std::move(bytes));
    TensorRecord record;
    record.view.storage = static_cast<std::uint32_t>(file_->storages.size());
    record.view.numel = values.size();
    record.view.shape = {static_cast<std::int64_t>(values.size())};
    record.view.strides = {1};
    file_->storages.push_back(std::move(storage));
    file_->tensor_records.push_back(std::move(record));
    return static_cast<std::uint32_t>(file_->tensor_records.size() - 1);
  }
  Builder& at(const std::string& path, std::uint32_t record_index, bool part = false) {
    file_->entries.push_back({path, record_index, part});
    return *this;
  }
  Builder& tensor(const std::string& path, const std::vector<float>& values, bool readable = true) {
    return at(path, record(values, readable));
  }
  Checkpoint& file() { return *file_; }

  Opened build() {
    Opened opened;
    opened.path = file_->path;
    opened.items.kind = training::FileKind::kWeights;
    opened.items.root = root_;
    opened.items.state_dict = state_dict_;
    opened.items.state_dict_path = "state_dict";
    opened.items.state_dicts = {{"state_dict", state_dict_, false, {}, {}, {}}};
    opened.items.parts = {{training::Form::kStateDict, "state_dict", state_dict_, 0}};
    opened.items.part_at = {{"state_dict", 0}};
    opened.file = std::move(file_);
    return opened;
  }

 private:
  std::shared_ptr<Checkpoint> file_ = std::make_shared<Checkpoint>();
  value::NodeId root_ = value::kNoNode, state_dict_ = value::kNoNode;
};

// --- checks that say what they see ------------------------------------------------------------------------

void run_zeros(const Context& context, const Rule& rule, const Emit& emit) {
  for (const std::size_t entry : context.selected(rule)) {
    const auto* stats = context.stats(entry);
    Hit hit;
    hit.path = context.file().entries[entry].path;
    hit.kind = "zeros";
    hit.fields = {{"zeros", stats == nullptr ? "unread" : std::to_string(stats->zeros)}};
    emit(std::move(hit));
  }
}
void run_delta(const Context& context, const Rule& rule, const Emit& emit) {
  for (const std::size_t entry : context.selected(rule)) {
    const auto* delta = context.delta(entry);
    Hit hit;
    hit.path = context.file().entries[entry].path;
    hit.base_path = "there";
    hit.kind = "moved";
    hit.fields = {{"changed", delta == nullptr ? "unread" : std::to_string(delta->changed)}};
    emit(std::move(hit));
  }
}
void run_once(const Context&, const Rule&, const Emit& emit) {
  Hit hit;
  hit.kind = "once";
  emit(std::move(hit));
}
void run_levels(const Context&, const Rule&, const Emit& emit) {
  for (const auto level : {report::Level::kNote, report::Level::kWarning, report::Level::kError}) {
    Hit hit;
    hit.path = "x";
    hit.kind = std::string(report::to_string(level));
    hit.level = level;
    emit(std::move(hit));
  }
}
void run_many(const Context&, const Rule&, const Emit& emit) {
  for (int i = 0; i < 1234; ++i) {
    Hit hit;
    hit.path = "p" + std::to_string(i);
    hit.kind = "many";
    if (i >= 1000) hit.level = report::Level::kNote;
    emit(std::move(hit));
  }
}

constexpr KindSpec kZerosKinds[] = {{"zeros", "zeros"}};
constexpr KindSpec kMovedKinds[] = {{"moved", "changed"}};
constexpr KindSpec kOnceKinds[] = {{"once", ""}};
constexpr KindSpec kLevelKinds[] = {{"note", ""}, {"warning", ""}, {"error", ""}};
constexpr KindSpec kManyKinds[] = {{"many", ""}};

Check check(std::string_view name, std::uint8_t needs, decltype(Check::run) run,
            std::span<const KindSpec> kinds) {
  return {.name = name, .help = "", .needs = needs, .params = {}, .run = run, .kinds = kinds};
}
const Check kZeros = check("zeros", kStats, run_zeros, kZerosKinds);
const Check kMoved = check("moved", kBase | kDeltas, run_delta, kMovedKinds);
const Check kOnce = check("once", kNothing, run_once, kOnceKinds);
const Check kOnceUnreadable = check("once-unreadable", kUnreadable, run_once, kOnceKinds);
const Check kLevels = check("levels", kNothing, run_levels, kLevelKinds);
const Check kMany = check("many", kNothing, run_many, kManyKinds);

Rule rule(std::string id, const Check& check, std::string message, Selector select = {}) {
  Rule result;
  result.info.id = std::move(id);
  result.check = &check;
  result.on = true;
  result.info.message = std::move(message);
  result.select = std::move(select);
  return result;
}
Selector tensors(std::string_view glob) { return {{Glob(glob)}, {}, {}}; }

std::vector<report::Finding> run(std::vector<Rule> rules, const Opened& input, const Opened* base = nullptr,
                                 std::size_t jobs = 1) {
  RuleSet set;
  set.rules = std::move(rules);
  return run_rules(set, input, 0, base, 1, {Profile::kResume, jobs});
}

// "path: message" of each finding.
std::vector<std::string> lines(const std::vector<report::Finding>& findings) {
  std::vector<std::string> result;
  for (const auto& f : findings) result.push_back(f.where.path + ": " + f.message);
  return result;
}

Opened three_tensors() {
  Builder b;
  b.tensor("state_dict[\"net.weight\"]", {0, 1, 0})
      .tensor("state_dict[\"net.bias\"]", {1})
      .tensor("optimizer_states[0].state[0].exp_avg", {0});
  return b.build();
}

}  // namespace

TEST_CASE("a rule gets the numbers of the tensors it selects by name or by path") {
  const Opened input = three_tensors();
  Selector both = tensors("net.w*");
  both.paths.emplace_back("optimizer_states[*].state[*].exp_avg");
  CHECK(lines(run({rule("r", kZeros, "{zeros} zeros")}, input)).empty());
  CHECK(lines(run({rule("r", kZeros, "{zeros} zeros", tensors("**"))}, input)) ==
        std::vector<std::string>{"state_dict[\"net.bias\"]: 0 zeros", "state_dict[\"net.weight\"]: 2 zeros"});
  CHECK(lines(run({rule("r", kZeros, "{zeros} zeros", both)}, input)) ==
        std::vector<std::string>{"optimizer_states[0].state[0].exp_avg: 1 zeros",
                                 "state_dict[\"net.weight\"]: 2 zeros"});
}

TEST_CASE("checksums are computed where a rule looks at them, and nowhere else") {
  static constexpr KindSpec kKinds[] = {{"sums", "count"}};
  static Check sums = check(
      "sums", kStats | kChecksums,
      [](const Context& context, const Rule&, const Emit& emit) {
        const auto known = [](const auto& sum) { return sum.has_value(); };
        Hit hit;
        hit.kind = "sums";
        hit.fields = {{"count", std::to_string(std::count_if(context.crc_of_storage.begin(),
                                                             context.crc_of_storage.end(), known))}};
        emit(std::move(hit));
      },
      kKinds);
  Builder b;
  b.tensor("state_dict.a", {1, 2}).tensor("state_dict.b", {3});
  for (tensor::Storage& storage : b.file().storages) storage.crc32 = 1;
  const Opened input = b.build();
  const auto counted = [&] { return lines(run({rule("r", sums, "{count}", tensors("**"))}, input)); };
  CHECK(counted() == std::vector<std::string>{": 2"});
  sums.wants_checksums = [](const Rule&) { return false; };
  CHECK(counted() == std::vector<std::string>{": 0"});
}

TEST_CASE("what is ignored by name or by path is never a finding, whatever the check emits") {
  const Opened input = three_tensors();
  for (const std::string_view pattern : {"net.bias", "state_dict[\"net.bias\"]"}) {
    Selector select = tensors("**");
    select.ignore.emplace_back(pattern);
    CHECK(lines(run({rule("r", kZeros, "z", select)}, input)) ==
          std::vector<std::string>{"state_dict[\"net.weight\"]: z"});
  }
  Selector all_but_x;
  all_but_x.ignore.emplace_back("x");
  CHECK(run({rule("r", kLevels, "", all_but_x)}, input).empty());
  CHECK(run({rule("r", kOnce, "", all_but_x)}, input).size() == 1);  // the file as a whole has no path
}

TEST_CASE("tensors that cannot be read have no numbers, and do no harm") {
  Builder b;
  b.tensor("state_dict[\"a\"]", {1, 2}, false)
      .tensor("state_dict[\"b\"]", {0})
      .tensor("state_dict[\"c\"]", {1, 2}, false);
  b.file().tensor_records[2].view.storage = tensor::TensorView::kNoStorage;
  const auto outside = b.record({0});
  b.file().tensor_records[outside].view.in_bounds = false;
  const auto indices = b.record({0});
  b.file().tensor_records[indices].view.dtype = tensor::DType::kInt32;
  b.at("state_dict[\"d\"]", outside)
      .at("state_dict[\"e\"].<indices>", indices, true)
      .at("state_dict[\"f\"]", 1);
  CHECK(lines(run({rule("r", kZeros, "{zeros}", tensors("**"))}, b.build())) ==
        std::vector<std::string>{"state_dict[\"a\"]: unread", "state_dict[\"b\"]: 1",
                                 "state_dict[\"c\"]: unread", "state_dict[\"d\"]: unread",
                                 "state_dict[\"e\"].<indices>: unread", "state_dict[\"f\"]: 1"});
}

TEST_CASE("rules about a base are skipped without one, and align weights by name") {
  Builder plain;
  plain.tensor("state_dict[\"net.weight\"]", {0, 5, 6}).tensor("state_dict[\"net.bias\"]", {1, 2});
  Opened base = plain.build();
  const Opened input = three_tensors();
  const Rule moved = rule("r", kMoved, "{changed}", tensors("**"));
  CHECK(run({moved}, input).empty());
  const auto findings = run({moved}, input, &base);
  CHECK(lines(findings) ==
        std::vector<std::string>{"state_dict[\"net.bias\"]: unread", "state_dict[\"net.weight\"]: 2"});
  REQUIRE(findings[0].related.size() == 1);
  CHECK(findings[0].related[0].input == 1);
  CHECK(findings[0].related[0].path == "there");
  base.file = nullptr;
  CHECK(run({moved}, input, &base).empty());
}

TEST_CASE("an input that could not be opened is seen by the rules that ask for it alone") {
  Opened input;
  input.path = "broken.ckpt";
  input.failure = Error(ErrorCode::kTruncated, "the end is missing");
  const auto findings = run(
      {rule("a", kOnce, "a"), rule("b", kOnceUnreadable, "{file} b"), rule("c", kZeros, "c", tensors("**"))},
      input);
  CHECK(lines(findings) == std::vector<std::string>{": broken.ckpt b"});
  CHECK(lines(run({rule("b", kOnceUnreadable, "b")}, three_tensors())) == std::vector<std::string>{": b"});
}

TEST_CASE("a hit may lower the level of its rule, never raise it; a rule that is off does not run") {
  Rule warning = rule("r", kLevels, "{file} {path}");
  warning.level = report::Level::kWarning;
  const auto findings = run({warning}, three_tensors());
  REQUIRE(findings.size() == 3);
  for (const auto& f : findings) {
    CAPTURE(f.kind);
    CHECK(f.level == (f.kind == "note" ? report::Level::kNote : report::Level::kWarning));
    CHECK(f.message == "model.ckpt x");
    CHECK(f.where.input == 0);
  }
  warning.on = false;
  CHECK(run({warning}, three_tensors()).empty());
}

TEST_CASE("texts from a file are one line in the message and in the arguments") {
  static const Check kHostile = check(
      "hostile", kNothing,
      [](const Context&, const Rule&, const Emit& emit) {
        Hit hit;
        hit.kind = "zeros";
        hit.fields = {{"zeros", "a\nb\x1b[0m{file}"}};
        emit(std::move(hit));
      },
      kZerosKinds);
  const auto findings = run({rule("r", kHostile, "{zeros} in {file}")}, three_tensors());
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].message == "a\\u000ab\\u001b[0m{file} in model.ckpt");
  CHECK(findings[0].arguments == std::vector<std::string>{"a\\u000ab\\u001b[0m{file}"});
}

TEST_CASE("after a thousand findings of a rule the rest is counted in one more") {
  const auto findings = run({rule("many", kMany, "m"), rule("one", kOnce, "o")}, three_tensors());
  REQUIRE(findings.size() == 1002);
  CHECK(findings[0].rule_id == "many");
  CHECK(findings[0].kind == "more");
  CHECK(findings[0].level == report::Level::kNote);
  CHECK(findings[0].message == "234 more findings of this rule not listed: 1000 of 1234 are");
  CHECK(findings[1].rule_id == "one");
}

TEST_CASE("findings do not depend on the number of threads") {
  Builder b;
  for (int i = 0; i < 50; ++i)
    b.tensor("state_dict[\"t" + std::to_string(i) + "\"]",
             std::vector<float>(static_cast<std::size_t>(i), 0.0F));
  const Opened input = b.build();
  const Rule zeros = rule("r", kZeros, "{zeros}", tensors("**"));
  CHECK(lines(run({zeros}, input, nullptr, 1)) == lines(run({zeros}, input, nullptr, 4)));
}
