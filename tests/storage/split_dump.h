// Makes an incremental dump of a full one: its pages come to lie in several dumps.
#ifndef TESTS_STORAGE_SPLIT_DUMP_H_
#define TESTS_STORAGE_SPLIT_DUMP_H_

#include <cstddef>
#include <string>

#include "base/result.h"

namespace ckpt {

// The dump `path` keeps every `layers`-th page of its pagemaps; the others move to new dumps beside
// it, `path`.1 (the parent of `path`), `path`.2, ..., page by page in turn. Those have a copy of
// the inventory, and pagemaps of the same names.
Result<> SplitDump(const std::string& path, size_t layers);

}  // namespace ckpt

#endif  // TESTS_STORAGE_SPLIT_DUMP_H_
