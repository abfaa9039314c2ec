// The house rules that a program can check: which layer includes which, how long a file may be, what must
// not appear. The order of the layers is read from CMakeLists.txt, the one place where it is written.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/files.h"

namespace ckpt::test {

namespace {

namespace fs = std::filesystem;
using Layers = std::map<std::string, std::set<std::string>>;  // a layer -> what it may include besides itself

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

// ckpt_layer(io DEPENDS base LINK fmt::fmt)
Layers read_layers(std::string_view cmake) {
  constexpr std::string_view kCall = "ckpt_layer(";
  Layers layers;
  for (const std::string& line : split_lines(cmake)) {
    const auto end = line.find(')');
    if (!line.starts_with(kCall) || end == std::string::npos) continue;
    const auto words = words_of(std::string_view(line).substr(kCall.size(), end - kCall.size()));
    auto& depends = layers[words.at(0)];
    bool in_depends = false;
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (words[i] == "DEPENDS" || words[i] == "LINK") {
        in_depends = words[i] == "DEPENDS";
      } else if (in_depends) {
        depends.insert(words[i]);
      }
    }
  }
  return layers;
}

// What stands between the quotes or brackets of the #include lines, with its opening mark: "base/text.h or
// <vector>
std::vector<std::string> includes_of(std::string_view text) {
  std::vector<std::string> found;
  for (const std::string& line : split_lines(text)) {
    const auto hash = line.find_first_not_of(" \t");
    if (hash == std::string::npos || line[hash] != '#') continue;
    const auto word = line.find("include", hash);
    const auto open = line.find_first_of("\"<", hash);
    if (word == std::string::npos || open == std::string::npos || word > open) continue;
    const auto close = line.find_first_of("\">", open + 1);
    if (close != std::string::npos) found.push_back(line.substr(open, close - open));
  }
  return found;
}

std::vector<std::string> wrong_includes(const std::string& layer, std::string_view text,
                                        const Layers& layers) {
  std::vector<std::string> wrong;
  for (const std::string& include : includes_of(text)) {
    const auto slash = include.find('/');
    if (include.front() != '"' || slash == std::string::npos) continue;
    const std::string target = include.substr(1, slash - 1);
    if (target != layer && layers.count(target) != 0 && layers.at(layer).count(target) == 0)
      wrong.push_back(include.substr(1));
  }
  return wrong;
}

// The layers besides `layer` that a file of it includes.
std::set<std::string> included_layers(const std::string& layer, std::string_view text, const Layers& layers) {
  std::set<std::string> included;
  for (const std::string& include : includes_of(text)) {
    const auto slash = include.find('/');
    if (include.front() != '"' || slash == std::string::npos) continue;
    std::string target = include.substr(1, slash - 1);
    if (target != layer && layers.count(target) != 0) included.insert(std::move(target));
  }
  return included;
}

// inline constexpr char kLoops[] = "loops";
std::set<std::string> keys_in(std::string_view text) {
  std::set<std::string> keys;
  for (const std::string& line : split_lines(text)) {
    const auto open = line.find("[] = \"");
    if (!line.starts_with("inline constexpr char k") || open == std::string::npos) continue;
    const auto begin = open + 6;
    keys.insert(line.substr(begin, line.find('"', begin) - begin));
  }
  return keys;
}

// The string literals of a line of code, without those in comments. Raw strings are none: they hold whole
// paths.
std::vector<std::string> literals_of(const std::string& line) {
  std::vector<std::string> literals;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line.compare(i, 2, "//") == 0) break;
    if (line.compare(i, 3, "R\"(") == 0) {
      const auto end = line.find(")\"", i);
      if (end == std::string::npos) break;
      i = end + 1;
    } else if (line.compare(i, 3, "'\"'") == 0) {
      i += 2;
    } else if (line[i] == '"') {
      std::size_t end = i + 1;
      while (end < line.size() && line[end] != '"') end += line[end] == '\\' ? 2u : 1u;
      literals.push_back(line.substr(i + 1, std::min(end, line.size()) - i - 1));
      i = end;
    }
  }
  return literals;
}

