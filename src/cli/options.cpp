#include "cli/options.h"

#include <algorithm>
#include <iostream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "base/error.h"
#include "base/parallel.h"
#include "base/suggest.h"
#include "base/text.h"
#include "cli/manual.h"
#include "cli/output.h"
#include "cli/version.h"
#include "report/schema.h"
#include "show/list_formats.h"

namespace ckpt::cli {
namespace {

namespace po = boost::program_options;

// The formats that a program can write.
std::vector<std::string> formats_of(const Program& program) {
  std::vector<std::string> names;
  for (const report::Reporter& reporter : report::reporters())
    if (program.finds || !reporter.needs_findings) names.emplace_back(reporter.name);
  return names;
}

OptionGroup output_group(const Program& program) {
  const std::string format_help =
      fmt::format("format on standard output: {} (default: text)", fmt::join(formats_of(program), " "));
  OptionGroup common("Output");
  common.add_options()("format,f", po::value<std::string>()->value_name("FORMAT"), format_help.c_str())(
      "output,o", po::value<std::string>()->value_name("FILE"), "write to FILE instead of standard output")(
      "report", po::value<std::vector<std::string>>()->value_name("FORMAT=FILE"),
      "write another report in the same run; repeatable")(
      "step-summary", po::value<std::string>()->value_name("FILE"),
      "append a markdown report to FILE, such as $GITHUB_STEP_SUMMARY");
  if (program.finds)
    common.add_options()("sarif-profile", po::value<std::string>()->value_name("NAME"),
                         "SARIF for oasis (default: strictly the standard) or github (code scanning)")(
        "max-findings", po::value<long long>()->value_name("N"),
        "at most N findings in a SARIF log, most severe first; 0: all (default: 5000)");
  common.add_options()("color", po::value<std::string>()->value_name("WHEN"),
                       "auto, always or never (default: auto, which honors NO_COLOR and CLICOLOR_FORCE)")(
      "width", po::value<long long>()->value_name("N"),
      "fit text to N columns; 0: no limit (default: the terminal's width, or 0)");
  common.add_options()("no-pager",
                       "print a long text to the terminal instead of $CKPT_PAGER, $PAGER or less");
  if (program.finds)
    common.add_options()("quiet,q", "print only the last line")(
        "verbose,v", "print the details of findings, and findings known to the baseline");
  common.add_options()("jobs,j", po::value<unsigned>()->value_name("N"),
                       "number of threads (default: one per available CPU)");
  common.choose("format", formats_of(program));
  common.choose("report", formats_of(program));
  common.choose("color", {"auto", "always", "never"});
  common.choose("sarif-profile", {"oasis", "github"});
  return common;
}

OptionGroup help_group() {
  OptionGroup help("Help");
  help.add_options()("help,h", "show this help")(
      "version", "show the version, the commit, the libraries and the kernels in use")(
      "list-formats", "list the kinds of files and folders that are read")(
      "print-completion", po::value<std::string>()->value_name("SHELL"),
      "print the completion script for bash, zsh or fish")(
      "print-man", "print the manual page, for man -l -")("print-schema",
                                                          "print the JSON Schema of --format json");
  help.choose("print-completion", completion_shells());
  return help;
}

std::vector<std::string> long_names(const po::options_description& options) {
  std::vector<std::string> names;
  for (const auto& option : options.options())
    if (!option->long_name().empty()) names.push_back("--" + option->long_name());
  return names;
}

// Boost throws a family of exceptions; each becomes one line in our own words.
[[noreturn]] void fail_usage(const po::options_description& all, const po::error& error) {
  if (const auto* unknown = dynamic_cast<const po::unknown_option*>(&error)) {
    const std::string name = unknown->get_option_name();
    fail(ErrorCode::kUsage,
         fmt::format("unknown option {}{}; see --help", quote(name), did_you_mean(name, long_names(all))));
  }
  fail(ErrorCode::kUsage, fmt::format("{}; see --help", one_line(error.what())));
}

void check_format(const Program& program, const std::string& name) {
  if (report::find_reporter(name) != nullptr) return;  // output.cpp refuses what needs findings
  const std::vector<std::string> names = formats_of(program);
  fail(ErrorCode::kUsage, fmt::format("unknown format {}{}; known formats: {}", quote(name),
                                      did_you_mean(name, names), fmt::join(names, " ")));
}

// Parsed as signed, because "-1" would become the largest unsigned number.
std::size_t count_of(const po::variables_map& values, const char* name) {
  const long long count = values[name].as<long long>();
  if (count < 0) fail(ErrorCode::kUsage, fmt::format("--{} takes a number >= 0, not {}", name, count));
  return static_cast<std::size_t>(count);
}

report::SarifProfile profile_of(const std::string& name) {
  if (name == "oasis") return report::SarifProfile::kOasis;
  if (name == "github") return report::SarifProfile::kGithub;
  const std::vector<std::string> names = {"oasis", "github"};
  fail(ErrorCode::kUsage, fmt::format("--sarif-profile takes oasis or github, not {}{}", quote(name),
                                      did_you_mean(name, names)));
}

OutputOptions output_options(const Program& program, const po::variables_map& values) {
  OutputOptions out;
  if (values.count("format") != 0) out.format = values["format"].as<std::string>();
  if (values.count("output") != 0) out.output = values["output"].as<std::string>();
  if (values.count("color") != 0) out.color = values["color"].as<std::string>();
  if (values.count("step-summary") != 0) out.step_summary = values["step-summary"].as<std::string>();
  if (values.count("sarif-profile") != 0)
    out.sarif_profile = profile_of(values["sarif-profile"].as<std::string>());
  if (values.count("max-findings") != 0) out.max_findings = count_of(values, "max-findings");
  if (values.count("width") != 0) out.width = count_of(values, "width");
  out.pager = values.count("no-pager") == 0;
  out.quiet = values.count("quiet") != 0;
  out.verbose = values.count("verbose") != 0;
  check_format(program, out.format);
  if (out.color != "auto" && out.color != "always" && out.color != "never")
    fail(ErrorCode::kUsage, fmt::format("--color takes auto, always or never, not {}", quote(out.color)));
  if (values.count("report") == 0) return out;
  for (const std::string& text : values["report"].as<std::vector<std::string>>()) {
    const auto equals = text.find('=');
    if (equals == text.npos || equals + 1 == text.size())
      fail(ErrorCode::kUsage, fmt::format("--report takes FORMAT=FILE, not {}", quote(text)));
    out.reports.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    check_format(program, out.reports.back().first);
  }
  return out;
}

std::string schema_of(const Program& program) {
  for (const report::Schema& schema : report::schemas())
    if (schema.program == program.name) return std::string(schema.text);
  return "";
}

// The texts about the program itself; "" if none was asked for.
std::string answer(const Program& program, const OptionGroups& groups, const po::variables_map& values) {
  if (values.count("help") != 0) {
    const std::size_t terminal = terminal_width(STDOUT_FILENO);
    return help_text(program, groups, terminal == 0 ? kHelpWidth : terminal);
  }
  if (values.count("version") != 0) return version_text(program.name);
  if (values.count("list-formats") != 0) return show::list_formats();
  if (values.count("print-man") != 0) return man_page(program, groups);
  if (values.count("print-schema") != 0) return schema_of(program);
  if (values.count("print-completion") == 0) return "";
  return completion_for(values["print-completion"].as<std::string>(), program, groups);
}

}  // namespace

std::optional<Parsed> parse(const Program& program, const OptionGroups& own, int argc,
                            const char* const* argv) {
  OptionGroups groups = own;
  groups.push_back(output_group(program));
  groups.push_back(help_group());
  po::options_description named;  // for suggestions: without the operands' own name
  for (const OptionGroup& group : groups) named.add(group);
  po::options_description all;
  all.add(named).add_options()("operand", po::value<std::vector<std::string>>());
  po::positional_options_description positional;
  positional.add("operand", -1);

  Parsed parsed;
  parsed.arguments.assign(argv + 1, argv + argc);
  std::vector<std::string> words = parsed.arguments;
  const auto raw = std::find(words.begin(), words.end(), program.raw_after);
  if (!program.raw_after.empty() && raw != words.end()) words.insert(raw + 1, "--");
  try {
    const auto style = po::command_line_style::unix_style ^ po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(words).options(all).positional(positional).style(style).run(),
              parsed.values);
    po::notify(parsed.values);
  } catch (const po::error& error) {
    fail_usage(named, error);
  }
  if (const std::string text = answer(program, groups, parsed.values); !text.empty()) {
    std::cout << text;
    return std::nullopt;
  }
  parsed.operands = list_of(parsed, "operand");
  parsed.output = output_options(program, parsed.values);
  for (const std::string& file : files_of(parsed.output)) check_output(file);
  parsed.jobs =
      parsed.values.count("jobs") != 0 ? std::max(1u, parsed.values["jobs"].as<unsigned>()) : default_jobs();
  return parsed;
}

std::vector<std::string> list_of(const Parsed& parsed, const char* name) {
  if (parsed.values.count(name) == 0) return {};
  return parsed.values[name].as<std::vector<std::string>>();
}

}  // namespace ckpt::cli
