#include <doctest/doctest.h>

#include "lint/checks/security/secret_shapes.h"
#include "lint/checks/security/weights_only_names.h"
#include "tests/lint/checks/support.h"

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
                        {"numpy.testing._private.utils", "runstring"}, {"cProfile", "run"}, {"_interpreters", "create"},
                        {"torch.fx.graph_module", "_exec_with_source"}, {"torch.utils._config_module", "ConfigModule.load_config"},
                        {"torch.utils._config_module.ConfigModule", "load_config"}, {"hydra.utils", "instantiate"},
                        {"torch.utils.data.datapipes.utils.decoder", "basichandlers"}, {"numpy.distutils.exec_command", "exec_command"},
                        {"hydra._internal.instantiate._instantiate2", "instantiate"}, {"lightning.pytorch.cli", "instantiate_module"},
                        {"pytorch_lightning.cli", "instantiate_module"}, {"lightning.fabric.utilities.cloud_io", "_load"},
                        {"lightning_fabric.utilities.cloud_io", "_load"}, {"numpy", "loads"}, {"sympy.core.sympify", "sympify"},
                        {"sympy.parsing.sympy_parser", "parse_expr"}, {"cgitb", "lookup"}, {"pandas", "eval"}, {"subprocess32", "call"},
                        {"multiprocessing", "Process"}, {"multiprocessing.process", "BaseProcess"}, {"torch.multiprocessing", "spawn"},
                        {"torch.multiprocessing.spawn", "spawn"}, {"pathlib", "Path.write_text"}, {"pathlib.Path", "unlink"},
                        {"pathlib._local", "PosixPath.read_text"}, {"torch._dynamo.guards", "GuardBuilder.get"}};
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
                        {"datetime", "timedelta"}, {"omegaconf.dictconfig", "DictConfig"},
                        {"pathlib._local", "PurePosixPath"}, {"torch._dynamo.decorators", "_DimRange"}, {"test", "Config"},
                        {"torch.jit._pickle", "restore_type_tag"}, {"hydra_plugins.mine", "Config"}, {"numpy.testing_utils", "X"},
                        {"sympy.core.symbol", "Symbol"}, {"multiprocessing.context", "SpawnContext"}, {"torch.fx.node", "Node"}};
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
  CHECK(
      text[0] ==
      "warning hyper_parameters.root: my.paths.Folder is not on torch's weights_only list; if you trust the "
      "file: import my.paths; torch.serialization.add_safe_globals([my.paths.Folder])");
  CHECK(
      found("security-not-weights-only-loadable", b, {.params = {{"allow", report::List{"my.paths.Folder"}}}})
          .empty());
}

