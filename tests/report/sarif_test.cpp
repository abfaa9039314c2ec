#include <algorithm>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/report/samples.h"
#include "tests/support/json_schema.h"
#include "tests/support/sarif_checker.h"

using namespace ckpt;
using namespace ckpt::report;
using ckpt::test::render;
using nlohmann::json;

namespace {

const json& schema() {
  static const json kSchema = [] {
    std::ifstream file(CKPT_SOURCE_DIR "/tests/data/sarif-schema-2.1.0.json");
    return json::parse(file);
  }();
  return kSchema;
}

json sarif_log(const Report& report, const RenderOptions& options = {}) {
  const std::string text = render("sarif", report, options);
  CHECK(text == render("sarif", report, options));
  return json::parse(text);
}

void check_log(const json& log, SarifProfile profile = SarifProfile::kOasis) {
  for (const std::string& problem : test::schema_problems(schema(), log)) FAIL_CHECK(problem);
  for (const std::string& problem : test::sarif_problems(log, profile)) FAIL_CHECK(problem);
}

json checked_log(const Report& report) {
  json log = sarif_log(report);
  check_log(log);
  return log;
}

const json& run_of(const json& log) { return log.at("runs").at(0); }

}  // namespace

#ifdef NDEBUG
constexpr std::size_t kMany = 25'001;
#else
constexpr std::size_t kMany = 5002;  // the schema alone takes a debug build over a minute for 25,001
#endif

TEST_CASE("SARIF logs of both profiles are valid and keep their promises, however many findings there are") {
  for (const SarifProfile profile : {SarifProfile::kOasis, SarifProfile::kGithub}) {
    for (const std::size_t findings : std::initializer_list<std::size_t>{0, 1, 5000, 5001, kMany}) {
      CAPTURE(findings);
      RenderOptions options;
      options.sarif_profile = profile;
      if (findings == kMany) options.max_findings = 0;
      const json log = sarif_log(test::lint_report_of(findings), options);
      check_log(log, profile);
      CHECK(run_of(log)["results"].size() ==
            (options.max_findings == 0 ? findings : std::min<std::size_t>(findings, 5000)));
    }
  }
  check_log(sarif_log(test::lint_report()));
  check_log(sarif_log(test::diff_report()));
}

TEST_CASE("of too many findings a SARIF log has the most severe ones and says how many there were") {
  const json log = sarif_log(test::lint_report_of(10'001));
  const json& run = run_of(log);
  const auto& results = run["results"];
  CHECK(std::all_of(results.begin(), results.end(), [](const json& r) { return r["level"] == "error"; }));
  CHECK(run["properties"]["summary"]["notes"] == 5001);
  CHECK(run["properties"]["summary"]["truncated"] == true);
  const json& note = run["invocations"][0]["toolExecutionNotifications"].at(0);
  CHECK(note["level"] == "warning");
  CHECK(note["descriptor"]["id"] == "findings-dropped");
  CHECK(note["message"]["text"] == "This log has only the most severe findings: '5000' of '10001'.");
}

TEST_CASE("a SARIF result says the finding in its rule's words, with the place and the file") {
  const json log = sarif_log(test::lint_report());
  const json& results = run_of(log)["results"];
  CHECK(results[1]["message"]["text"] ==
        "'state_dict[\"net.0.weight\"]' in 'model.ckpt': '1' NaN of '32' elements, first at '[3, 1]'.");
  CHECK(results[1]["message"]["id"] == "default");
  CHECK(results[0]["message"]["text"] ==
        "'optimizer_states' in 'model.ckpt': absent: training cannot resume from this file.");
  CHECK(results[2]["message"]["id"] == "plain");
  CHECK(results[2]["message"]["text"] ==
        "'lr_schedulers[0]._last_lr' in './runs/../b#1.ckpt': '2.5e-05, but it is 1e-04'.");
  CHECK(results[1]["properties"] == json{{"nanCount", 1}, {"shape", {8, 4}}, {"worst", "inf"}});
}

TEST_CASE("arguments of a template may or may not name the path and the file") {
  Report report = test::lint_report();
  report.findings = {report.findings[2]};
  Finding& finding = report.findings[0];
  finding.message = "1, but lr_schedulers[0]._last_lr in ./runs/../b#1.ckpt is '2'";
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"1", "2"}, {"1", "lr_schedulers[0]._last_lr", "./runs/../b#1.ckpt", "2"}}) {
    finding.arguments = arguments;
    const json message = run_of(sarif_log(report))["results"][0]["message"];
    CHECK(message["id"] == "default");
    CHECK(message["arguments"].size() == 4);
    CHECK(message["arguments"][3] == "2");
  }
}

