// *.index.json: which shard has which weight. Private to checkpoint/formats.
#pragma once

#include <string>
#include <string_view>

#include "checkpoint/formats/folder_parts.h"

namespace ckpt::formats {

// Reads the weights of a file of the folder, safetensors or torch.save, as items of a dict; kNoNode with a
// defect if there are none.
value::NodeId read_weights(FolderParts& parts, const std::string& file, const Limits& limits,
                           Checkpoint& out);

// The same of all shards of an index. Every difference between index and shards is a defect.
value::NodeId read_sharded_weights(FolderParts& parts, const Source& source, const std::string& index,
                                   const Limits& limits, Checkpoint& out);

}  // namespace ckpt::formats
