// The words of a rule: `message` for all kinds of its findings, `messages` for kinds with words or a level of
// their own. The check says which kinds there are and which fields each has; the rule says the rest.
#pragma once

#include <span>
#include <string>

#include "files/yaml_reader.h"
#include "lint/rule.h"

namespace ckpt::lint {

// All of these throw Error{kUsage} with the position.

// `message: TEXT`: for every kind; what the rule said about single kinds before is replaced, levels stay.
void set_message(Rule& rule, const std::string& source, const YamlNode& node);
// `messages: {KIND: TEXT, KIND: {level: warning, text: TEXT}}`.
void set_messages(Rule& rule, const std::string& source, const YamlNode& node);

// Every kind that the rule can find has words, and they use fields that the kind has.
void check_messages(const Rule& rule, const std::string& source, const YamlNode& at);

// A team's own rule without words takes those of the first rule of the catalogue on the same check, after its
// own title if it has one; if there is no such rule, all fields that the check knows.
void set_default_messages(Rule& rule, std::span<const Rule> catalog);

}  // namespace ckpt::lint