std::vector<std::string> spelled_keys(std::string_view text, const std::set<std::string>& keys) {
  std::vector<std::string> spelled;
  for (const std::string& line : split_lines(text)) {
    if (line.starts_with("#")) continue;
    for (const std::string& literal : literals_of(line))
      if (keys.count(literal) != 0) spelled.push_back(literal);
  }
  return spelled;
}

bool is_code(const fs::path& path) {
  static const std::set<std::string> kinds{".h", ".cpp", ".def"};
  return kinds.count(path.extension().string()) != 0;
}

bool is_text(const fs::path& path) {
  static const std::set<std::string> kinds{".h", ".cpp", ".def", ".md", ".yaml", ".py", ".cmake"};
  return path.filename() == "CMakeLists.txt" || kinds.count(path.extension().string()) != 0;
}

std::vector<fs::path> code_below(const char* folder) {
  std::vector<fs::path> files = files_below(source_dir() / folder);
  files.erase(std::remove_if(files.begin(), files.end(), [](const fs::path& file) { return !is_code(file); }),
              files.end());
  return files;
}

std::string layer_of(const std::string& name) {  // "src/io/zip.cpp" -> "io"
  const auto first = name.find('/');
  const auto second = name.find('/', first + 1);
  return second == std::string::npos ? "" : name.substr(first + 1, second - first - 1);
}

std::set<std::string> identifiers_in(std::string_view text) {
  std::set<std::string> names;
  std::string word;
  for (const char c : std::string(text) + ' ') {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      word += c;
    } else if (!word.empty()) {
      names.insert(std::exchange(word, {}));
    }
  }
  return names;
}

// The constants that a file defines for the list of its folder: "const Check kTensorStat{" gives kTensorStat.
std::vector<std::string> defined_in(std::string_view text, const std::string& type) {
  const std::string start = "const " + type + " k";
  std::vector<std::string> names;
  for (const std::string& line : split_lines(text)) {
    const auto at = line.find(start);
    if (at == std::string::npos || line.starts_with("//") || line.starts_with("extern") ||
        line.find('[') != std::string::npos)
      continue;
    const auto first = at + start.size() - 1;
    names.push_back(line.substr(first, line.find_first_of(" ={(;", first) - first));
  }
  return names;
}

// Code that the listed ones share has a header in the folder: its own, or one that it includes.
bool is_shared_part(const fs::path& file, const std::string& text) {
  if (fs::exists(fs::path(file).replace_extension(".h"))) return true;
  const auto includes = includes_of(text);
  return std::any_of(includes.begin(), includes.end(), [&](const std::string& include) {
    const fs::path header = source_dir() / "src" / include.substr(1);
    return header.parent_path() == file.parent_path() && header.stem() != "list";
  });
}

std::string name_of(const fs::path& file) { return relative_name(file, source_dir()); }

// Places of this or that machine. In two parts, so that this file does not hold what it looks for.
std::vector<std::string> foreign_places() {
  return {std::string("../") + "shared", std::string("/wo") + "rk/", std::string("/tm") + "p/"};
}

}  // namespace

TEST_CASE("a layer includes itself and what CMakeLists.txt lets it depend on") {
  const Layers layers = read_layers(read_file(source_dir() / "CMakeLists.txt"));
  REQUIRE(layers.size() >= 10);
  for (const auto& file : code_below("src")) {
    const std::string name = name_of(file);
    const std::string layer = layer_of(name);
    CAPTURE(name);
    REQUIRE(layers.count(layer) == 1);
    for (const std::string& include : wrong_includes(layer, read_file(file), layers))
      FAIL_CHECK(name, " includes ", include, ", which ", layer, " must not depend on");
  }
}

TEST_CASE("a layer includes everything that CMakeLists.txt lets it depend on") {
  const Layers layers = read_layers(read_file(source_dir() / "CMakeLists.txt"));
  std::map<std::string, std::set<std::string>> used;
  for (const auto& file : code_below("src")) {
    const std::string layer = layer_of(name_of(file));
    used[layer].merge(included_layers(layer, read_file(file), layers));
  }
  for (const auto& entry : layers) {
    const std::string& layer = entry.first;
    for (const std::string& target : entry.second)
      CHECK_MESSAGE(used[layer].count(target) == 1, layer, " includes nothing of ", target,
                    ": take it out of its DEPENDS");
  }
}

