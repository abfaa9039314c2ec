#include <doctest/doctest.h>

#include "lint/checks/secret_shapes.h"
#include "lint/checks/weights_only_names.h"
#include "tests/lint/checks_support.h"

using namespace ckpt;
using namespace ckpt::test;

namespace {

std::vector<std::string> found(const char* rule, CheckpointBuilder& b, const LintRun& run = {}) {
  const Opened opened = b.build();
  return lines(lint_with(rule, opened, run));
}

struct Name {
  const char* module;
  const char* name;
};

}  // namespace

TEST_CASE("imports that run code are errors, called or not") {
  // The last ones slipped through published deny lists once.
  // clang-format off
  const Name names[] = {{"os", "system"}, {"posix", "system"}, {"builtins", "eval"}, {"subprocess", "Popen"},
                        {"torch", "load"}, {"torch.hub", "load"}, {"torch.storage", "_load_from_bytes"}, {"numpy", "load"},
                        {"operator", "attrgetter"}, {"pathlib", "os.system"}, {"os.path", "join"}, {"timeit", "timeit"},
                        {"pip", "main"}, {"uuid", "_get_command_stdout"}, {"_osx_support", "_read_output"}, {"ctypes", "CDLL"},
                        {"asyncio", "unix_events._UnixSubprocessTransport._start"}, {"logging", "FileHandler"}, {"_io", "FileIO"},
                        {"ssl", "get_server_certificate"}, {"cloudpickle.cloudpickle", "_make_function"}, {"types", "CodeType"},
                        {"fickling.hook", "remove_hook"}, {"torch.distributed.rpc.internal", "_run_function"},
                        {"torch.jit.annotations", "parse_type_line"}, {"torch.utils.collect_env", "run"}, {"runpy", "_run_code"},
                        {"numpy.testing._private.utils", "runstring"}, {"cProfile", "run"}, {"_interpreters", "create"}};
  // clang-format on
  for (const auto& name : names) {
    CAPTURE(name.module);
    CAPTURE(name.name);
    CheckpointBuilder b;
    b.import(name.module, name.name);
    CHECK(found("security-dangerous-global", b).size() == 1);
  }
}

TEST_CASE("healthy imports are not dangerous") {
  // clang-format off
  const Name names[] = {{"collections", "OrderedDict"}, {"torch._utils", "_rebuild_tensor_v2"}, {"builtins", "getattr"},
                        {"pathlib", "PosixPath"}, {"numpy.core.multiarray", "scalar"}, {"functools", "partial"},
                        {"my.project", "Outer.Inner"}, {"torch.optim.lr_scheduler", "OneCycleLR"}, {"code.models", "Net"},
                        {"datetime", "timedelta"}, {"omegaconf.dictconfig", "DictConfig"}};
  // clang-format on
  for (const auto& name : names) {
    CAPTURE(name.module);
    CAPTURE(name.name);
    CheckpointBuilder b;
    b.import(name.module, name.name);
    CHECK(found("security-dangerous-global", b).empty());
  }
}

TEST_CASE("getattr is dangerous on modules and towards the interpreter, not on classes") {
  CheckpointBuilder healthy;
  healthy.set(
      healthy.scheduler, "anneal_func",
      healthy.call("builtins", "getattr",
                   {healthy.global("torch.optim.swa_utils", "SWALR"), healthy.text("_cosine_anneal")}));
  CHECK(found("security-dangerous-global", healthy).empty());
  CheckpointBuilder module;
  module.call("builtins", "getattr",
              {module.global("torch", "hub"), module.text("load")});  // not in the tree: popped
  CHECK(found("security-dangerous-global", module).size() == 1);
  CheckpointBuilder escape;
  escape.set(
      escape.hparams, "x",
      escape.call("builtins", "getattr", {escape.global("my", "Class"), escape.text("__subclasses__")}));
  CHECK(found("security-dangerous-global", escape).size() == 1);
  CheckpointBuilder computed;
  computed.import("", "", false);
  CHECK(found("security-dangerous-global", computed).size() == 1);
}

TEST_CASE("a global is told with the place where it stands") {
  CheckpointBuilder b;
  b.set(b.hparams, "root", b.call("my.paths", "Folder", {b.text("/x")}));
  const auto text = found("security-not-weights-only-loadable", b);
  REQUIRE(text.size() == 1);
  CHECK(text[0] ==
        "warning hyper_parameters.root: my.paths.Folder is not on torch's weights_only list: "
        "torch.serialization.add_safe_globals([my.paths.Folder]) if you trust the file");
  CHECK(
      found("security-not-weights-only-loadable", b, {.params = {{"allow", report::List{"my.paths.Folder"}}}})
          .empty());
}

TEST_CASE("the weights_only list has exact names") {
  CHECK(lint::is_weights_only_name("torch", "FloatStorage"));
  CHECK(lint::is_weights_only_name("torch.cuda", "ComplexFloatStorage"));
  CHECK(lint::is_weights_only_name("torch", "QInt8Storage"));
  CHECK(lint::is_weights_only_name("torch", "float8_e4m3fn"));
  CHECK(lint::is_weights_only_name("torch._utils", "_rebuild_tensor_v3"));
  CHECK(lint::is_weights_only_name("torch.nn.parameter", "Parameter"));
  CHECK_FALSE(lint::is_weights_only_name("torch.cuda", "QInt8Storage"));
  CHECK_FALSE(lint::is_weights_only_name("torch.sparse", "BoolTensor"));
  CHECK_FALSE(lint::is_weights_only_name("torch", "nn.parameter.Parameter"));
  CHECK_FALSE(lint::is_weights_only_name("torch._utils_evil", "_rebuild_tensor_v2"));
  CHECK_FALSE(lint::is_weights_only_name("os", "FloatStorage"));
  CHECK_FALSE(lint::is_weights_only_name("builtins", "getattr"));
}

