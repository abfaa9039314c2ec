// The text of a difference says why the files differ: what the head of a section says is said there, all else
// is a line.
#include "diff/to_report.h"
#include "tests/diff/diff_support.h"

using namespace ckpt;
using test::Model;

namespace {

Opened with_scheduler(std::int64_t last_epoch, std::int64_t step_count, std::int64_t nested, double epoch) {
  Model m;
  m.weight("w", {2}, {1, 2});
  const auto inner = m.b.list({m.b.dict({{"last_epoch", m.b.integer(nested)}})});
  m.root = {{"lr_schedulers", m.b.list({m.b.dict({{"last_epoch", m.b.integer(last_epoch)},
                                                  {"_step_count", m.b.integer(step_count)},
                                                  {"_schedulers", inner}})})},
            {"epoch", m.b.real(epoch)}};
  return m.open();
}

// Titles, notes and cells, in one text.
std::string text_of(const Opened& a, const Opened& b) {
  const auto diff = std::make_shared<const diff::Diff>(test::compare_two(a, b));
  report::Report report;
  report.inputs.resize(2);
  diff::to_report(diff, nullptr, {}, report);
  std::string out;
  for (const report::Section& section : report.sections) {
    out += section.title + " " + section.note + "\n";
    for (std::size_t i = 0; i < section.size; ++i) {
      for (const report::Cell& cell : section.line(i).cells) out += cell.text + " ";
      out += "\n";
    }
  }
  return out;
}

TEST_CASE("every difference is in the text") {
  const Opened base = with_scheduler(1, 2, 7, 1.5);
  struct Case {
    Opened other;
    const char* words;
    bool there;
  };
  const Case cases[] = {
      {with_scheduler(4, 5, 7, 1.5), "last_epoch 1 -> 4", true},
      {with_scheduler(4, 5, 7, 1.5), "_step_count", false},  // moved with last_epoch
      {with_scheduler(1, 9, 7, 1.5), "_step_count 2 -> 9", true},
      {with_scheduler(4, 9, 7, 1.5), "_step_count 2 -> 9", true},
      {with_scheduler(1, 2, 8, 1.5), "_schedulers[0].last_epoch 7 -> 8", true},
      {with_scheduler(1, 2, 7, 2.5), "epoch 1.5 -> 2.5", true},
  };
  for (const Case& c : cases) {
    std::string text = text_of(base, c.other);
    for (std::size_t at = text.find("  "); at != text.npos; at = text.find("  ")) text.erase(at, 1);
    CAPTURE(text);
    CAPTURE(std::string(c.words));
    CHECK((text.find(c.words) != text.npos) == c.there);
  }
}

}  // namespace