TEST_CASE("the layers depend on earlier ones only") {
  std::set<std::string> earlier;
  for (const std::string& line : split_lines(read_file(source_dir() / "CMakeLists.txt"))) {
    for (const auto& row : read_layers(line)) {
      const auto& layer = row.first;
      const auto& depends = row.second;
      CAPTURE(layer);
      for (const std::string& target : depends) CHECK_MESSAGE(earlier.count(target) == 1, target);
      earlier.insert(layer);
    }
  }
}

TEST_CASE("an include of a later layer or of a dependency's dependency is noticed") {
  const Layers layers =
      read_layers("ckpt_layer(a LINK x)\nckpt_layer(b DEPENDS a LINK x y)\nckpt_layer(c DEPENDS b)\n");
  using Names = std::vector<std::string>;
  CHECK(wrong_includes("a", "#include \"b/x.h\"\n#include <b/x.h>\n#include \"a/y.h\"\n", layers) ==
        Names{"b/x.h"});
  CHECK(wrong_includes("c", "#include \"b/x.h\"\n#  include \"a/x.h\"\n", layers) == Names{"a/x.h"});
  CHECK(wrong_includes("b", "#include \"a/x.h\"\n// a comment that mentions \"c/x.h\"\n", layers).empty());
}

// Words that are other things as well: a pickled object's state, the parameter `state` of a rule ...
static const std::set<std::string>& ordinary_words() {
  static const std::set<std::string> kWords{"state", "step", "params", "scale", "lr"};
  return kWords;
}

// The Trainer's folders of DeepSpeed lack two of its keys, which the reader puts back.
static constexpr const char* kDeepSpeedKeys = "src/checkpoint/formats/deepspeed_keys.h";

TEST_CASE("the keys of Lightning's items are spelled in training/ only") {
  std::set<std::string> keys = keys_in(read_file(source_dir() / "src/training/keys.h"));
  REQUIRE(keys.count("optimizer_states") == 1);
  REQUIRE(keys.count("_last_lr") == 1);
  for (const std::string& word : ordinary_words()) CHECK_MESSAGE(keys.erase(word) == 1, word);
  for (const auto& file : code_below("src")) {
    const std::string name = name_of(file);
    if (layer_of(name) == "training" || name == kDeepSpeedKeys) continue;
    for (const std::string& key : spelled_keys(read_file(file), keys))
      FAIL_CHECK(name, " spells \"", key, "\": use training/keys.h");
  }
}

TEST_CASE("the layers below training/ know nothing of Lightning") {
  // open.cpp names Lightning's own command in the advice about files that only it can merge;
  // python_objects.cpp the modules of a class that is pickled like any other.
  const std::set<std::string> allowed{"src/checkpoint/open.cpp", "src/checkpoint/formats/python_objects.cpp",
                                      kDeepSpeedKeys};
  const Layers layers = read_layers(read_file(source_dir() / "CMakeLists.txt"));
  for (const auto& file : code_below("src")) {
    const std::string name = name_of(file);
    const bool above = layers.at(layer_of(name)).count("training") == 1 || layer_of(name) == "training";
    if (above || allowed.count(name) == 1) continue;
    const std::string text = read_file(file);
    for (const char* word : {"ightning", "optimizer_states", "param_groups", "lr_schedulers"})
      CHECK_MESSAGE(text.find(word) == std::string::npos, name, " mentions ", word);
  }
}

TEST_CASE("a key in a literal is noticed, in a comment or a message it is not") {
  using Names = std::vector<std::string>;
  const std::set<std::string> keys{"loops"};
  CHECK(keys_in("inline constexpr char kLoops[] = \"loops\";  // since 1.6\nconstexpr int kA[] = {};") ==
        keys);
  CHECK(spelled_keys("f(\"a \\\" b\", '\"', \"loops\");", keys) == Names{"loops"});
  CHECK(spelled_keys("// \"loops\"\nf(\"no loops\"); R\"([\"loops\"])\"\n#include \"loops\"", keys).empty());
}

