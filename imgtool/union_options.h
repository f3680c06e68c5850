// Mount options of union file systems: which of them name the machine that the dump was taken on.
#ifndef IMGTOOL_UNION_OPTIONS_H_
#define IMGTOOL_UNION_OPTIONS_H_

#include <string>
#include <string_view>
#include <vector>

namespace ckpt {

struct KeptOptions {
  std::string options;               // what is left, in the old order
  std::vector<std::string> dropped;  // keys, in the old order
};

// Drops from a comma-separated list what no other machine can use: of AUFS `si` (a kernel pointer
// xor a number of that boot), `br`, `dirs`, `xino`; of overlayfs the directories of the layers. A
// comma behind a backslash belongs to a path. Their layers are the branch map's business; a
// restorer binds the union from where it is mounted, and never mounts it from these.
KeptOptions DropHostOptions(std::string_view options);

}  // namespace ckpt

#endif  // IMGTOOL_UNION_OPTIONS_H_