TEST_CASE("fingerprints are the hash of the path and the kind of finding") {
  const struct {
    const char* path;
    const char* kind;
    const char* hash;
  } cases[] = {
      {"state_dict[\"encoder.0.weight\"]", "non-finite", "f0d1450e5215b8c3:1"},
      {"optimizer_states", "missing", "7d247d29863015f2:1"},
      {"hyper_parameters.lr", "changed", "0cdef588a5ecd318:1"},
  };
  for (const auto& each : cases) {
    Report report = test::lint_report_of(1);
    report.findings[0].where.path = each.path;
    report.findings[0].kind = each.kind;
    const json prints = run_of(sarif_log(report))["results"][0]["partialFingerprints"];
    CHECK(prints["primaryLocationLineHash"] == each.hash);
    CHECK(prints["checkpointPath/v1"].get<std::string>().size() == 64);
  }
}

TEST_CASE("fingerprints do not change with numbers and keep true duplicates apart") {
  Report report = test::lint_report();
  const auto prints = [&report] {
    std::vector<std::string> all;
    const json log = sarif_log(report);
    for (const json& result : run_of(log)["results"]) {
      all.push_back(result["partialFingerprints"]["primaryLocationLineHash"]);
    }
    return all;
  };
  const auto before = prints();
  report.findings[1].message = "7 NaN of 64 elements, first at [0, 0]";
  report.findings[1].arguments = {"7", "64", "[0, 0]"};
  report.findings[1].where.bytes = ByteRange{2000, 4};
  report.findings[1].properties.clear();
  report.inputs[0].size = 4000;
  CHECK(prints() == before);

  report.findings.push_back(report.findings[1]);
  CHECK(prints().back() == before[1].substr(0, before[1].size() - 1) + "2");
  check_log(sarif_log(report));
}

