#include "checkpoint/formats/deepspeed_files.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace ckpt::formats {
namespace {

using namespace std::string_view_literals;

constexpr const char* kLatest = "latest";
constexpr const char* kScript = "zero_to_fp32.py";
constexpr std::uint64_t kLatestBytes = 4096;

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<std::uint32_t> take_number(std::string_view& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

struct Name {
  enum class Kind { kModel, kOptim, kOther } kind = Kind::kOther;  // kOther: experts, layers of a pipeline
  std::optional<std::uint32_t> rank;                               // data parallel
  std::uint32_t model_rank = 0;                                    // tensor parallel
};

// Of a file name without folder; nullopt if DeepSpeed writes no such file. Before 0.3.2 there was no '_'
// before optim_states.
std::optional<Name> parse_name(std::string_view name) {
  const bool model = name.ends_with("_model_states.pt");
  if (!model && !name.ends_with("optim_states.pt")) return std::nullopt;
  Name parsed;
  std::string_view rest = name.substr(0, name.size() - std::string_view("model_states.pt").size());
  while (rest.ends_with('_')) rest.remove_suffix(1);
  if (!take(rest, "bf16_")) take(rest, "fp16_");
  if (take(rest, "zero_pp_rank_")) {
    parsed.rank = take_number(rest);
    if (!parsed.rank || !take(rest, "_")) return Name{};
  } else if (!model) {
    return Name{};
  }
  if (!take(rest, "mp_rank_")) return Name{};
  const auto model_rank = take_number(rest);
  if (!model_rank || !rest.empty()) return Name{};
  parsed.kind = model ? Name::Kind::kModel : Name::Kind::kOptim;
  parsed.model_rank = *model_rank;
  return parsed;
}

std::string_view folder_of(std::string_view name) {
  const auto slash = name.rfind('/');
  return slash == name.npos ? std::string_view{} : name.substr(0, slash + 1);
}

std::optional<Name> name_of(std::string_view file) { return parse_name(file.substr(folder_of(file).size())); }

// "" or "global_step10/": the folders with model states or optimizer states.
std::set<std::string_view> saves_in(const Source& source) {
  std::set<std::string_view> folders;
  for (const std::string& file : source.files())
    if (const auto name = name_of(file); name && name->kind != Name::Kind::kOther)
      folders.insert(folder_of(file));
  return folders;
}

// `latest` is one line, the name of a folder beside it.
std::string folder_of_latest(const Source& source) {
  std::string tag = source.read_text(kLatest, kLatestBytes);
  while (!tag.empty() && (tag.back() == '\n' || tag.back() == '\r' || tag.back() == ' ')) tag.pop_back();
  const bool plain = !tag.empty() && tag != "." && tag != ".." && tag.find_first_of("/\\\0\n"sv) == tag.npos;
  if (!plain)
    fail(ErrorCode::kCorrupt, fmt::format("the file `latest` of a DeepSpeed checkpoint says {}, which is not "
                                          "the name of a folder in it",
                                          quote(abbreviate(one_line(tag), 80))));
  return tag + "/";
}

std::string list_of(const std::set<std::string_view>& folders) {
  constexpr std::size_t kMost = 5;
  std::string text;
  std::size_t shown = 0;
  for (const std::string_view folder : folders) {
    if (shown++ == kMost) return text + fmt::format(" and {} more", folders.size() - kMost);
    if (!text.empty()) text += ", ";
    text += folder.empty() ? "the folder itself" : quote(abbreviate(folder, 80));
  }
  return text;
}

std::string find_folder(const Source& source) {
  const std::set<std::string_view> saves = saves_in(source);
  if (saves.contains("")) return "";
  if (source.has(kLatest)) {
    std::string folder = folder_of_latest(source);
    if (saves.contains(folder)) return folder;
    fail(ErrorCode::kTruncated,
         fmt::format("part of a DeepSpeed checkpoint: `latest` says {}, but there is no such folder with "
                     "model states{}. The save was interrupted, or the copy is not complete",
                     quote(abbreviate(folder, 80)), saves.empty() ? "" : "; there is " + list_of(saves)));
  }
  if (saves.empty())
    fail(ErrorCode::kTruncated,
         fmt::format("part of a DeepSpeed checkpoint: {} without any model states. The save was interrupted, "
                     "or the copy is not complete",
                     kScript));
  if (saves.size() > 1)
    fail(ErrorCode::kUnsupported,
         fmt::format("{} DeepSpeed checkpoints in one folder, and no file `latest` that says which one is "
                     "meant; name one of them: {}",
                     saves.size(), list_of(saves)));
  return std::string(*saves.begin());
}

[[noreturn]] void refuse(std::string_view what, std::string_view file) {
  fail(ErrorCode::kUnsupported,
       fmt::format("a DeepSpeed checkpoint with {} ({}), which is not put together; merge it first with "
                   "DeepSpeed's own tools (zero_to_fp32.py, ds_to_universal.py)",
                   what, quote(abbreviate(file, 120))));
}

void sort_by_rank(std::vector<RankFile>& files) {
  std::stable_sort(files.begin(), files.end(),
                   [](const RankFile& a, const RankFile& b) { return a.rank < b.rank; });
}

}  // namespace

bool is_deepspeed(const Source& source) {
  if (!source.is_folder()) return false;
  if (source.has(kScript)) return true;
  const std::set<std::string_view> saves = saves_in(source);
  // Other programs keep a file `latest` beside their checkpoints, too: alone it is the rest of a copy.
  if (source.has(kLatest)) return !saves.empty() || source.files().size() == 1;
  return saves.contains("") || saves.size() == 1;
}

DeepSpeedFiles find_deepspeed_files(const Source& source) {
  DeepSpeedFiles files;
  files.folder = find_folder(source);
  std::vector<RankFile> whole, by_rank;
  for (const std::string& file : source.files()) {
    if (folder_of(file) != files.folder) continue;
    const auto name = name_of(file);
    if (!name) continue;
    if (name->kind == Name::Kind::kOther) refuse("experts or layers in files of their own", file);
    if (name->model_rank > 0) refuse("tensor parallelism", file);
    if (name->kind == Name::Kind::kOptim)
      files.optim.push_back({*name->rank, file});
    else
      (name->rank ? by_rank : whole).push_back({name->rank.value_or(0), file});
  }
  if (whole.empty() && by_rank.empty())
    fail(
        ErrorCode::kTruncated,
        "part of a DeepSpeed checkpoint: optimizer states, but no model states (mp_rank_00_model_states.pt). "
        "The save was interrupted, or the copy is not complete");
  files.model_by_rank = !by_rank.empty();
  if (files.model_by_rank)
    for (const RankFile& file : whole) files.foreign.push_back(file.name);
  files.model = files.model_by_rank ? std::move(by_rank) : std::move(whole);
  sort_by_rank(files.model);
  sort_by_rank(files.optim);
  return files;
}

std::string name_for_rank(const std::string& name, std::uint64_t rank) {
  constexpr std::string_view kRank = "zero_pp_rank_";
  const auto at = name.rfind(kRank);
  if (at == name.npos) return name;
  const std::size_t begin = at + kRank.size();
  const std::size_t end = std::min(name.find_first_not_of("0123456789", begin), name.size());
  return name.substr(0, begin) + std::to_string(rank) + name.substr(end);
}

}  // namespace ckpt::formats
