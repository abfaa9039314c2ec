#include "lint/engine.h"

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "diff/compat.h"
#include "diff/diff.h"
#include "lint/precedence.h"
#include "lint/scope.h"
#include "lint/template.h"
#include "training/weights.h"

namespace ckpt::lint {
namespace {

// Of one rule for one input: a broken run has 200,000 NaN tensors.
constexpr std::size_t kMostFindings = 1000;

bool needs(const Rule& rule, std::uint8_t what) { return (rule.check->needs & what) != 0; }

bool wants_checksums(const Rule* rule) {
  return needs(*rule, kChecksums) &&
         (rule->check->wants_checksums == nullptr || rule->check->wants_checksums(*rule));
}

bool applies(const Rule& rule, const Scope& scope) {
  const Running answer = running(rule, scope);
  return answer == Running::kYes || answer == Running::kPartly;
}

// --- numbers: which tensors, then one pass over all of them --------------------------------------------

// Indices, offsets and zero points of a composite tensor are its structure, not numbers of the model.
bool carries_numbers(const TensorEntry& entry, const TensorRecord& record) {
  return !entry.part || tensor::is_floating(record.view.dtype) || entry.path.ends_with(".<values>");
}

std::optional<tensor::StatsJob> readable_job(const Checkpoint& file, std::size_t entry) {
  const TensorRecord& record = file.record_of(file.entries[entry]);
  const tensor::Storage* storage = readable_storage(file, record);
  if (storage == nullptr || !carries_numbers(file.entries[entry], record)) return std::nullopt;
  return tensor::StatsJob{&record.view, storage};
}

// The entries that some rule with this need selects, ascending, each once.
std::vector<std::size_t> wanted_entries(const Context& context, const std::vector<const Rule*>& rules,
                                        std::uint8_t need) {
  std::vector<bool> wanted(context.file().entries.size(), false);
  for (const Rule* rule : rules) {
    if (!needs(*rule, need)) continue;
    for (const std::size_t entry : context.selected(*rule)) wanted[entry] = true;
  }
  std::vector<std::size_t> entries;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i]) entries.push_back(i);
  return entries;
}

// A tensor that stands at several places (shared objects) is read once.
std::vector<tensor::Stats> fill_stats(Context& context, const std::vector<std::size_t>& entries,
                                      bool checksums) {
  std::vector<tensor::StatsJob> todo;
  constexpr std::size_t kNone = ~std::size_t{0};
  std::vector<std::size_t> slots(context.file().tensor_records.size(), kNone);  // record -> index into todo
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (const std::size_t entry : entries) {
    const auto job = readable_job(context.file(), entry);
    if (!job) continue;
    std::size_t& slot = slots[context.file().entries[entry].record];
    if (slot == kNone) {
      slot = todo.size();
      todo.push_back(*job);
      todo.back().checksum = checksums && job->storage->crc32.value_or(0) != 0;
    }
    places.emplace_back(entry, slot);
  }
  std::vector<tensor::Stats> results = tensor::compute_stats_all(todo, context.jobs);
  for (std::size_t i = 0; i < todo.size(); ++i)
    if (results[i].crc32) context.crc_of_storage[todo[i].view->storage] = results[i].crc32;
  for (const auto& [entry, slot] : places) context.stats_of_entry[entry] = &results[slot];
  return results;
}

// Tensors of the base by weight name, others by path: the weights of a plain file and of
// a Trainer's file meet.
std::string alignment_key(const training::Items& items, const TensorEntry& entry) {
  const auto name = training::weight_name(items, entry.path);
  return name ? "w:" + *name : "p:" + entry.path;
}