TEST_CASE("regions are in bytes, and where 32 bits do not hold them they go into the property bag") {
  Report report = test::lint_report_of(1);
  const auto location = [&report](std::optional<ByteRange> bytes, std::uint64_t size) {
    report.findings[0].where.bytes = bytes;
    report.inputs[0].size = size;
    const json log = sarif_log(report);
    check_log(log);
    return run_of(log)["results"][0]["locations"][0];
  };
  const auto region = [](std::uint64_t offset, std::uint64_t size) {
    return json{{"byteOffset", offset}, {"byteLength", size}};
  };
  CHECK(location(std::nullopt, 77)["physicalLocation"]["region"] == region(0, 77));
  CHECK(location(ByteRange{10, 0}, 10)["physicalLocation"]["region"] == region(10, 0));
  CHECK(location(ByteRange{2147483640, 7}, 5'000'000'000)["physicalLocation"]["region"] ==
        region(2147483640, 7));
  for (const ByteRange& far :
       {ByteRange{2147483640, 8}, ByteRange{2147483648, 1}, ByteRange{8589934592, 4}}) {
    const json where = location(far, 9'000'000'000);
    CHECK_FALSE(where["physicalLocation"].contains("region"));
    CHECK(where["properties"] == region(far.offset, far.size));
  }
  CHECK_FALSE(location(std::nullopt, 5'000'000'000)["physicalLocation"].contains("region"));
}

TEST_CASE("places have their parents, and a path never counts twice") {
  Report report = test::lint_report();
  report.findings[0].where.path = "optimizer_states[0].state[3][\"a.b[\\\"]\"]";
  const json places = run_of(sarif_log(report))["logicalLocations"];
  REQUIRE(places.size() > 5);
  CHECK(places[0] == json{{"name", "optimizer_states"}, {"fullyQualifiedName", "optimizer_states"}});
  CHECK(places[1] == json{{"name", "0"},
                          {"fullyQualifiedName", "optimizer_states[0]"},
                          {"parentIndex", 0},
                          {"kind", "object"}});
  CHECK(places[2]["fullyQualifiedName"] == "optimizer_states[0].state");
  CHECK(places[3]["fullyQualifiedName"] == "optimizer_states[0].state[3]");
  CHECK(places[4]["name"] == "a.b[\\\"]");
  CHECK(places[4]["parentIndex"] == 3);
  CHECK(places[4]["kind"] == "property");
}

TEST_CASE("a path of a thousand parts has a bounded number of parents in SARIF") {
  Report report = test::lint_report_of(1);
  std::string& path = report.findings[0].where.path;
  path = "a";
  for (int i = 0; i < 1000; ++i) path += "[0]";
  const json log = checked_log(report);
  CHECK(run_of(log)["logicalLocations"].size() == 33);
}

TEST_CASE("a finding about the whole file has no logical location") {
  Report report = test::lint_report_of(2);
  report.findings[0].where.path = "";
  report.findings[1].where.path = "<root>";
  const json log = checked_log(report);
  for (const json& result : run_of(log)["results"]) {
    CHECK_FALSE(result["locations"][0].contains("logicalLocations"));
    CHECK(result["message"]["text"].get<std::string>().starts_with("'whole file' in "));
  }
}

TEST_CASE("one file given twice is one artifact with both roles") {
  Report report = test::diff_report();
  report.inputs[1].path = "./a.ckpt";
  report.inputs[1].size = report.inputs[0].size;
  const json log = checked_log(report);
  const json& artifacts = run_of(log)["artifacts"];
  REQUIRE(artifacts.size() == 1);
  CHECK(artifacts[0]["roles"] == json{"analysisTarget", "referencedOnCommandLine"});
}

TEST_CASE("artifacts carry type, role and length, and a length beyond 32 bits in the property bag") {
  Report report = test::lint_report();
  report.inputs[0].role = Role::kRules;
  const json artifacts = run_of(sarif_log(report))["artifacts"];
  CHECK(artifacts[0]["mimeType"] == "application/yaml");
  CHECK(artifacts[0]["roles"] == json{"userSpecifiedConfiguration"});
  CHECK(artifacts[0]["length"] == 5000);
  CHECK_FALSE(artifacts[1].contains("length"));
  CHECK(artifacts[1]["location"]["uri"] == "b%231.ckpt");
  CHECK(artifacts[1]["properties"] == json{{"byteLength", 3'000'000'000}, {"format", "torch-zip"}});
  CHECK(artifacts[1]["mimeType"] == "application/zip");
  CHECK(artifacts[2]["mimeType"] == "application/octet-stream");
}

TEST_CASE("an unreadable input is a notification of level error, and the run is not a success") {
  const json log = sarif_log(test::lint_report());
  const json& invocation = run_of(log)["invocations"][0];
  CHECK(invocation["commandLine"] == "ckpt-lint --rules 'my rules.yaml' model.ckpt");
  CHECK(invocation["arguments"] == json{"--rules", "my rules.yaml", "model.ckpt"});
  CHECK(invocation["exitCode"] == 2);
  CHECK(invocation["executionSuccessful"] == false);
  CHECK(invocation["exitCodeDescription"] == "Findings were reported, and one input could not be checked.");
  const json& notes = invocation["toolExecutionNotifications"];
  REQUIRE(notes.size() == 1);
  CHECK(notes[0]["level"] == "error");
  CHECK(notes[0]["message"]["text"] ==
        "'broken.ckpt' could not be read: 'it has 12 bytes, but its index describes 99 bytes'.");
  CHECK(run_of(sarif_log(test::diff_report()))["invocations"][0]["executionSuccessful"] == true);
}

TEST_CASE(
    "all rules are described in SARIF, those that did not fire too, and a team's rule with a title alone") {
  const json log = sarif_log(test::lint_report_of(0));
  const json& rules = run_of(log)["tool"]["driver"]["rules"];
  REQUIRE(rules.size() == 4);
  CHECK(rules[0]["name"] == "WeightsNonfinite");
  CHECK(rules[0]["defaultConfiguration"]["level"] == "error");
  CHECK(rules[0]["properties"] == json{{"tags", {"checkpoint", "numerics"}},
                                       {"precision", "very-high"},
                                       {"problem.severity", "error"}});
  CHECK(rules[0]["help"]["text"] == "Why: Because of `<root>` and <root>.\n\nFix: Save it again.");
  CHECK(rules[0]["help"]["markdown"] ==
        "**Why:** Because of `<root>` and &lt;root>.\n\n**Fix:** Save it again.\n\n**References:**\n"
        "\n- <https://example.org/thread/1>\n- torch/serialization.py");
  CHECK(rules[3]["fullDescription"] == rules[3]["shortDescription"]);
  CHECK(rules[3]["properties"]["problem.severity"] == "recommendation");
}

TEST_CASE("a finding of a rule that the report does not list is a bug, not a broken log") {
  Report report = test::lint_report_of(1);
  report.rules.clear();
  CHECK_THROWS_AS(render("sarif", report), std::logic_error);
}

TEST_CASE("the SARIF checker notices each kind of broken promise") {
  const json good = sarif_log(test::lint_report());
  const std::pair<std::string, json> changes[] = {
      {"/runs/0/results/0/ruleIndex", 0},
      {"/runs/0/results/0/locations/0/physicalLocation/artifactLocation/index", 1},
      {"/runs/0/results/1/locations/0/logicalLocations/0/index", 0},
      {"/runs/0/results/1/locations/0/physicalLocation/region/startLine", 1},
      {"/runs/0/results/1/locations/0/physicalLocation/region/byteOffset", 2147483647},
      {"/runs/0/results/1/message/text", "something else"},
      {"/runs/0/results/1/message/arguments/0", "x\u001b"},
      {"/runs/0/results/1/kind", "informational"},
      {"/runs/0/artifacts/0/location/uri", "../model.ckpt"},
      {"/runs/0/artifacts/0/length", 3000000000},
      {"/runs/0/logicalLocations/0/parentIndex", 99},
      {"/runs/0/tool/driver/rules/0/shortDescription/text", ""},
      {"/runs/0/tool/driver/rules/0/messageStrings/default/text", "no period"},
      {"/runs/0/invocations/0/executionSuccessful", true},
      {"/runs/0/columnKind", "unicodeCodePoints"},
      {"/runs/0/results/0/suppressions", json::array()},
      {"/runs/0/results/0/baselineState", "new"},
      {"/runs/0/results/1/locations/0/physicalLocation/region/byteOffset", 4999},
      {"/runs/0/results/0", good["runs"][0]["results"][1]},
  };
  for (const auto& row : changes) {
    const auto& where = row.first;
    const auto& value = row.second;
    CAPTURE(where);
    json bad = good;
    bad[json::json_pointer(where)] = value;
    CHECK_FALSE(test::sarif_problems(bad).empty());
  }
}

TEST_CASE("the SARIF checker notices what breaks the GitHub profile") {
  RenderOptions options;
  options.sarif_profile = SarifProfile::kGithub;
  const json good = sarif_log(test::lint_report(), options);
  const std::pair<std::string, json> changes[] = {
      {"/runs/0/results/1/locations/0/physicalLocation/region/startLine", 0},
      {"/runs/0/results/1/locations/0/physicalLocation/region/byteOffset", 1},
      {"/runs/0/results/1/locations/0/properties/byteOffset", 5000},
      {"/runs/0/columnKind", "utf16CodeUnits"},
      {"/runs/0/invocations/0/toolExecutionNotifications/0/locations/0/physicalLocation/region",
       json::object()},
  };
  for (const auto& row : changes) {
    const auto& where = row.first;
    const auto& value = row.second;
    CAPTURE(where);
    json bad = good;
    bad[json::json_pointer(where)] = value;
    CHECK_FALSE(test::sarif_problems(bad, SarifProfile::kGithub).empty());
  }
  CHECK_FALSE(test::sarif_problems(good, SarifProfile::kOasis).empty());
}

TEST_CASE("the SARIF schema is really looked at") {
  const json good = sarif_log(test::lint_report());
  const std::pair<std::string, json> changes[] = {
      {"/version", "2.0.0"},
      {"/runs/0/tool/driver/name", 1},
      {"/runs/0/results/0/level", "fatal"},
      {"/runs/0/results/0/surprise", true},
      {"/runs/0/artifacts/0/length", -2},
      {"/runs/0/artifacts/0/roles/0", "victim"},
  };
  for (const auto& row : changes) {
    const auto& where = row.first;
    const auto& value = row.second;
    CAPTURE(where);
    json bad = good;
    bad[json::json_pointer(where)] = value;
    CHECK_FALSE(test::schema_problems(schema(), bad).empty());
  }
}

TEST_CASE("the number of findings in a SARIF log can be chosen") {
  const Report report = test::lint_report_of(70);
  RenderOptions options;
  for (const auto& row : {std::pair<std::size_t, std::size_t>{0, 70}, {1, 1}, {69, 69}, {70, 70}}) {
    const auto& most = row.first;
    const auto& kept = row.second;
    CAPTURE(most);
    options.max_findings = most;
    const json log = sarif_log(report, options);
    check_log(log);
    CHECK(run_of(log)["results"].size() == kept);
    CHECK(run_of(log)["properties"]["summary"]["truncated"] == (kept < 70));
    CHECK(run_of(log)["invocations"][0]["toolExecutionNotifications"].size() == (kept < 70 ? 1 : 0));
  }
}

TEST_CASE("the GitHub profile has line regions, and byte numbers beside them") {
  RenderOptions options;
  options.sarif_profile = SarifProfile::kGithub;
  for (const Report& report :
       {test::lint_report(), test::diff_report(), test::lint_report_of(0), test::lint_report_of(20)}) {
    check_log(sarif_log(report, options), SarifProfile::kGithub);
  }
  const json log = sarif_log(test::lint_report(), options);
  const json& results = run_of(log)["results"];
  const json line = {{"startLine", 1}, {"startColumn", 1}, {"endLine", 1}, {"endColumn", 1}};
  CHECK(run_of(log)["columnKind"] == "unicodeCodePoints");
  CHECK(results[1]["locations"][0]["physicalLocation"]["region"] == line);
  CHECK(results[1]["locations"][0]["properties"] == json{{"byteOffset", 1000}, {"byteLength", 4}});
  CHECK(results[2]["locations"][0]["properties"] == json{{"byteOffset", 2147483640}, {"byteLength", 8}});
  CHECK(results[2]["relatedLocations"][0]["physicalLocation"]["region"] == line);
  CHECK_FALSE(results[0]["locations"][0].contains("properties"));
  // Everything that identifies a result is the same in both profiles.
  const json other = sarif_log(test::lint_report());
  for (std::size_t i = 0; i < results.size(); ++i) {
    CHECK(results[i]["partialFingerprints"] == run_of(other)["results"][i]["partialFingerprints"]);
    CHECK(results[i]["message"] == run_of(other)["results"][i]["message"]);
  }
}

TEST_CASE("suppressions and the state beside an earlier run are on every result or on none") {
  Report report = test::lint_report();
  CHECK_FALSE(run_of(sarif_log(report))["results"][0].contains("suppressions"));
  CHECK_FALSE(run_of(sarif_log(report))["results"][0].contains("baselineState"));

  report.findings[0].suppression = Suppression{"we train from scratch", "rules/team rules.yaml:12"};
  report.findings[1].baseline = Baseline::kUnchanged;
  const json log = sarif_log(report);
  check_log(log);
  const json& results = run_of(log)["results"];
  CHECK(
      results[0]["suppressions"] ==
      json::parse(
          R"([{"kind": "external", "justification": "we train from scratch", "location": {"physicalLocation": {
          "artifactLocation": {"uri": "rules/team%20rules.yaml", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 12}}}}])"));
  CHECK(results[1]["suppressions"] == json::array());
  CHECK(results[0]["baselineState"] == "new");
  CHECK(results[1]["baselineState"] == "unchanged");
  CHECK(run_of(log)["columnKind"] == "unicodeCodePoints");
  CHECK(run_of(log)["properties"]["summary"]["suppressed"] == 1);

  for (const char* source : {"", "by hand", "rules.yaml:0", "rules.yaml:x", ":3", "rules.yaml:99999999999"}) {
    CAPTURE(source);
    report.findings[0].suppression = Suppression{"", source};
    const json bare = sarif_log(report);
    check_log(bare);
    CHECK_FALSE(run_of(bare)["results"][0]["suppressions"][0].contains("location"));
    CHECK_FALSE(run_of(bare).contains("columnKind"));
  }
}

TEST_CASE("the GitHub profile leaves out what GitHub would show as open: suppressed and unchanged findings") {
  Report report = test::lint_report();
  report.findings[0].suppression = Suppression{};
  report.findings[1].baseline = Baseline::kUnchanged;
  report.findings[2].baseline = Baseline::kNew;
  RenderOptions options;
  options.sarif_profile = SarifProfile::kGithub;
  const json log = sarif_log(report, options);
  check_log(log, SarifProfile::kGithub);
  REQUIRE(run_of(log)["results"].size() == 1);
  CHECK(run_of(log)["results"][0]["ruleId"] == "scheduler-lr-drift");
  CHECK(run_of(log)["properties"]["summary"]["truncated"] == false);
}

TEST_CASE("of too many findings a suppressed one is the first to go") {
  Report report = test::lint_report();
  report.findings[0].suppression = Suppression{};
  RenderOptions options;
  options.max_findings = 2;
  const json log = sarif_log(report, options);
  CHECK(run_of(log)["results"][0]["ruleId"] == "weights-nonfinite");
  CHECK(run_of(log)["results"][1]["level"] == "warning");
}

TEST_CASE("SARIF logs for other validators are written where the build is") {
  const std::filesystem::path folder = std::filesystem::path(CKPT_BINARY_DIR) / "sarif";
  std::filesystem::create_directories(folder);
  const auto save = [&folder](const std::string& name, const Report& report) {
    for (const SarifProfile profile : {SarifProfile::kOasis, SarifProfile::kGithub}) {
      RenderOptions options;
      options.sarif_profile = profile;
      options.max_findings = 0;
      std::ofstream file(folder / ((profile == SarifProfile::kOasis ? "oasis-" : "github-") + name),
                         std::ios::binary);
      file << render("sarif", report, options);
      CHECK(file.good());
    }
  };
  save("lint.sarif", test::lint_report());
  save("diff.sarif", test::diff_report());
  save("clean.sarif", test::lint_report_of(0));
  save("one.sarif", test::lint_report_of(1));
  save("many.sarif", test::lint_report_of(5001));
  Report states = test::lint_report();
  states.findings[0].suppression = Suppression{"known", "rules.yaml:3"};
  states.findings[1].baseline = Baseline::kUnchanged;
  save("states.sarif", states);
  std::size_t number = 0;
  for (const std::string& name : test::hostile_names()) {
    ++number;
    save(fmt::format("hostile-{}.sarif", number), test::named_report(name, false));
  }
}
