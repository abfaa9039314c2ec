#include "diff/names.h"

#include <chrono>

#include "base/error.h"
#include "tests/diff/diff_support.h"

using namespace ckpt;
using test::compare_two;
using test::lines_of;
using test::Model;
using test::ramp;

namespace {

// Weights of [4], each with values of its own or all zeros.
Opened model_of(const std::vector<std::string>& names, bool zeros = true) {
  Model m;
  float first = 1;
  for (const std::string& name : names) {
    m.weight(name, {4}, zeros ? std::vector<float>(4) : ramp(4, first));
    ++first;
  }
  return m.open();
}

diff::Options mapped(const std::vector<std::string>& maps, const std::vector<std::string>& strip = {}) {
  diff::Options options;
  for (const std::string& map : maps) options.names.maps.emplace_back(map);
  options.names.strip_prefixes = strip;
  return options;
}

TEST_CASE("wrappers and prefixes are found by names, and nothing that only looks like one") {
  struct Case {
    const char* what;
    std::vector<std::string> old_names, new_names;
    const char* changes;
  };
  const Case cases[] = {
      {"compile",
       {"a.w", "a.b"},
       {"_orig_mod.a.w", "_orig_mod.a.b"},
       "renamed a.w -> _orig_mod.a.w\nrenamed a.b -> _orig_mod.a.b\n"},
      {"in the middle", {"n.a.w", "c"}, {"n._orig_mod.a.w", "c"}, "renamed n.a.w -> n._orig_mod.a.w\n"},
      {"two wrappers",
       {"a.w"},
       {"_forward_module._orig_mod.a.w"},
       "renamed a.w -> _forward_module._orig_mod.a.w\n"},
      {"wrapper removed", {"_orig_mod.a.w"}, {"a.w"}, "renamed _orig_mod.a.w -> a.w\n"},
      {"module. added",
       {"a.w", "a.b"},
       {"module.a.w", "module.a.b"},
       "renamed a.w -> module.a.w\nrenamed a.b -> module.a.b\n"},
      {"model. removed",
       {"model.a.w", "model.a.b"},
       {"a.w", "a.b"},
       "renamed model.a.w -> a.w\nrenamed model.a.b -> a.b\n"},
      {"two prefixes",
       {"p.a", "p.b", "q.a", "q.b"},
       {"x.p.a", "x.p.b", "y.q.a", "y.q.b"},
       "renamed p.a -> x.p.a\nrenamed p.b -> x.p.b\nrenamed q.a -> y.q.a\nrenamed q.b -> y.q.b\n"},
      {"part of a word", {"a.w", "c"}, {"my_orig_mod.a.w2", "c"}, "removed a.w\nadded my_orig_mod.a.w2\n"},
      {"one name by chance",
       {"proj", "a", "b"},
       {"adapter.proj", "a", "b"},
       "removed proj\nadded adapter.proj\n"},
      {"a few of many",
       {"w", "b1", "b2", "b3", "b4", "b5"},
       {"x.w", "c1", "c2", "c3", "c4", "c5"},
       "removed w\nremoved b1\nremoved b2\nremoved b3\nremoved b4\nremoved b5\n"
       "added x.w\nadded c1\nadded c2\nadded c3\nadded c4\nadded c5\n"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    CHECK(lines_of(compare_two(model_of(c.old_names), model_of(c.new_names))) == c.changes);
  }
}

TEST_CASE("a tensor of another shape under a prefix is renamed and reshaped") {
  Model a;
  a.weight("x", {4}, ramp(4)).weight("y", {4}, ramp(4, 9)).weight("z", {2}, ramp(2));
  Model b;
  b.weight("m.x", {4}, ramp(4)).weight("m.y", {4}, ramp(4, 9)).weight("m.z", {3}, ramp(3));
  CHECK(lines_of(compare_two(a.open(), b.open())) ==
        "renamed x -> m.x\nrenamed y -> m.y\nrenamed z -> m.z\nshape m.z\n");
}

TEST_CASE("--map and --strip-prefix rename in every input, and collisions are errors") {
  CHECK(lines_of(compare_two(model_of({"a.w", "b.w"}), model_of({"x.a.w", "x.b.w"}),
                             mapped({"^x\\.(.*)$=>\\1"}))) == "");
  CHECK(lines_of(compare_two(model_of({"a.w", "b.w"}), model_of({"x.a.w", "x.b.w"}), mapped({}, {"x."}))) ==
        "");
  // A prefix that is the whole name stays.
  CHECK(lines_of(compare_two(model_of({"x."}), model_of({"x."}), mapped({}, {"x."}))) == "");
  const auto code = [](auto call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode{};
  };
  const Opened two = model_of({"a.w", "b.w"});
  CHECK(code([&] { compare_two(two, two, mapped({"[ab]=>c"})); }) == ErrorCode::kUsage);
  for (const char* bad : {"", "=>", "=>x", "a", "(=>x", "a=>\\1", "(a=>\\1"}) {
    CAPTURE(bad);
    CHECK(code([&] { diff::NameMap{bad}; }) == ErrorCode::kUsage);
  }
  CHECK(diff::NameMap("a=>").apply("abab") == "bab");
  CHECK(diff::NameMap("(.)(.)=>\\2\\1").apply("abc") == "bac");
}

TEST_CASE("a subtree is compared as a model of its own") {
  const Opened whole = model_of({"encoder.w", "encoder.b", "head.w"}, false);
  const Opened part = model_of({"w", "b"}, false);
  diff::Options options;
  options.names.subtrees = {"state_dict.encoder", "state_dict"};
  CHECK(lines_of(compare_two(whole, part, options)) == "");
  options.names.subtrees = {"state_dict.encoder", ""};
  CHECK(lines_of(compare_two(whole, part, options)) == "");
  options.names.subtrees = {"state_dict.nothing", ""};
  CHECK_THROWS_AS(compare_two(whole, part, options), Error);
}

TEST_CASE("two places of a subtree with one spelling are an error, not one of them") {
  Model m;
  m.weights = {{"a.b", m.b.tensor({1}, {1})}, {"a", m.b.dict({{"b", m.b.tensor({1}, {2})}})}};
  const Opened file = m.open();
  diff::Options options;
  options.names.subtrees = {"state_dict", "state_dict"};
  CHECK_THROWS_AS(compare_two(file, file, options), Error);
}

TEST_CASE("long names of nothing but dots or wrappers cost no time") {
  std::string dots(1 << 20, '.');
  std::string wrappers;
  while (wrappers.size() < dots.size()) wrappers += "_orig_mod.";
  const auto start = std::chrono::steady_clock::now();
  compare_two(model_of({dots, wrappers}), model_of({dots + "a", wrappers + "a", "b"}));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}

TEST_CASE("hostile names are compared like any other") {
  const std::vector<std::string> names = {"",
                                          ".",
                                          "a\x1f"
                                          "b",
                                          "a\nb",
                                          "a",
                                          "a.",
                                          "a.b",
                                          "a[0]",
                                          "a\"b",
                                          "\\",
                                          "\xff"};
  const Opened file = model_of(names, false);
  CHECK(lines_of(compare_two(file, file)) == "");
  const Opened other = model_of({"other"});
  const auto all = compare_two(file, other);
  CHECK_MESSAGE(all.changes.size() == names.size() + 1, lines_of(all));
}

}  // namespace
