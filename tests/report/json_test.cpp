#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "report/json_writer.h"
#include "tests/report/samples.h"

using namespace ckpt;
using namespace ckpt::report;
using ckpt::test::render;
using nlohmann::json;

namespace {

std::string written(const Value& value, JsonWriter::Integers integers = JsonWriter::Integers::kNumbers) {
  std::ostringstream out;
  JsonWriter writer(out, integers);
  writer.value(value);
  writer.finish();
  return out.str();
}

}  // namespace

TEST_CASE("the JSON writer spells each value so that every reader takes it") {
  const struct {
    Value value;
    const char* text;
  } cases[] = {
      {nullptr, "null"},
      {true, "true"},
      {-3, "-3"},
      {std::uint64_t{18446744073709551615u}, "18446744073709551615"},
      {std::int64_t{9007199254740993}, "9007199254740993"},
      {0.1, "0.1"},
      {1.0, "1.0"},
      {-0.0, "-0.0"},
      {1e-8, "1e-08"},
      {0.0 / 0.0, "\"nan\""},
      {1.0 / 0.0, "\"inf\""},
      {-1.0 / 0.0, "\"-inf\""},
      {"a\"b\\c", "\"a\\\"b\\\\c\""},
      {"\x1b\n\xE2\x80\xAE", "\"\\u001b\\u000a\\u202e\""},
      {"\xFF", "\"\xEF\xBF\xBD\""},
      {"##[x", "\"#\\u0023[x\""},
      {List{}, "[]"},
      {Object{}, "{}"},
      {List{1, "x", Object{{"a", 1}, {"b", List{2}}}}, "[1, \"x\", {\"a\": 1, \"b\": [2]}]"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.text);
    const std::string text = written(each.value);
    CHECK((text == std::string(each.text) + "\n"));
    CHECK(json::accept(text));
  }
}

TEST_CASE("the JSON writer makes text of integers that a double cannot hold, where it is told to") {
  const auto text = [](const Value& v) { return written(v, JsonWriter::Integers::kTextBeyond53Bits); };
  CHECK(text(std::int64_t{9007199254740992}) == "9007199254740992\n");
  CHECK(text(std::int64_t{9007199254740993}) == "\"9007199254740993\"\n");
  CHECK(text(std::int64_t{-9007199254740993}) == "\"-9007199254740993\"\n");
  CHECK(text(std::uint64_t{18446744073709551615u}) == "\"18446744073709551615\"\n");
}

TEST_CASE("the JSON writer refuses what would not be JSON") {
  std::ostringstream out;
  JsonWriter writer(out);
  CHECK_THROWS_AS(writer.end(), std::logic_error);
  CHECK_THROWS_AS(writer.key("a"), std::logic_error);
  writer.begin_object();
  CHECK_THROWS_AS(writer.finish(), std::logic_error);
  writer.key("a");
  CHECK_THROWS_AS(writer.end(), std::logic_error);
}

TEST_CASE("the JSON report of ckpt-lint has its inputs, findings and counts") {
  const json log = json::parse(render("json", test::lint_report()));
  CHECK(log["schema_version"] == 1);
  CHECK(log["tool"] == json{{"name", "ckpt-lint"}, {"version", "0.1.0"}});
  CHECK(log["inputs"].size() == 3);
  CHECK(log["inputs"][0] ==
        json{{"path", "model.ckpt"}, {"role", "target"}, {"format", "torch-zip"}, {"size", 5000}});
  CHECK(log["inputs"][2] == json{{"path", "broken.ckpt"},
                                 {"role", "target"},
                                 {"format", nullptr},
                                 {"size", 12},
                                 {"error", "it has 12 bytes, but its index describes 99 bytes"},
                                 {"error_code", "truncated"}});
  CHECK(log["findings"].size() == 3);
  CHECK(log["findings"][1] == json{{"rule", "weights-nonfinite"},
                                   {"level", "error"},
                                   {"path", "state_dict[\"net.0.weight\"]"},
                                   {"message", "1 NaN of 32 elements, first at [3, 1]"},
                                   {"file", "model.ckpt"},
                                   {"bytes", {{"offset", 1000}, {"size", 4}}},
                                   {"properties", {{"nanCount", 1}, {"shape", {8, 4}}, {"worst", "inf"}}}});
  CHECK(log["summary"] ==
        json{{"errors", 2}, {"warnings", 1}, {"notes", 0}, {"files", 3}, {"files_failed", 1}});
  CHECK(log["exit_status"] == 2);
}

TEST_CASE("the JSON report leaves suppressed findings out, counts them, and says which ones are new") {
  Report report = test::lint_report();
  report.findings[0].suppression = Suppression{"known", "rules.yaml:3"};
  report.findings[1].baseline = Baseline::kNew;
  report.findings[2].baseline = Baseline::kUnchanged;
  const json log = json::parse(render("json", report));
  REQUIRE(log["findings"].size() == 2);
  CHECK(log["findings"][0]["baseline"] == "new");
  CHECK(log["findings"][1]["baseline"] == "unchanged");
  CHECK(log["summary"]["errors"] == 1);
  CHECK(log["summary"]["suppressed"] == 1);
}

TEST_CASE("the JSON report of ckpt-diff has facts, then one row a line, and no findings") {
  CHECK(render("json", test::diff_report()) ==
        "{\n"
        "  \"schema_version\": 1,\n"
        "  \"tool\": {\"name\": \"ckpt-diff\", \"version\": \"0.1.0\"},\n"
        "  \"identical\": false,\n"
        "  \"inputs\": [\n"
        "    {\"path\": \"a.ckpt\", \"role\": \"base\", \"format\": \"torch-zip\", \"size\": 100},\n"
        "    {\"path\": \"runs/b.ckpt\", \"role\": \"target\", \"format\": \"torch-zip\", \"size\": 200}\n"
        "  ],\n"
        "  \"tensors\": [\n"
        "    {\"name\": \"t0\", \"max_abs\": 0.1},\n"
        "    {\"name\": \"t1\", \"max_abs\": \"nan\"}\n"
        "  ],\n"
        "  \"summary\": {\"files\": 1, \"files_failed\": 0},\n"
        "  \"exit_status\": 1\n"
        "}\n");
}

TEST_CASE("a summary among the facts of a report takes the place of the JSON reporter's own") {
  Report report = test::diff_report();
  report.facts.push_back({"summary", Object{{"changed", 2}}});
  CHECK(json::parse(render("json", report))["summary"] == json{{"changed", 2}});
}

TEST_CASE("a table of 200,000 rows is streamed, never held") {
  struct Largest : std::stringbuf {
    std::size_t largest = 0;
    std::size_t total = 0;
    std::streamsize xsputn(const char*, std::streamsize size) override {
      largest = std::max(largest, static_cast<std::size_t>(size));
      total += static_cast<std::size_t>(size);
      return size;
    }
  } sink;
  std::ostream out(&sink);
  Report report = test::diff_report();
  report.tables = {{"tensors", 200'000, [](std::size_t i) {
                      return Object{{"name", "some.layer.weight"}, {"n", i}};
                    }}};
  find_reporter("json")->write(report, {}, out);
  CHECK(sink.total > 7'000'000);
  CHECK(sink.largest < 100'000);
}
