#include <fstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tests/report/samples.h"
#include "tests/support/json_schema.h"
#include "tests/support/sarif_checker.h"

using namespace ckpt;
using namespace ckpt::report;
using ckpt::test::render;
using nlohmann::json;

namespace {

// As GitHub's runner trims: blanks of any kind.
bool obeyed_by_ci(std::string line) {
  while (line.starts_with("\xC2\xA0") || line.starts_with(" ")) line.erase(0, line.front() == ' ' ? 1 : 2);
  return line.starts_with("::") || line.starts_with("##") || line.find("##[") != std::string::npos ||
         line.find("##vso[") != std::string::npos;
}

// A command of the "github" format itself: its properties end at the second "::", and hold none of the signs
// that would begin another one.
bool is_annotation(const std::string& line) {
  if (line.find("##[") != std::string::npos || line.find("##vso[") != std::string::npos) return false;
  for (const char* command : {"::error ", "::warning ", "::notice "}) {
    if (!line.starts_with(command)) continue;
    const std::size_t start = std::string_view(command).size();
    const std::string properties = line.substr(start, line.find("::", start) - start);
    const bool plain = properties.find(':') == std::string::npos;
    const bool both = properties.starts_with("file=") && properties.find(",title=") == properties.rfind(',');
    return plain && (both || properties == "title=ckpt-lint");
  }
  return false;
}

void check_lines(const std::string& text, bool annotations = false) {
  CHECK(is_utf8(text));
  CHECK_FALSE(test::has_hidden_characters(text, true));
  CHECK(text.ends_with('\n'));
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    const std::string line = text.substr(start, end - start);
    if (annotations)
      CHECK_MESSAGE(is_annotation(line), line);
    else
      CHECK_FALSE(obeyed_by_ci(line));
    start = end + 1;
  }
}

}  // namespace

TEST_CASE("no name can put control characters or commands for a CI system into a report") {
  RenderOptions verbose;
  verbose.verbose = true;
  for (const std::string& name : test::hostile_names()) {
    CAPTURE(quote(name.substr(0, 100)));
    for (const bool sections : {false, true}) {
      CAPTURE(sections);
      const Report report = test::named_report(name, sections);
      for (const Reporter& reporter : reporters()) {
        CAPTURE(reporter.name);
        check_lines(render(reporter.name, report, verbose), reporter.name == "github");
      }
      RenderOptions narrow;
      narrow.width = 20;
      check_lines(render("text", report, narrow));
    }
  }
}

TEST_CASE("JSON documents of hostile names are valid, of every format that is JSON") {
  std::ifstream file(CKPT_SOURCE_DIR "/tests/data/sarif-schema-2.1.0.json");
  const json schema = json::parse(file);
  for (const std::string& name : test::hostile_names()) {
    CAPTURE(quote(name.substr(0, 100)));
    const json plain = json::parse(render("json", test::named_report(name, false)));
    CHECK(plain["inputs"][0]["path"] == to_utf8(name));
    CHECK(plain["findings"][0]["properties"]["value"] == to_utf8(name));
    CHECK(json::parse(render("json", test::named_report(name, true)))["tensors"][0]["name"] == to_utf8(name));

    for (const json& issue : json::parse(render("gitlab", test::named_report(name, false)))) {
      CHECK(issue["location"]["path"] == to_utf8(issue["location"]["path"].get<std::string>()));
    }

    for (const SarifProfile profile : {SarifProfile::kOasis, SarifProfile::kGithub}) {
      RenderOptions options;
      options.sarif_profile = profile;
      const json log = json::parse(render("sarif", test::named_report(name, false), options));
      for (const std::string& problem : test::schema_problems(schema, log)) FAIL_CHECK(problem);
      // A value among the properties is the checkpoint's own, in JSON's escapes; everything else is clean.
      json shown = log;
      for (json& result : shown["runs"][0]["results"]) result.erase("properties");
      for (const std::string& problem : test::sarif_problems(shown, profile)) FAIL_CHECK(problem);
    }
  }
}

TEST_CASE("a name that needs no escaping is not touched in the text report") {
  const std::string text = render("text", test::named_report("encoder.0.weight", true));
  CHECK(text.find("encoder.0.weight") != std::string::npos);
  CHECK(text.find('\\') == std::string::npos);
}