TEST_CASE("another protocol or POP is a note for those who ask, and silent otherwise") {
  const LintRun asked = {.params = {{"opcodes", true}}};
  CheckpointBuilder pop;
  pop.file().opcodes.set(0x30);
  CHECK(found("security-not-weights-only-loadable", pop, asked) ==
        std::vector<std::string>{"note : opcodes that torch's restricted unpickler does not know: POP"});
  CheckpointBuilder four;
  four.file().pickle_protocol = 4;
  four.file().opcodes.set(0x95);
  CHECK(found("security-not-weights-only-loadable", four, asked).size() == 1);
  CHECK(found("security-not-weights-only-loadable", four).empty());
}

TEST_CASE("_instantiator may only name Lightning's own functions") {
  CheckpointBuilder b, good;
  b.set(b.hparams, "_instantiator", b.text("os.system"));
  CHECK(found("security-instantiator", b) ==
        std::vector<std::string>{"error hyper_parameters._instantiator: \"os.system\" is imported and called "
                                 "by Lightning 2.3.0 to 2.6.5"});
  good.set(good.hparams, "_instantiator", good.text("lightning.pytorch.cli.instantiate_module"));
  CHECK(found("security-instantiator", good).empty());
}

TEST_CASE("credentials are told, and never shown") {
  CheckpointBuilder b;
  b.set(b.hparams, "wandb_api_key", b.text("0123456789abcdef0123456789abcdef01234567"));
  b.set(b.hparams, "note", b.text("token ghp_0123456789abcdefghijABCDEFGHIJ012345 in a sentence"));
  b.set(b.hparams, "db",
        b.dict({{"password", b.text("hunter2")}, {"url", b.text("postgres://u:p4ss@host/db")}}));
  const auto text = found("security-secret", b);
  REQUIRE(text.size() == 4);
  for (const auto& line : text) {
    CAPTURE(line);
    CHECK(line.find("hunter2") == std::string::npos);
    CHECK(line.find("abcdef") == std::string::npos);
    CHECK(line.find("p4ss") == std::string::npos);
  }
}

TEST_CASE("values that only look like credentials are healthy") {
  struct {
    const char* key;
    const char* value;
  } healthy[] = {{"use_cls_token", "yes"},
                 {"pad_token", "[PAD]"},
                 {"token", "cls"},
                 {"bos_token", "<|begin_of_text_v2|>"},
                 {"git_commit", "0123456789abcdef0123456789abcdef01234567"},
                 {"api_key", "${oc.env:API_KEY}"},
                 {"password", "********"},
                 {"secret_path", "/run/secrets/x"},
                 {"monkey", "0123456789abcdefgh"},
                 {"task", "task-sk-learn-0123456789-abcdefgh"},
                 {"url", "https://host/a:b@c"},
                 {"keypoint_token", "vit_base_patch16"}};
  for (const auto& h : healthy) {
    CAPTURE(h.key);
    CAPTURE(h.value);
    CHECK(lint::secret_shape(h.value) == "");
    CHECK(lint::secret_under_key(h.key, h.value) == "");
  }
}

TEST_CASE("expectations of hyperparameters compare numbers as numbers and never pass in silence") {
  using report::List;
  using report::Object;
  const auto expect = [](Object object) {
    return LintRun{.params = {{"expect", report::Value(std::move(object))}}};
  };
  // clang-format off
  const struct { Object expectation; std::vector<std::string> lines; } cases[] = {
      {{{"lr", Object{{"max", 0.01}}}, {"hidden", 8.0}, {"name", "tiny"}, {"betas", List{0.9, 0.999}}}, {}},
      {{{"lr", Object{{"max", 0.0001}}}}, {"error hyper_parameters.lr: 0.001, expected at most 0.0001"}},
      {{{"hidden", std::int64_t{16}}}, {"error hyper_parameters.hidden: 8, expected 16"}},
      {{{"name", Object{{"one-of", List{"a", "b"}}}}}, {"error hyper_parameters.name: \"tiny\", expected one of [\"a\", \"b\"]"}},
      {{{"name", Object{{"matches", "t*y"}}}}, {}},
      {{{"warmup", std::int64_t{1}}}, {"error hyper_parameters.warmup: absent, but the rules expect it"}},
      {{{"warmup", Object{{"present", false}}}}, {}},
      {{{"lr", Object{{"present", false}}}}, {"error hyper_parameters.lr: 0.001, but it must not be there"}},
      {{{"name", Object{{"min", std::int64_t{1}}}}}, {"error hyper_parameters.name: \"tiny\", expected at least 1"}},
  };
  // clang-format on
  for (const auto& c : cases) {
    CheckpointBuilder b;
    const auto text = found("hparams-expected", b, expect(c.expectation));
    const std::string got = text.empty() ? "" : text.front();
    CAPTURE(got);
    CHECK(text == c.lines);
  }
}
