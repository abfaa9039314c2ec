// How much a tree becomes when every path through its shared parts is followed: 40 levels of dicts that refer
// eight times to the level below are 8^40 places in a few kilobytes. Counted without following them.
#pragma once

#include "value/tree.h"

namespace ckpt::value {

struct Expansion {
  double places = 0;      // what a walk would visit
  double path_bytes = 0;  // of their paths, together
  double label_work = 0;  // places' worth of spelling long keys
  double text_bytes = 0;  // of long texts and bytes, beyond the first time that each is reached
};

// Of the graph below the root; 1 place for what cycles back. Linear in the nodes and references of the tree.
Expansion measure_expansion(const Tree& tree);

}  // namespace ckpt::value
