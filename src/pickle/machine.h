// The pickle machine: bytes of a pickle of protocol 0-5 -> Tree. It knows every opcode, but not torch. It
// never imports, resolves or calls anything: REDUCE leaves a kObject node, a persistent id a kPersistent
// node. It accepts what any of Python's unpicklers would accept and reports where they disagree.
// Sources: CPython Lib/pickletools.py, Modules/_pickle.c; torch/_weights_only_unpickler.py.
// One call, no global state: any thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "value/tree.h"

namespace ckpt::pickle {

// A name that the stream imports, in order of first appearance. The import itself counts, even
// if its result is dropped or the stream breaks later.
struct Import {
  std::string module;  // after Python 2's names were mapped (protocol < 3)
  std::string name;
  std::uint64_t offset = 0;  // of the opcode, in the pickle
  bool resolvable = true;    // false: module or name was computed by a call, or is not a string
  bool called = false;       // was the callee of REDUCE, NEWOBJ, OBJ, INST or the target of BUILD
};

// Readable but wrong. Codes: pickle-trailing-data, pickle-frame-boundary, pickle-setitem-on-non-dict,
// pickle-duplicate-key, pickle-protocol-unknown, pickle-opcode-unsupported, pickle-malformed, pickle-not-utf8,
// name-unprintable, name-too-long.
struct PickleDefect {
  std::string code;
  std::string text;
  std::uint64_t offset = 0;
};

struct PickleResult {
  value::NodeId root = value::kNoNode;  // kNoNode if the stream broke before STOP
  std::vector<Import> imports;
  std::vector<PickleDefect> defects;
  std::optional<Error> failure;  // why the stream could not be read to STOP; imports are kept
  int protocol = 0;              // the highest PROTO seen; 0 if there was none
  std::bitset<256> opcodes;      // those that were executed
  std::uint64_t end = 0;         // offset after STOP
};

// Runs one pickle at the start of `bytes`. Text in the tree borrows from `bytes`, which the tree keeps.
// Never throws for what the input contains (see failure); std::bad_alloc may pass.
PickleResult run(std::shared_ptr<const std::vector<std::byte>> bytes, value::Tree& tree,
                 const Limits& limits);

}  // namespace ckpt::pickle
