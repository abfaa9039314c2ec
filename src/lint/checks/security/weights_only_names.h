// What torch.load(weights_only=True) accepts by default, enumerated from torch 2.13 and 2.14
// (torch/_weights_only_unpickler.py, _get_allowed_globals and the opcodes of Unpickler.load). Exact names.
#pragma once

#include <bitset>
#include <string>
#include <string_view>
#include <vector>

namespace ckpt::lint {

bool is_weights_only_name(std::string_view module, std::string_view name);

// Modules that no option of torch can allow (_blocklisted_modules).
bool is_blocked_module(std::string_view module);

// Names of the executed opcodes that torch's restricted unpickler does not know, in ascending order of code.
std::vector<std::string> refused_opcodes(const std::bitset<256>& executed);

}  // namespace ckpt::lint