TEST_CASE("an edge of the table that nothing uses is noticed") {
  const Layers layers = read_layers("ckpt_layer(a)\nckpt_layer(b DEPENDS a)\nckpt_layer(c DEPENDS a b)\n");
  CHECK(included_layers("c", "#include \"a/x.h\"\n#include \"c/y.h\"\n#include <b>\n", layers) ==
        std::set<std::string>{"a"});
}

TEST_CASE("no source file is longer than 600 lines") {
  constexpr std::size_t kHardCap = 600, kSoftCap = 400;
  for (const char* folder : {"src", "tests"}) {
    for (const auto& file : code_below(folder)) {
      const std::size_t lines = split_lines(read_file(file)).size();
      CHECK_MESSAGE(lines <= kHardCap, name_of(file), " has ", lines, " lines: split it");
      if (lines > kSoftCap) MESSAGE(name_of(file), " has ", lines, " lines, more than ", kSoftCap);
    }
  }
}

TEST_CASE("nothing in src uses std::regex, and only io/zip_*.cpp knows libzip") {
  for (const auto& file : code_below("src")) {
    const std::string name = name_of(file);
    for (const std::string& include : includes_of(read_file(file))) {
      CHECK_MESSAGE(include != "<regex", name,
                    ": std::regex overflows the stack on long names; use base/glob.h");
      const bool may_zip = name.starts_with("src/io/zip_") && name.ends_with(".cpp");
      if (include == "<zip.h") CHECK_MESSAGE(may_zip, name, ": use io/zip_archive.h");
    }
  }
}

TEST_CASE("every format, check and reporter is in the list of its folder") {
  const std::vector<std::pair<const char*, const char*>> folders{{"src/checkpoint/formats", "Format"},
                                                                 {"src/lint/checks", "Check"},
                                                                 {"src/report/reporters", "Reporter"}};
  for (const auto& entry : folders) {
    const char* const type = entry.second;
    const fs::path path = source_dir() / entry.first;
    CAPTURE(path.string());
    REQUIRE(fs::exists(path / "list.cpp"));
    for (const auto& file : files_below(path)) {
      if (file.extension() != ".cpp" || file.stem() == "list") continue;
      const fs::path family = file.parent_path() / "list.def";  // the checks have a list for each family
      const auto listed = identifiers_in(read_file(fs::exists(family) ? family : path / "list.cpp"));
      const std::string text = read_file(file);
      const auto defined = defined_in(text, type);
      for (const auto& name : defined)
        CHECK_MESSAGE(listed.count(name) == 1, name, " of ", name_of(file), " is not in its list");
      if (defined.empty())
        CHECK_MESSAGE(is_shared_part(file, text), name_of(file), " defines no ", type,
                      " and is part of none");
    }
  }
}

TEST_CASE("a constant that is missing in a list is noticed") {
  using Names = std::vector<std::string>;
  CHECK(defined_in("const Check kTensorStat = {\nconst Check kOther{\n", "Check") ==
        Names{"kTensorStat", "kOther"});
  CHECK(defined_in("extern const Check kA;\n// const Check kB\nconst Check* kC[] = {", "Check").empty());
  CHECK(identifiers_in("{&kTensorStat, &ns::kJson};").count("kJson") == 1);
  CHECK(identifiers_in("{&kTensorStats};").count("kTensorStat") == 0);
}

TEST_CASE("no file names a place of one machine") {
  std::vector<fs::path> files{source_dir() / "README.md", source_dir() / "CHANGELOG.md",
                              source_dir() / "CMakeLists.txt"};
  for (const char* folder : {"src", "rules", "tests", "fixtures"})
    for (const auto& file : files_below(source_dir() / folder))
      if (is_text(file) && (std::string_view(folder) != "fixtures" || file.extension() == ".md"))
        files.push_back(file);
  for (const auto& file : files) {
    if (!fs::exists(file)) continue;
    const std::string text = read_file(file);
    for (const std::string& place : foreign_places())
      CHECK_MESSAGE(text.find(place) == std::string::npos, name_of(file), " mentions ", place);
  }
}

}  // namespace ckpt::test
