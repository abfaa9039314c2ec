// Well-known Python objects as the plain data they represent: OrderedDict -> dict, set([..]) -> set,
// _codecs.encode(..) -> bytes, PosixPath(..) -> text, numpy scalars -> numbers, OmegaConf -> dict and list
// ... The class stays known (Tree::origin). Unknown objects stay objects, with all their parts.
// Sources: the __reduce__ of each class; reference measurements for each Python, numpy and OmegaConf version.
#pragma once

#include "value/tree.h"

namespace ckpt::formats {

// The nodes from `first` on.
void simplify_python_objects(value::Tree& tree, value::NodeId first);

}  // namespace ckpt::formats
