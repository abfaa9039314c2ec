// The elements of a view in C order as a source of bytes, for views that have to be read as plain data: a
// shard of a larger tensor that was saved with permuted strides or swapped bytes.
#pragma once

#include "io/byte_source.h"
#include "tensor/tensor_view.h"

namespace ckpt::tensor {

// A range of the storage where the view is one, else a source that gathers the elements when they are read.
// The size is numel * element_size. Requires: the view is inside the storage, the storage has bytes, the
// dtype is not packed. Throws like plan_every_element.
io::SourcePtr view_source(const TensorView& view, const Storage& storage);

}  // namespace ckpt::tensor