TEST_CASE("names that one line of Python allows are one finding, and what nobody should allow is another") {
  CheckpointBuilder b;
  b.set(b.hparams, "cfg",
        b.dict({{"root", b.call("my.paths", "Folder", {b.text("/x")})},
                {"file", b.call("my.paths", "File", {b.text("/y")})},
                {"when", b.call("datetime", "date", {b.integer(1)})}}));
  b.import("os", "system");
  b.import("builtins", "eval");
  b.import("my", "x]); evil(");
  b.import("builtins", "getattr");
  const Opened opened = b.build();
  const auto findings = lint_with("security-not-weights-only-loadable", opened);
  CHECK(
      lines(findings) ==
      std::vector<std::string>{
          "warning : builtins.eval is not on torch's weights_only list: never allow what runs code "
          "(security-dangerous-global)",
          "warning : builtins.getattr is not on torch's weights_only list: allowing getattr would allow "
          "everything",
          "warning : my.x]); evil( is not on torch's weights_only list: that is no name in Python",
          "warning : os.system is not on torch's weights_only list: torch never allows that",
          "warning hyper_parameters.cfg: 3 names are not on torch's weights_only list; if you trust the "
          "file: "
          "import my.paths, datetime; torch.serialization.add_safe_globals([my.paths.Folder, my.paths.File, "
          "datetime.date])"});
  const auto& globals = std::get<report::List>(findings.back().properties.at(0).value.data());
  REQUIRE(globals.size() == 3);
  const auto& first = std::get<report::Object>(globals[0].data());
  CHECK(std::get<std::string>(first.at(0).value.data()) == "my.paths.Folder");
  CHECK(std::get<std::string>(first.at(1).value.data()) == "hyper_parameters.cfg.root");
  CheckpointBuilder one_more;
  one_more.set(one_more.hparams, "cfg",
               one_more.dict({{"root", one_more.call("my.paths", "Folder", {})},
                              {"new", one_more.call("my.paths", "New", {})},
                              {"file", one_more.call("my.paths", "File", {})}}));
  const auto other = lint_with("security-not-weights-only-loadable", one_more.build());
  REQUIRE(other.size() == 1);
  CHECK(other[0].where.path == findings.back().where.path);
  CHECK(other[0].kind != findings.back().kind);  // a baseline does not take one for the other
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

TEST_CASE("a credential is certain by its form, and a suspicion by its name") {
  const std::string az = "abcdefghijklmnopqrstuvwxyz", digits = "0123456789";
  const std::string mixed = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6kL9nO2qR5tU8wX";  // 50
  const struct {
    const char* key;
    std::string value;
    const char* line;  // "" = silent
  } cases[] = {
      {"x", "hf_" + az + "ABCDEF12", "error"},
      {"x", "hf_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh", "error"},  // Hugging Face's have no digit
      {"x", "sk-proj-AbCdEf0123456789_AbCdEf0123456789-xyz", "error"},
      {"x", "sk-ant-api03-" + mixed + "-AA", "error"},
      {"x", "sk-" + mixed, "error"},
      {"x", "AKIAIOSFODNN7EXAMPLE", "error"},
      {"x", "AIza" + mixed.substr(0, 35), "error"},
      {"x", "glpat-" + mixed.substr(0, 20), "error"},
      {"x", "xoxb-123456789012-123456789012-" + mixed.substr(0, 24), "error"},
      {"x", "github_pat_" + mixed.substr(0, 22) + "_" + mixed, "error"},
      {"x", "https://hooks.slack.com/services/T00000000/B00000000/" + az.substr(0, 24), "error"},
      {"x", "https://discord.com/api/webhooks/123456789012345678/" + mixed + az, "error"},
      {"x", "AccountName=x;AccountKey=" + az + mixed + "abcdefghij==;EndpointSuffix=core.windows.net",
       "error"},
      {"x", "12345678:AA" + mixed.substr(0, 33), "error"},
      {"Authorization", "Bearer abcdef0123456789abcdef0123456789", "error"},
      {"Authorization", "Basic aGVsbG86d29ybGQ=", "warning"},
      {"db_pwd", "Xk29!sPq", "error"},
      {"db_password", "hunter2", "error"},
      {"password", "hunter", "warning"},
      {"aws_secret_access_key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzKEYx", "error"},
      {"AWS_SECRET_ACCESS_KEY", "/JalrXUtnFEMI+K7MDENG/bPxRfiCYzzzzzzKEYx", "error"},
      {"comet_api_key", "AbCdEfGhIjKlMnOpQrStUvWxY", "error"},
      {"client_secret", "8Q~abcDEFghiJKLmnoPQRstuVWXyz0123456789", "error"},
      {"secret", "my_precious", "warning"},
      {"api_key_openai", "abcdef0123456789abcdef", "error"},
      {"hub_token", "abcdef0123456789abcdef", "error"},
      // words
      {"x", "hf_internal_testing_tiny_random_llama_v2", ""},
      {"x", "hf_hub_tokenizer_bert_base_uncased_2024_v1", ""},
      {"model_id", "sk-learn-regression-model-2024-v1", ""},
      {"data_key", "sk-fold_10x10_crossvalidation_split", ""},
      {"x", "AKIADISTRIBUTION1234", ""},
      {"x", "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX", ""},
      {"x", "dapi_documentation_0123456789abcdef01234567", ""},
      {"x", "Bearer of good news and of other things", ""},
      // keys about secrets
      {"password_column", "passwd_hash", ""},
      {"password_field", "user_password", ""},
      {"api_key_env_var", "OPENAI_API_KEY", ""},
      {"secret_manager", "aws-secretsmanager", ""},
      {"secrets_backend", "vault-production", ""},
      {"secret_token_type", "classification", ""},
      {"api_key_rotation_days", "thirty-five", ""},
      {"password_strength_model", "zxcvbn-2", ""},
      {"dict_passwords", "rockyou.txt", ""},
      // values that refer to one
      {"api_key", "OPENAI_API_KEY", ""},
      {"openai_api_key", "os.environ/OPENAI_API_KEY", ""},
      {"credentials", "/home/u/.config/gcloud/application_default_credentials.json", ""},
      {"google_credentials", "gs://bucket/sa.json", ""},
      {"password", "DB_PASSWORD", ""},
      {"password", "/run/secrets/db1", ""},
      {"access_key", "keys.access", ""},
      {"auth_key", "question_id", ""},
      {"cls_token", "token_0123456789abcdef", ""},
      {"auth", "oauth2_client_credentials_flow_v2", ""},
      {"pwd", "/home/alice/project2", ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.key);
    CAPTURE(c.value);
    CheckpointBuilder b;
    b.set(b.hparams, c.key, b.text(c.value));
    const auto text = found("security-secret", b);
    const std::string got = text.empty() ? "" : text[0].substr(0, text[0].find(' '));
    CHECK(got == c.line);
    CHECK(text.size() == (*c.line == 0 ? 0u : 1u));
  }
}

TEST_CASE("a credential may be bytes") {
  CheckpointBuilder b;
  b.set(b.hparams, "api_key", b.tree().add_bytes("AbCdEfGhIjKlMnOpQrStUvWxY0123"));
  CHECK(found("security-secret", b) ==
        std::vector<std::string>{
            "error hyper_parameters.api_key: an API key or secret: Ab... (29 characters)"});
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
    CHECK(lint::secret_shape(h.value).what == "");
    CHECK(lint::secret_under_key(h.key, h.value).what == "");
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