std::vector<tensor::Delta> fill_deltas(Context& context, const std::vector<std::size_t>& entries,
                                       std::size_t jobs) {
  const Checkpoint& base = *context.base->file;
  std::map<std::string, std::size_t> by_key;
  for (std::size_t i = 0; i < base.entries.size() && !entries.empty(); ++i)
    by_key.emplace(alignment_key(context.base->items, base.entries[i]), i);
  std::vector<tensor::DeltaJob> todo;
  std::vector<std::size_t> places;
  for (const std::size_t entry : entries) {
    const auto found = by_key.find(alignment_key(context.items(), context.file().entries[entry]));
    if (found == by_key.end()) continue;
    const auto old_job = readable_job(base, found->second);
    const auto new_job = readable_job(context.file(), entry);
    if (!old_job || !new_job || old_job->view->shape != new_job->view->shape) continue;
    todo.push_back({*old_job, *new_job, {}});
    places.push_back(entry);
  }
  std::vector<tensor::Delta> results = tensor::compute_delta_all(todo, jobs);
  for (std::size_t i = 0; i < places.size(); ++i) context.deltas_of_entry[places[i]] = &results[i];
  return results;
}

// --- the comparison with the base ----------------------------------------------------------------------

struct Comparison {
  diff::Diff diff;
  diff::Compatibility compat;
};

std::optional<Comparison> compare_with_base(const Opened& base, const Opened& input,
                                            const std::vector<const Rule*>& rules,
                                            const EngineOptions& options) {
  if (std::none_of(rules.begin(), rules.end(), [](const Rule* rule) { return needs(*rule, kDiff); }))
    return std::nullopt;
  diff::Options how;
  how.names = options.names;
  how.explain = false;
  how.jobs = options.jobs;
  const Opened* const inputs[] = {&base, &input};
  diff::Diff diff = diff::compare(inputs, how);
  diff::Compatibility compat = diff::judge(diff, diff::Merge::kNone);
  return Comparison{std::move(diff), std::move(compat)};
}

// --- hits -> findings ----------------------------------------------------------------------------------

class Collector {
 public:
  Collector(const Context& context, const std::vector<const Rule*>& rules, std::size_t input_index,
            std::size_t base_index)
      : context_(context), places_(rules), input_index_(input_index), base_index_(base_index) {}

  void run(const Rule& rule) {
    count_ = 0;
    beyond_ = report::Level::kNote;
    rule.check->run(context_, rule, [&](Hit hit) { add(rule, std::move(hit)); });
    if (count_ > kMostFindings) add_rest(rule);
  }

  std::vector<report::Finding> take() {
    std::sort(findings_.begin(), findings_.end());
    return std::move(findings_);
  }

 private:
  void add(const Rule& rule, Hit hit) {
    check_kind(*rule.check, hit);
    // A finding that is ignored or gives way itself counts too: no other rule reports what a team accepted,
    // and a chain of rules gives way to its end.
    places_.add(rule, hit.path);
    if (places_.gives_way(rule, hit.path)) return;
    if (ignored(rule, hit.path)) return;
    const report::Level level = level_of(rule, hit);
    ++count_;
    if (count_ > kMostFindings) {
      beyond_ = std::max(beyond_, level);
      return;
    }
    report::Finding finding;
    finding.rule_id = rule.info.id;
    finding.level = level;
    fill_message(finding, rule, hit);
    finding.kind = std::move(hit.kind);
    finding.subject = std::move(hit.subject);
    if (!hit.base_path.empty())
      finding.related.push_back({base_index_, std::move(hit.base_path), hit.place, {}, "in the base"});
    finding.where = {input_index_, std::move(hit.path), hit.place, hit.bytes, ""};
    finding.properties = std::move(hit.properties);
    findings_.push_back(std::move(finding));
  }

  // A hit of a kind that the check does not name, or without one of its fields, is a bug in the check: its
  // rule would say nothing, or say it with holes.
  static void check_kind(const Check& check, const Hit& hit) {
    const KindSpec* kind = find_kind(check, hit.kind);
    if (kind == nullptr)
      throw std::logic_error(fmt::format("the check '{}' does not name its kind '{}'", check.name, hit.kind));
    for (const std::string_view name : fields_of(*kind))
      if (std::none_of(hit.fields.begin(), hit.fields.end(), [&](const Field& f) { return f.name == name; }))
        throw std::logic_error(
            fmt::format("the check '{}' gives '{}' no field '{}'", check.name, hit.kind, name));
  }

