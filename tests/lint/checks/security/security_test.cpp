#include <doctest/doctest.h>

#include "lint/checks/security/secret_shapes.h"
#include "lint/checks/security/weights_only_names.h"
#include "tests/lint/checks/support.h"
#include "value/access.h"

using namespace ckpt;
using namespace ckpt::test;

namespace {

std::vector<std::string> found(const char* rule, CheckpointBuilder& b, const LintRun& run = {}) {
  const Opened opened = b.build();
  return lines(lint_with(rule, opened, run));
}

using Lines = std::vector<std::string>;

struct Name {
  const char* module;
  const char* name;
};

struct Danger {
  const char* words;
  std::vector<Name> names;
};

}  // namespace

TEST_CASE("imports that run code are errors, called or not") {
  // The last ones of each kind slipped through published deny lists once.
  // clang-format off
  const Danger dangers[] = {
      {"gives access to processes, files, the network or another loader",
       {{"os", "system"}, {"posix", "system"}, {"subprocess", "Popen"}, {"os.path", "join"}, {"timeit", "timeit"},
        {"pip", "main"}, {"_osx_support", "_read_output"}, {"ctypes", "CDLL"}, {"runpy", "_run_code"}, {"cProfile", "run"},
        {"asyncio", "unix_events._UnixSubprocessTransport._start"}, {"ssl", "get_server_certificate"},
        {"cloudpickle.cloudpickle", "_make_function"}, {"fickling.hook", "remove_hook"}, {"_interpreters", "create"},
        {"cgitb", "lookup"}, {"subprocess32", "call"}}},
      {"runs or loads code", {{"torch.jit.annotations", "parse_type_line"}, {"torch.utils.collect_env", "run"}}},
      {"runs code, starts processes or opens files",
       {{"torch.hub", "load"}, {"torch.distributed.rpc.internal", "_run_function"}, {"numpy.testing._private.utils", "runstring"},
        {"torch.fx.graph_module", "_exec_with_source"}, {"torch.utils._config_module", "ConfigModule.load_config"},
        {"torch.utils._config_module.ConfigModule", "load_config"}, {"hydra.utils", "instantiate"},
        {"torch.utils.data.datapipes.utils.decoder", "basichandlers"}, {"numpy.distutils.exec_command", "exec_command"},
        {"hydra._internal.instantiate._instantiate2", "instantiate"}, {"sympy.core.sympify", "sympify"},
        {"sympy.parsing.sympy_parser", "parse_expr"}, {"multiprocessing.process", "BaseProcess"},
        {"torch.multiprocessing.spawn", "spawn"}, {"torch.multiprocessing", "spawn"}, {"torch._dynamo.guards", "GuardBuilder.get"}}},
      {"runs code, opens files or loads another pickle",
       {{"builtins", "eval"}, {"torch", "load"}, {"torch.storage", "_load_from_bytes"}, {"numpy", "load"},
        {"operator", "attrgetter"}, {"uuid", "_get_command_stdout"}, {"logging", "FileHandler"}, {"_io", "FileIO"},
        {"types", "CodeType"}, {"lightning.pytorch.cli", "instantiate_module"}, {"pytorch_lightning.cli", "instantiate_module"},
        {"lightning.fabric.utilities.cloud_io", "_load"}, {"lightning_fabric.utilities.cloud_io", "_load"}, {"numpy", "loads"},
        {"pandas", "eval"}, {"multiprocessing", "Process"}}},
      {"reads, writes or deletes files",
       {{"pathlib", "Path.write_text"}, {"pathlib.Path", "unlink"}, {"pathlib._local", "PosixPath.read_text"}}},
      {"reaches a function through the attributes of a module", {{"pathlib", "os.system"}, {"my.module", "numpy.load"}}},
      {"reaches the internals of the interpreter", {{"my.module", "Class.__globals__"}}}};
  // clang-format on
  for (const Danger& danger : dangers) {
    for (const Name& name : danger.names) {
      CAPTURE(name.module);
      CAPTURE(name.name);
      CheckpointBuilder b;
      b.import(name.module, name.name);
      CHECK(found("security-dangerous-global", b) ==
            Lines{std::string("error : ") + name.module + "." + name.name + " " + danger.words});
    }
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

TEST_CASE("a call of a library's function is an error unless picklers write it") {
  const Name bad[] = {{"torch._utils", "_import_dotted_name"},
                      {"torch.distributed.distributed_c10d", "_tensor_to_object"},
                      {"numpy._core", "_ufunc_reconstruct"},
                      {"lightning.pytorch.utilities.imports", "f"},
                      {"statistics", "mean"},
                      {"builtins", "map"}};
  for (const Name& name : bad) {
    CAPTURE(name.name);
    CheckpointBuilder b;
    b.call(name.module, name.name, {b.text("x")});
    CHECK(found("security-dangerous-global", b) ==
          Lines{std::string("error : ") + name.module + "." + name.name +
                " is called with arguments of the file's choice: no checkpoint needs that"});
    CheckpointBuilder named;  // a configuration may name a function
    named.import(name.module, name.name);
    CHECK(found("security-dangerous-global", named).empty());
  }
  const Name good[] = {{"my.project", "rebuild"},
                       {"my.project", "Config"},
                       {"datetime", "date"},
                       {"builtins", "ValueError"},
                       {"numpy.core.multiarray", "_reconstruct"},
                       {"pytorch_lightning.trainer.states", "TrainerFn"},
                       {"torch.return_types", "max"}};
  for (const Name& name : good) {
    CAPTURE(name.name);
    CheckpointBuilder b;
    b.call(name.module, name.name, {b.text("x")});
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
  CHECK(found("security-dangerous-global", module) ==
        Lines{"error : builtins.getattr(torch.hub, \"load\") takes a function out of a module"});
  CheckpointBuilder escape;
  escape.set(
      escape.hparams, "x",
      escape.call("builtins", "getattr", {escape.global("my", "Class"), escape.text("__subclasses__")}));
  CHECK(
      found("security-dangerous-global", escape) ==
      Lines{"error hyper_parameters.x: builtins.getattr(my.Class, \"__subclasses__\") reaches the internals "
            "of the interpreter"});
  CheckpointBuilder unknown;
  unknown.set(unknown.hparams, "x",
              unknown.call("builtins", "getattr", {unknown.global("my", "Class"), unknown.integer(1)}));
  CHECK(found("security-dangerous-global", unknown) ==
        Lines{"error hyper_parameters.x: builtins.getattr(my.Class, 1) computes the name of its attribute"});
  CheckpointBuilder computed;
  computed.import("", "", false);
  CHECK(found("security-dangerous-global", computed) ==
        Lines{"error : imports a name that is computed on load: only running the file would tell which"});
}

TEST_CASE("a global is reported at its place") {
  CheckpointBuilder b;
  b.set(b.hparams, "root", b.call("my.paths", "Folder", {b.text("/x")}));
  const auto text = found("security-not-weights-only-loadable", b);
  REQUIRE(text.size() == 1);
  CHECK(text[0] ==
        "warning hyper_parameters.root: weights_only=True refuses my.paths.Folder; if you trust the file: "
        "from my.paths import Folder; torch.serialization.add_safe_globals([Folder])");
  CHECK(
      found("security-not-weights-only-loadable", b, {.params = {{"allow", report::List{"my.paths.Folder"}}}})
          .empty());
}

TEST_CASE("names that one line of Python allows are one finding, names that nobody should allow are others") {
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
  CHECK(lines(findings) ==
        Lines{"warning : weights_only=True refuses os.system; torch cannot be told to allow this",
              "warning : weights_only=True refuses builtins.eval; never allow what runs code "
              "(security-dangerous-global)",
              "warning : weights_only=True refuses builtins.getattr; never allow it: getattr gives access to "
              "everything",
              "warning : weights_only=True refuses my.x]); evil(; not a valid name in Python",
              "warning hyper_parameters.cfg: weights_only=True refuses my.paths.Folder, my.paths.File, "
              "datetime.date; allowing this alone does not help: see the other names that it refuses"});
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
  CHECK(identity_of(other[0]) != identity_of(findings.back()));  // a baseline tells them apart
}

TEST_CASE("a message names 40 globals at most, and says so") {
  CheckpointBuilder b, evil;
  std::string names = "C0", evils = "os.f0";
  for (int i = 0; i < 42; ++i) {
    b.import("my", "C" + std::to_string(i));
    evil.import("os", "f" + std::to_string(i));
    if (i > 0 && i < 40) names += ", C" + std::to_string(i);
    if (i > 0 && i < 40) evils += ", os.f" + std::to_string(i);
  }
  CHECK(found("security-not-weights-only-loadable", b) ==
        Lines{"warning : weights_only=True refuses 42 names; if you trust the file, the first 40: from my "
              "import " +
              names + "; torch.serialization.add_safe_globals([" + names + "])"});
  CHECK(found("security-not-weights-only-loadable", evil) ==
        Lines{"warning : weights_only=True refuses " + evils +
              " and 2 more; torch cannot be told to allow this"});
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

TEST_CASE("another protocol or POP is a note with opcodes: true, and silent otherwise") {
  const LintRun asked = {.params = {{"opcodes", true}}};
  CheckpointBuilder pop;
  pop.file().opcodes.set(0x30);
  CHECK(found("security-not-weights-only-loadable", pop, asked) ==
        Lines{"note : weights_only=True does not know the pickle opcodes POP"});
  CheckpointBuilder four;
  four.file().pickle_protocol = 4;
  four.file().opcodes.set(0x95);
  CHECK(found("security-not-weights-only-loadable", four, asked) ==
        Lines{"note : pickle protocol 4: weights_only=True does not know its opcodes FRAME"});
  CheckpointBuilder plain;
  plain.file().pickle_protocol = 4;
  CHECK(found("security-not-weights-only-loadable", plain, asked) ==
        Lines{"note : pickle protocol 4: torch.load expects protocol 2 and warns"});
  CHECK(found("security-not-weights-only-loadable", four).empty());
}

TEST_CASE("_instantiator may only name Lightning's own functions") {
  CheckpointBuilder b, good;
  b.set(b.hparams, "_instantiator", b.text("os.system"));
  CHECK(found("security-instantiator", b) ==
        Lines{"error hyper_parameters._instantiator: Lightning 2.3.0 to 2.6.5 imports and "
              "calls \"os.system\""});
  good.set(good.hparams, "_instantiator", good.text("lightning.pytorch.cli.instantiate_module"));
  CHECK(found("security-instantiator", good).empty());
}

TEST_CASE("credentials are reported, and never shown") {
  CheckpointBuilder b;
  b.set(b.hparams, "wandb_api_key", b.text("0123456789abcdef0123456789abcdef01234567"));
  b.set(b.hparams, "note", b.text("token ghp_0123456789abcdefghijABCDEFGHIJ012345 in a sentence"));
  b.set(b.hparams, "db",
        b.dict({{"password", b.text("hunter2")}, {"url", b.text("postgres://u:p4ss@host/db")}}));
  CHECK(found("security-secret", b) ==
        Lines{"error hyper_parameters.db.password: password: hu... (7 characters)",
              "error hyper_parameters.db.url: URL with a password: po... (25 characters)",
              "error hyper_parameters.note: GitHub token: to... (60 characters)",
              "error hyper_parameters.wandb_api_key: Weights & Biases API key: 01... (40 characters)"});
}

TEST_CASE("the form of a value makes a credential an error, the name of its key alone a warning") {
  const std::string az = "abcdefghijklmnopqrstuvwxyz", digits = "0123456789";
  const std::string mixed = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6kL9nO2qR5tU8wX";  // 50
  const struct {
    const char* key;
    std::string value;
    const char* said;  // level and what; "" = silent
  } cases[] = {
      {"x", "hf_" + az + "ABCDEF12", "error Hugging Face token"},
      {"x", "hf_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh",
       "error Hugging Face token"},  // Hugging Face's have no digit
      {"x", "sk-proj-AbCdEf0123456789_AbCdEf0123456789-xyz", "error API key (sk-...)"},
      {"x", "sk-ant-api03-" + mixed + "-AA", "error API key (sk-...)"},
      {"x", "sk-" + mixed, "error API key (sk-...)"},
      {"x", "AKIAIOSFODNN7EXAMPLE", "error AWS access key id"},
      {"x", "AIza" + mixed.substr(0, 35), "error Google API key"},
      {"x", "glpat-" + mixed.substr(0, 20), "error GitLab token"},
      {"x", "xoxb-123456789012-123456789012-" + mixed.substr(0, 24), "error Slack token"},
      {"x", "github_pat_" + mixed.substr(0, 22) + "_" + mixed, "error GitHub token"},
      {"x", "https://hooks.slack.com/services/T00000000/B00000000/" + az.substr(0, 24),
       "error Slack webhook"},
      {"x", "https://discord.com/api/webhooks/123456789012345678/" + mixed + az, "error Discord webhook"},
      {"x", "AccountName=x;AccountKey=" + az + mixed + "abcdefghij==;EndpointSuffix=core.windows.net",
       "error connection string with a key"},
      {"x", "12345678:AA" + mixed.substr(0, 33), "error Telegram bot token"},
      {"Authorization", "Bearer abcdef0123456789abcdef0123456789", "error Authorization header"},
      {"Authorization", "Basic aGVsbG86d29ybGQ=", "warning Authorization header"},
      {"db_pwd", "Xk29!sPq", "error password"},
      {"db_password", "hunter2", "error password"},
      {"password", "hunter", "warning password"},
      {"aws_secret_access_key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzKEYx", "error AWS secret key"},
      {"AWS_SECRET_ACCESS_KEY", "/JalrXUtnFEMI+K7MDENG/bPxRfiCYzzzzzzKEYx", "error AWS secret key"},
      {"comet_api_key", "AbCdEfGhIjKlMnOpQrStUvWxY", "error Comet API key"},
      {"client_secret", "8Q~abcDEFghiJKLmnoPQRstuVWXyz0123456789", "error API key or secret"},
      {"secret", "my_precious", "warning API key or secret"},
      {"api_key_openai", "abcdef0123456789abcdef", "error API key or secret"},
      {"hub_token", "abcdef0123456789abcdef", "error access token"},
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
    const std::string said = c.said, path = value::key_path("hyper_parameters", c.key);
    const std::string shown =
        c.value.substr(0, 2) + "... (" + std::to_string(c.value.size()) + " characters)";
    Lines expected;
    if (said.starts_with("error "))
      expected = {"error " + path + ": " + said.substr(6) + ": " + shown};
    else if (said.starts_with("warning "))
      expected = {"warning " + path + ": probably a credential, judging by its key (" + said.substr(8) +
                  "): " + shown};
    CHECK(found("security-secret", b) == expected);
  }
}

TEST_CASE("a credential may be bytes") {
  CheckpointBuilder b;
  b.set(b.hparams, "api_key", b.tree().add_bytes("AbCdEfGhIjKlMnOpQrStUvWxY0123"));
  CHECK(found("security-secret", b) ==
        Lines{"error hyper_parameters.api_key: API key or secret: Ab... (29 characters)"});
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

TEST_CASE("expectations of hyperparameters compare numbers as numbers and never pass silently") {
  using report::List;
  using report::Object;
  const auto expect = [](Object object) {
    return LintRun{.params = {{"expect", report::Value(std::move(object))}}};
  };
  // clang-format off
  const struct { Object expectation; std::vector<std::string> lines; } cases[] = {
      {{{"lr", Object{{"max", 0.01}}}, {"hidden", 8.0}, {"name", "tiny"}, {"betas", List{0.9, 0.999}}}, {}},
      {{{"lr", Object{{"max", 0.0001}}}}, {"error hyper_parameters.lr: 0.001 is more than 0.0001"}},
      {{{"hidden", std::int64_t{16}}}, {"error hyper_parameters.hidden: 8, expected 16"}},
      {{{"name", Object{{"one-of", List{"a", "b"}}}}}, {"error hyper_parameters.name: \"tiny\", expected one of [\"a\", \"b\"]"}},
      {{{"name", Object{{"matches", "t*y"}}}}, {}},
      {{{"warmup", std::int64_t{1}}}, {"error hyper_parameters.warmup: missing"}},
      {{{"warmup", Object{{"present", false}}}}, {}},
      {{{"lr", Object{{"present", false}}}}, {"error hyper_parameters.lr: 0.001, but must not be set"}},
      {{{"name", Object{{"min", std::int64_t{1}}}}}, {"error hyper_parameters.name: \"tiny\" is not a number that can be compared with a limit"}},
      {{{"name", Object{{"min", std::int64_t{1}}, {"max", std::int64_t{2}}}}}, {"error hyper_parameters.name: \"tiny\" is not a number that can be compared with a limit"}},
      {{{"lr", Object{{"min", 0.01}}}}, {"error hyper_parameters.lr: 0.001 is less than 0.01"}},
      {{{"lr", Object{{"min", 0.0001}, {"max", 0.01}}}}, {}},
      {{{"name", Object{{"matches", "x*"}}}}, {"error hyper_parameters.name: \"tiny\" does not match \"x*\""}},
      {{{"lr", Object{{"matches", "x*"}}}}, {"error hyper_parameters.lr: 0.001 is not text, expected text that matches \"x*\""}},
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
