// Rules about what a file imports, and about absolute paths.
#include <doctest/doctest.h>

#include "lint/checks/security/name_table.h"
#include "tests/lint/checks/support.h"

using namespace ckpt;
using namespace ckpt::test;

namespace {

using Lines = std::vector<std::string>;

Lines run(const char* rule, CheckpointBuilder& b, const LintRun& with = {}) {
  const Opened opened = b.build();
  return lines(lint_with(rule, opened, with));
}

struct Import {
  const char* module;
  const char* name;
};

// What the rule says of a checkpoint that imports these names besides torch's own.
Lines imports(const char* rule, const std::vector<Import>& names, const LintRun& with = {}) {
  CheckpointBuilder b;
  b.import("torch._utils", "_rebuild_tensor_v2");
  b.import("torch", "FloatStorage");
  b.import("collections", "OrderedDict");
  for (const auto& [module, name] : names) b.import(module, name);
  return run(rule, b, with);
}

}  // namespace

TEST_CASE("an allow-list lets through what is on it, and what torch allows unless told otherwise") {
  CHECK(imports("security-unlisted-global", {}).empty());
  CHECK(imports("security-unlisted-global", {{"pathlib", "PosixPath"}, {"pathlib", "PosixPath"}}) ==
        Lines{"error : pathlib.PosixPath is not on the allow-list"});
  CHECK(imports("security-unlisted-global", {{"pathlib", "PosixPath"}},
                {.params = {{"allow", report::List{"pathlib.*"}}}})
            .empty());
  CHECK(imports("security-unlisted-global", {}, {.params = {{"weights-only", false}}}) ==
        Lines{"error : collections.OrderedDict is not on the allow-list",
              "error : torch.FloatStorage is not on the allow-list",
              "error : torch._utils._rebuild_tensor_v2 is not on the allow-list"});
  CheckpointBuilder computed;
  computed.import("torch", "FloatStorage", false);
  CHECK(run("security-unlisted-global", computed, {.params = {{"allow", report::List{"pathlib.*"}}}}) ==
        Lines{"error : a name that is computed on load is not on the allow-list"});
}

TEST_CASE("path objects of one system are reported, pure paths are not") {
  CHECK(imports("portability-path-object", {{"pathlib", "PurePosixPath"}, {"pathlib", "PureWindowsPath"}})
            .empty());
  CHECK(imports("portability-path-object",
                {{"pathlib", "PosixPath"}, {"pathlib", "WindowsPath"}, {"pathlib._local", "PosixPath"}}) ==
        Lines{"warning : pathlib.PosixPath cannot be loaded on Windows",
              "warning : pathlib.WindowsPath cannot be loaded on Linux and macOS",
              "warning : pathlib._local.PosixPath is a name that Python 3.13 writes and older versions "
              "cannot load"});
}

TEST_CASE("a finding about an import is at the place of the name") {
  CheckpointBuilder b;
  b.set(b.hparams, "config", b.call("__main__", "Config", {}));
  CHECK(run("portability-main-class", b) ==
        Lines{"warning hyper_parameters.config: __main__.Config is defined in the script that wrote the "
              "file: only a program that defines it in its own script can load the file"});
  CHECK(imports("portability-main-class", {{"my.config", "Config"}}).empty());
}

TEST_CASE("packages other than torch, numpy and Lightning are reported once each, Python's own are not") {
  CHECK(imports("portability-project-class", {{"datetime", "datetime"},
                                              {"builtins", "getattr"},
                                              {"numpy.core.multiarray", "scalar"},
                                              {"torch.nn.modules.linear", "Linear"},
                                              {"omegaconf.nodes", "AnyNode"},
                                              {"__main__", "Config"}})
            .empty());
  const std::vector<Import> names = {{"src.config", "A"},
                                     {"src.config", "B"},
                                     {"src.nets", "C"},
                                     {"src.nets", "D"},
                                     {"torchmetrics.metric", "Metric"}};
  CHECK(
      imports("portability-project-class", names) ==
      Lines{"note : src must be importable where the file is loaded (src.config.A, src.config.B, src.nets.C "
            "and 1 more)",
            "note : torchmetrics must be importable where the file is loaded (torchmetrics.metric.Metric)"});
  CHECK(
      imports("portability-project-class", names, {.params = {{"allow", report::List{"src.**"}}}}) ==
      Lines{"note : torchmetrics must be importable where the file is loaded (torchmetrics.metric.Metric)"});
  CheckpointBuilder computed;
  computed.import("", "", false);
  CHECK(run("portability-project-class", computed) ==
        Lines{"note : a name that is computed on load must be importable where the file is loaded"});
}

TEST_CASE("which Lightning, numpy or torch a file needs is a note") {
  CHECK(imports("portability-lightning-import", {{"pytorch_lightning.utilities.parsing", "AttributeDict"}}) ==
        Lines{"note : pytorch_lightning must be installed under this name, not as lightning "
              "(pytorch_lightning.utilities.parsing.AttributeDict)"});
  CHECK(imports("portability-lightning-import", {{"lightning_bolts.models", "VAE"}}).empty());
  CHECK(imports("portability-numpy-version", {{"numpy.core.multiarray", "scalar"}, {"numpy", "dtype"}})
            .empty());
  CHECK(imports("portability-numpy-version",
                {{"numpy._core.multiarray", "scalar"}, {"numpy._core.numeric", "_frombuffer"}}) ==
        Lines{"note : numpy._core.multiarray.scalar needs numpy 1.26.1 or later",
              "note : numpy._core.numeric._frombuffer needs numpy 2"});
  CHECK(imports("portability-torch-version",
                {{"torch", "float8_e8m0fnu"}, {"torch", "float8_e5m2"}, {"torch", "uint8"}}) ==
        Lines{"note : torch.float8_e5m2 needs torch 2.1 or later",
              "note : torch.float8_e8m0fnu does not exist in torch 2.6 and earlier"});
}

TEST_CASE("absolute paths in the hyperparameters are reported, other strings are not") {
  CheckpointBuilder b;
  for (const char* text : {"data/train", "/", "//", "~3", "~", "s3://bucket/x", "http://host/x", "a:b",
                           "c:", "3/4", "/ 2", "val/loss"})
    b.set(b.hparams, text, b.text(text));
  CHECK(run("portability-absolute-path", b).empty());
  b.set(b.hparams, "a", b.text("/home/alice/data"));
  b.set(b.hparams, "b",
        b.list({b.text("~/data"), b.text("~alice/data"), b.text("C:\\data"), b.text("D:/data"),
                b.text("\\\\host\\share")}));
  CHECK(run("portability-absolute-path", b) ==
        Lines{"note hyper_parameters.a: \"/home/alice/data\"", "note hyper_parameters.b[0]: \"~/data\"",
              "note hyper_parameters.b[1]: \"~alice/data\"", "note hyper_parameters.b[2]: \"C:\\\\data\"",
              "note hyper_parameters.b[3]: \"D:/data\"",
              "note hyper_parameters.b[4]: \"\\\\\\\\host\\\\share\""});
  CHECK(run("portability-absolute-path", b, {.params = {{"show", std::int64_t{5}}}}) ==
        Lines{"note hyper_parameters.a: 6 absolute paths, the first is \"/home/alice/data\""});
}

TEST_CASE("Python's own modules are known by their first name") {
  for (const char* module :
       {"builtins", "datetime", "collections.abc", "_codecs", "__builtin__", "pathlib._local"})
    CHECK(lint::is_python_module(module));
  for (const char* module : {"torch", "numpy", "src", "collectionsx", "", "__main__"})
    CHECK_FALSE(lint::is_python_module(module));
}
