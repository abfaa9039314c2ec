// Well-known Python objects as the plain data they stand for: OrderedDict -> dict, set([..]) -> set,
// _codecs.encode(..) -> bytes, PosixPath(..) -> text, numpy scalars -> numbers, OmegaConf -> dict and list
// ... The class stays known (Tree::origin). What is not known here stays an object, with all of its parts.
// Sources: the __reduce__ of each class; reference measurements per Python, numpy and OmegaConf version.
#pragma once

#include "value/tree.h"

namespace ckpt::formats {

void simplify_python_objects(value::Tree& tree);

}  // namespace ckpt::formats