  // Never above the rule's own level: a check, a kind or the profile can only make a finding milder.
  report::Level level_of(const Rule& rule, const Hit& hit) const {
    report::Level level = std::min(hit.level.value_or(rule.level), rule.level);
    for (const report::KindMessage& message : rule.info.messages)
      if (message.kind == hit.kind && message.level) level = std::min(level, *message.level);
    return *level_under(context_.profile, rule, level);
  }

  bool ignored(const Rule& rule, const std::string& path) const {
    if (rule.select.ignore.empty() || path.empty()) return false;
    return PlaceNames(context_.items(), path).matches(rule.select.ignore);
  }

  // Arguments: the fields in the order in which the template names them, without path and file, which every
  // writer of a finding has anyway (report/reporters/sarif_message.h).
  void fill_message(report::Finding& finding, const Rule& rule, const Hit& hit) const {
    std::vector<Field> fields = {{"path", hit.path}, {"file", context_.input.path}};
    fields.insert(fields.end(), hit.fields.begin(), hit.fields.end());
    for (Field& field : fields) field.text = one_line(field.text);
    const std::string& message = message_for(rule.info, hit.kind);
    finding.message = fill_template(message, fields);
    for (const std::string& placeholder : template_fields(message))
      if (placeholder != "path" && placeholder != "file")
        finding.arguments.push_back(fill_field(placeholder, fields));
  }

  // No arguments: this message is not the rule's template.
  void add_rest(const Rule& rule) {
    const std::uint64_t rest = count_ - kMostFindings;
    report::Finding finding;
    finding.rule_id = rule.info.id;
    finding.level = beyond_;
    finding.message = fmt::format("{} of this rule not listed: {} of {} are", plural(rest, "more finding"),
                                  kMostFindings, count_);
    finding.kind = "more";
    finding.where.input = input_index_;
    finding.where.kind = report::PlaceKind::kFile;
    finding.properties.push_back({"notListed", rest});
    findings_.push_back(std::move(finding));
  }

  const Context& context_;
  Places places_;
  std::size_t input_index_, base_index_;
  std::vector<report::Finding> findings_;
  std::uint64_t count_ = 0;                      // of the rule that runs
  report::Level beyond_ = report::Level::kNote;  // the highest level among what is not listed
};

}  // namespace

std::vector<report::Finding> run_rules(const RuleSet& rules, const Opened& input, std::size_t input_index,
                                       const Opened* base, std::size_t base_index,
                                       const EngineOptions& options) {
  const Scope scope{input.file != nullptr, options.numbers, base != nullptr && base->file != nullptr,
                    options.profile, options.profile_asked};
  std::vector<const Rule*> on;
  for (const Rule& rule : rules.rules)
    if (applies(rule, scope)) on.push_back(&rule);
  on = in_precedence(std::move(on));
  Context context(input, base, options.profile);
  context.profile_asked = options.profile_asked;
  context.jobs = options.jobs;
  std::vector<tensor::Stats> stats;
  std::vector<tensor::Delta> deltas;
  if (scope.numbers && scope.opened)
    stats = fill_stats(context, wanted_entries(context, on, kStats),
                       std::any_of(on.begin(), on.end(), wants_checksums));
  if (scope.numbers && scope.opened && scope.based)
    deltas = fill_deltas(context, wanted_entries(context, on, kDeltas), options.jobs);
  std::optional<Comparison> comparison;
  if (base != nullptr) comparison = compare_with_base(*base, input, on, options);
  if (comparison) {
    context.diff = &comparison->diff;
    context.compat = &comparison->compat;
  }
  Collector collector(context, on, input_index, base_index);
  for (const Rule* rule : on) collector.run(*rule);
  return collector.take();
}

}  // namespace ckpt::lint
