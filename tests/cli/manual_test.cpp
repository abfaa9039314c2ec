// What a program says about itself: help, manual page, completions, version.
#include "cli/manual.h"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "base/error.h"
#include "cli/version.h"
#include "tests/support/files.h"

using namespace ckpt;
using namespace ckpt::cli;

namespace {

namespace po = boost::program_options;

const Program kProgram = {"ckpt-x", "ckpt-x [OPTION ...] FILE",
                          "Does x: and then\nmore.\n\nAnother paragraph.",
                          "Examples:\n  ckpt-x 'a b' .\\c\n\nExit status: 0 fine,\n1 not.\n"};

OptionGroups groups() {
  OptionGroup own("Own");
  own.add_options()("all,a", "show all; it's long [really]: yes")(
      "kind,k", po::value<std::string>()->value_name("KIND"), "the kind")(
      "rule", po::value<std::vector<std::string>>()->value_name("RULE,..."), "these; repeatable")(
      "output,o", po::value<std::string>()->value_name("FILE"), "write to FILE")(
      "a-rather-long-name-of-an-option", po::value<std::string>()->value_name("VALUE"), "long");
  own.choose("kind", {"one", "two"});
  own.choose("rule", {"r-1", "r-2"});
  return {own};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

TEST_CASE("help is as wide as asked, examples keep their shape, and long names get a line of their own") {
  const std::string help = help_text(kProgram, groups(), 60);
  CHECK(help ==
        "usage: ckpt-x [OPTION ...] FILE\n\nDoes x: and then more.\n\nAnother paragraph.\n\nOwn:\n"
        "  -a, --all            show all; it's long [really]: yes\n"
        "  -k, --kind KIND      the kind\n"
        "      --rule RULE,...  these; repeatable\n"
        "  -o, --output FILE    write to FILE\n"
        "      --a-rather-long-name-of-an-option VALUE\n"
        "                       long\n"
        "\nExamples:\n  ckpt-x 'a b' .\\c\n\nExit status: 0 fine, 1 not.\n");
  for (const std::size_t width : {40u, 80u, 120u})
    for (const std::string& line : test::split_lines(help_text(kProgram, groups(), width)))
      CHECK(line.size() <= std::max<std::size_t>(width, 45));
  CHECK(help_text(kProgram, groups(), 1) == help_text(kProgram, groups(), 40));
  CHECK(help_text(kProgram, groups(), 1000) == help_text(kProgram, groups(), 120));
}

TEST_CASE("the texts of an option: its value, its choices, whether it repeats") {
  const auto texts = option_texts(groups().front());
  REQUIRE(texts.size() == 5);
  CHECK(texts[0].short_name == "a");
  CHECK(texts[0].value.empty());
  CHECK(texts[0].brief() == "show all");
  CHECK(texts[1].choices == std::vector<std::string>{"one", "two"});
  CHECK_FALSE(texts[1].repeatable);
  CHECK(texts[2].short_name.empty());
  CHECK(texts[2].takes_list());
  CHECK(texts[2].repeatable);
  CHECK(texts[3].takes_file());
}

TEST_CASE("the manual page escapes what roff would read as a request") {
  const std::string page = man_page(kProgram, groups());
  CHECK(has(page, "\\fBckpt\\-x\\fR [OPTION ...] FILE"));
  CHECK(has(page, ".SH NAME\nckpt\\-x \\- does x\n"));
  CHECK(has(page, "ckpt\\-x \\(aqa b\\(aq .\\ec\n"));
  CHECK(has(page, ".SH EXIT STATUS\n0 fine, 1 not.\n"));
  CHECK(has(page, "\\fB\\-o\\fR, \\fB\\-\\-output\\fR \\fIFILE\\fR\nwrite to FILE\n"));
}

TEST_CASE("completions know every option and every choice, and quote for their shell") {
  const std::string bash = bash_completion(kProgram, groups());
  CHECK(has(bash, "--kind|-k) words='one two' ;;"));
  CHECK(has(bash, "--rule) list=1 words='r-1 r-2' ;;"));
  CHECK(has(bash, "complete -o bashdefault -o default -F _ckpt_x ckpt-x\n"));
  const std::string zsh = zsh_completion(kProgram, groups());
  CHECK(zsh.starts_with("#compdef ckpt-x\n"));
  CHECK(has(zsh, "'(-k --kind)'{-k+,--kind=}'[the kind]:KIND:(one two)'"));
  CHECK(has(zsh, "'*--rule=[these]:RULE,...:_sequence compadd - r-1 r-2'"));
  const std::string fish = fish_completion(kProgram, groups());
  CHECK(has(fish, "complete -c ckpt-x -s k -l kind -x -a 'one two' -d 'the kind'\n"));
  CHECK(has(fish, "complete -c ckpt-x -s o -l output -r -d 'write to FILE'\n"));
}

TEST_CASE("another shell is refused with the shells that are known") {
  try {
    completion_for("bsh", kProgram, groups());
    FAIL("not refused");
  } catch (const Error& error) {
    CHECK(has(error.text(), "bash, zsh or fish"));
  }
}

TEST_CASE("the version begins with the program and its version, and names libraries and kernels") {
  const std::string text = version_text("ckpt-x");
  CHECK(text.starts_with("ckpt-x " CKPT_VERSION "\n"));
  for (const char* const part : {"libzip ", "Boost ", "Eigen ", "yaml-cpp ", "OpenSSL ", "kernels ",
                                 "Lightning up to ", "torch up to "})
    CHECK(has(text, part));
  CHECK_FALSE(has(text, ", ,"));
  CHECK_FALSE(has(text, " ,"));
}

TEST_CASE("the newest versions that are named are those that wrote the fixtures") {
  const std::string readme = test::read_file(std::string(CKPT_SOURCE_DIR) + "/fixtures/README.md");
  const std::string text = version_text("ckpt-x");
  const auto after = [&](const std::string& mark) {
    const std::size_t at = text.find(mark) + mark.size();
    return text.substr(at, text.find_first_of(",;", at) - at);
  };
  CHECK(has(readme, "Lightning " + after("Lightning up to ")));
  CHECK(has(readme, "torch " + after("torch up to ")));
}

}  // namespace
