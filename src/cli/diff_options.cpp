#include "cli/diff_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "diff/filter.h"
#include "diff/rules_doc.h"
#include "files/yaml_reader.h"

namespace ckpt::cli {
namespace {

namespace po = boost::program_options;

using Names = std::vector<std::string>;

const Names kDTypes = {
#define CKPT_DTYPE(enumerator, name, bits, dtype_class) name,
#include "tensor/dtypes.def"
#undef CKPT_DTYPE
};

[[noreturn]] void fail_choice(std::string_view option, const std::string& value, const Names& choices) {
  fail(ErrorCode::kUsage, fmt::format("--{} takes {}, not {}{}", option, fmt::join(choices, ", "),
                                      quote(value), did_you_mean(value, choices)));
}

double number(const Parsed& parsed, const char* name) {
  if (parsed.values.count(name) == 0) return 0;
  const double value = parsed.values[name].as<double>();
  if (!std::isfinite(value) || value < 0)
    fail(ErrorCode::kUsage, fmt::format("--{} takes a number >= 0", name));
  return value;
}

std::string text(const Parsed& parsed, const char* name, const char* standard) {
  return parsed.values.count(name) != 0 ? parsed.values[name].as<std::string>() : standard;
}

// --only and --ignore: a part of the report by its name, or a glob over names and paths.
void read_selection(const Parsed& parsed, const char* name, std::vector<Glob>& globs,
                    std::set<diff::Part>& parts) {
  for (const std::string& value : list_of(parsed, name)) {
    const auto part = diff::part_from_name(value);
    if (!part) {
      globs.emplace_back(value);
      continue;
    }
    parts.insert(*part);
    if (*part == diff::Part::kWeights) parts.insert({diff::Part::kKeys, diff::Part::kLayout});
  }
}

std::vector<tensor::DType> read_dtypes(const Parsed& parsed) {
  std::vector<tensor::DType> out;
  for (const std::string& value : list_of(parsed, "dtype")) {
    const auto dtype = tensor::dtype_from_name(value);
    if (!dtype)
      fail(ErrorCode::kUsage,
           fmt::format("--dtype takes a torch dtype (float32, bfloat16, ...), not {}", quote(value)));
    out.push_back(*dtype);
  }
  return out;
}

// "[2, *]" and "2,*" are one shape.
std::vector<Glob> read_shapes(const Parsed& parsed) {
  std::vector<Glob> out;
  for (std::string value : list_of(parsed, "shape")) {
    std::erase(value, ' ');
    if (value.starts_with('[') && value.ends_with(']')) value = value.substr(1, value.size() - 2);
    std::string spaced;
    for (const char c : value) {
      if ((c < '0' || c > '9') && c != ',' && c != '*')
        fail(ErrorCode::kUsage, fmt::format("--shape takes sizes like '[*, 768]', not {}", quote(value)));
      spaced += c;
      if (c == ',') spaced += ' ';
    }
    out.emplace_back("[" + spaced + "]");
  }
  return out;
}

double tolerance_number(const std::string& file, const YamlNode& node) {
  double value = 0;
  const auto parsed = std::from_chars(node.text.data(), node.text.data() + node.text.size(), value);
  const bool whole =
      node.is_scalar() && parsed.ec == std::errc{} && parsed.ptr == node.text.data() + node.text.size();
  if (!whole || !std::isfinite(value) || value < 0)
    yaml_fail(file, node, "expected a number >= 0, not " + describe(node));
  return value;
}

// A map: glob -> {rtol: R, atol: A}.
std::vector<diff::GlobTolerance> read_tolerances(const std::string& file) {
  const YamlNode root = read_yaml(read_yaml_text(file, "a file of tolerances"), file, "a map of tolerances");
  std::vector<diff::GlobTolerance> out;
  for (std::size_t i = 0; i < root.keys.size(); ++i) {
    const YamlNode& value = root.items[i];
    if (!value.is_map()) yaml_fail(file, value, "expected {rtol: R, atol: A}, not " + describe(value));
    diff::GlobTolerance item{Glob(root.keys[i].text), {}};
    for (std::size_t k = 0; k < value.keys.size(); ++k) {
      const std::string& key = value.keys[k].text;
      const Names known = {"rtol", "atol"};
      if (key != "rtol" && key != "atol")
        yaml_fail(
            file, value.keys[k],
            fmt::format("unknown key {}{}; known keys: rtol, atol", quote(key), did_you_mean(key, known)));
      (key == "rtol" ? item.tolerance.rtol : item.tolerance.atol) = tolerance_number(file, value.items[k]);
    }
    out.push_back(std::move(item));
  }
  return out;
}

Names profile_names() {
  Names names;
  for (const diff::Profile profile : diff::kProfiles) names.emplace_back(diff::to_string(profile));
  return names;
}

diff::Profile read_profile(const std::string& value) {
  if (const auto profile = diff::profile_from_name(value)) return *profile;
  fail_choice("compat", value, profile_names());
}

// Splits FILE#SUBTREE, unless a file has that whole name.
std::pair<std::string, std::string> split_subtree(const std::string& operand) {
  const std::size_t mark = operand.rfind('#');
  std::error_code none;
  const bool has_subtree = mark != operand.npos && mark > 0 && mark + 1 < operand.size() &&
                           !std::filesystem::exists(operand, none);
  if (!has_subtree) return {operand, ""};
  return {operand.substr(0, mark), operand.substr(mark + 1)};
}

void read_operands(const Parsed& parsed, DiffCommand& out) {
  Names& subtrees = out.options.names.subtrees;
  for (const std::string& operand : parsed.operands) {
    auto [file, subtree] = split_subtree(operand);
    out.files.push_back(std::move(file));
    subtrees.push_back(std::move(subtree));
  }
  for (const std::string& value : list_of(parsed, "subtree")) {
    const auto [file, subtree] = split_subtree(value);
    if (!subtree.empty() && std::find(out.files.begin(), out.files.end(), file) == out.files.end())
      fail(ErrorCode::kUsage,
           fmt::format("--subtree {}: {} is not one of the files", quote(value), quote(file)));
    for (std::size_t i = 0; i < out.files.size(); ++i) {
      if (subtree.empty())
        subtrees[i] = value;
      else if (out.files[i] == file)
        subtrees[i] = subtree;
    }
  }
  if (std::all_of(subtrees.begin(), subtrees.end(), [](const std::string& s) { return s.empty(); }))
    subtrees.clear();
}

diff::Options diff_options(const Parsed& parsed) {
  diff::Options options;
  options.tolerance.rtol = number(parsed, "rtol");
  options.tolerance.atol = number(parsed, "atol");
  options.close = parsed.values.count("close") != 0;
  if (options.close && (options.tolerance.rtol > 0 || options.tolerance.atol > 0))
    fail(ErrorCode::kUsage, "--close sets its own tolerances; drop --rtol and --atol, or drop --close");
  const std::string nan = text(parsed, "nan", "equal");
  if (nan != "equal" && nan != "differ") fail_choice("nan", nan, {"equal", "differ"});
  options.tolerance.nan_equal = nan == "equal";
  for (const std::string& file : list_of(parsed, "tolerances"))
    for (diff::GlobTolerance& item : read_tolerances(file)) options.tolerances.push_back(std::move(item));
  read_selection(parsed, "only", options.only, options.only_parts);
  read_selection(parsed, "ignore", options.ignore, options.ignore_parts);
  options.dtypes = read_dtypes(parsed);
  options.shapes = read_shapes(parsed);
  for (const std::string& map : list_of(parsed, "map")) options.names.maps.emplace_back(map);
  options.names.strip_prefixes = list_of(parsed, "strip-prefix");
  options.names.find_renames = parsed.values.count("no-renames") == 0;
  options.migrate = parsed.values.count("no-migrate") == 0;
  options.jobs = parsed.jobs;
  return options;
}

std::optional<unsigned> read_precision(const Parsed& parsed) {
  if (parsed.values.count("precision") == 0) return std::nullopt;
  const auto digits = parsed.values["precision"].as<unsigned>();
  if (digits < 1 || digits > 17) fail(ErrorCode::kUsage, "--precision takes a number from 1 to 17");
  return digits;
}

diff::ReportOptions report_options(const Parsed& parsed) {
  diff::ReportOptions out;
  out.all = parsed.values.count("all") != 0;
  out.summary = parsed.values.count("summary") != 0;
  if (parsed.values.count("top") != 0) out.top = parsed.values["top"].as<unsigned>();
  out.precision = read_precision(parsed);
  const std::string sort = text(parsed, "sort", "change");
  if (sort == "rel-l2")
    out.sort = diff::SortBy::kRelL2;
  else if (sort == "max")
    out.sort = diff::SortBy::kMaxAbs;
  else if (sort == "name")
    out.sort = diff::SortBy::kName;
  else if (sort != "change")
    fail_choice("sort", sort, {"change", "rel-l2", "max", "name"});
  if (parsed.values.count("compat") != 0) out.gate = read_profile(parsed.values["compat"].as<std::string>());
  return out;
}

}  // namespace

// clang-format off: a table
OptionGroups diff_option_groups() {
  const auto list = [] { return po::value<Names>(); };
  OptionGroup run("A run");
  run.add_options()(
      "trajectory",
      "follow a run through its checkpoints: files, folders of checkpoints and patterns, in the "
      "order of their steps; ends with 0")(
      "from", po::value<std::string>()->value_name("WHAT"),
      "show the change of modules from the previous or the base (first) checkpoint (default: previous)");
  OptionGroup own("What is compared");
  own.add_options()("only", list()->value_name("WHAT"),
                    fmt::format("compare only WHAT: a glob of tensor names or paths, or a part: {}; "
                                "repeatable",
                                fmt::join(diff::part_names(), " "))
                        .c_str())("ignore", list()->value_name("WHAT"),
                                  "skip WHAT, spelled as for --only; repeatable")(
      "dtype", list()->value_name("NAME"),
      "compare only tensors that have this dtype in either file; repeatable")(
      "shape", list()->value_name("SIZES"),
      "compare only tensors of this shape, such as '[*, 768]'; repeatable")(
      "subtree", list()->value_name("PATH"),
      "compare only what is below PATH: in every file, or with FILE#PATH in that file (FILE#PATH also works "
      "as "
      "an operand)");
  OptionGroup names("Weight names");
  names.add_options()("map", list()->value_name("RE=>REPL"),
                      "rewrite weight names: replace the first match of RE (RE2) with REPL; repeatable")(
      "strip-prefix", list()->value_name("TEXT"), "strip TEXT from the start of weight names; repeatable")(
      "no-renames", "do not look for renamed weights")("no-migrate",
                                                       "do not migrate files of an older Lightning version");
  OptionGroup equal("What counts as equal");
  equal.add_options()("rtol", po::value<double>()->value_name("R"),
                      "equal if |new - base| <= atol + R * |base| (default: 0, exact)")(
      "atol", po::value<double>()->value_name("A"), "see --rtol (default: 0)")(
      "close", "use the tolerances of torch.testing.assert_close for each dtype")(
      "tolerances", list()->value_name("FILE"),
      "read tolerances by name from a YAML file: \"head.**\": {rtol: 1e-3, atol: 1e-5}")(
      "nan", po::value<std::string>()->value_name("HOW"),
      "treat two NaNs as equal or differ (default: equal)")(
      "compat", po::value<std::string>()->value_name("PROFILE"),
      "act as a gate: exit with 1 only if the file cannot replace the base for PROFILE: resume, load, "
      "load-partial or numeric");
  OptionGroup shown("What is shown");
  shown.add_options()("all,a", "print one line per change, without folding")(
      "summary", "print only the section headings")("top", po::value<unsigned>()->value_name("N"),
                                                    "print at most N lines per section (default: 20)")(
      "sort", po::value<std::string>()->value_name("BY"),
      "sort tensors by their share of the whole change, by rel-l2, max or name (default: change)")(
      "precision", po::value<unsigned>()->value_name("N"),
      "significant digits of the numbers (default: 3 of a difference, 6 of a value)")(
      "explain", po::value<std::string>()->value_name("WORD"),
      "explain a rule or kind of difference (what it means, how to fix it), a profile of --compat, or a "
      "part")("list-rules", "list the kinds of differences and incompatibilities");
  OptionGroup git("Git");
  git.add_options()("git",
                    "compare as git's external diff driver: PATH OLD-FILE OLD-HEX OLD-MODE NEW-FILE NEW-HEX "
                    "NEW-MODE follow; ends with 0")(
      "git-setup", "print the commands that make git compare checkpoints with this program");
  own.choose("only", diff::part_names());
  own.choose("ignore", diff::part_names());
  own.choose("dtype", kDTypes);
  equal.choose("nan", {"equal", "differ"});
  equal.choose("compat", profile_names());
  shown.choose("sort", {"change", "rel-l2", "max", "name"});
  shown.choose("explain", diff::explained_words());
  run.choose("from", {"previous", "base"});
  return {run, own, names, equal, shown, git};
}
// clang-format on

DiffCommand diff_command_without_files(const Parsed& parsed) {
  if (parsed.values.count("from") != 0)
    fail(ErrorCode::kUsage, "--from is about --trajectory; a comparison is always with the first file");
  DiffCommand out;
  out.options = diff_options(parsed);
  out.report = report_options(parsed);
  return out;
}

DiffCommand diff_command(const Parsed& parsed) {
  DiffCommand out = diff_command_without_files(parsed);
  read_operands(parsed, out);
  if (out.report.gate && !is_whole(out.options))
    fail(ErrorCode::kUsage, "--compat judges whole files; drop the filters and subtrees");
  return out;
}

bool is_whole(const diff::Options& options) {
  return !options.filters_places() && options.only_parts.empty() && options.ignore_parts.empty() &&
         options.names.subtrees.empty();
}

TrajectoryCommand trajectory_command(const Parsed& parsed) {
  for (const char* name :
       {"subtree", "rtol", "atol", "close", "tolerances", "nan", "compat", "summary", "sort"})
    if (parsed.values.count(name) != 0)
      fail(ErrorCode::kUsage, fmt::format("--{} has no meaning with --trajectory; drop one of them", name));
  TrajectoryCommand out;
  out.options = diff_options(parsed);
  if (!out.options.only_parts.empty() || !out.options.ignore_parts.empty())
    fail(ErrorCode::kUsage,
         "--trajectory follows weights: --only and --ignore take globs of their names, not parts");
  out.view.all = parsed.values.count("all") != 0;
  if (parsed.values.count("top") != 0) out.view.top = parsed.values["top"].as<unsigned>();
  out.view.precision = read_precision(parsed);
  const std::string from = text(parsed, "from", "previous");
  if (from != "previous" && from != "base") fail_choice("from", from, {"previous", "base"});
  if (from == "base") out.view.from = diff::ChangeFrom::kBase;
  return out;
}

void check_filters(const diff::Diff& diff, const diff::Options& options) {
  for (const Glob& glob : options.only) {
    const bool found = std::any_of(diff.sides.begin(), diff.sides.end(), [&](const diff::Side& side) {
      return std::any_of(side.places.begin(), side.places.end(),
                         [&](const diff::Place& place) { return diff::matches_place(glob, place); });
    });
    if (!found)
      fail(ErrorCode::kUsage,
           fmt::format("--only {} matches nothing in any of the files", quote(glob.pattern())));
  }
}

}  // namespace ckpt::cli
