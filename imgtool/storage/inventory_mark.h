// The mark of a compressed dump in its inventory.
#ifndef IMGTOOL_STORAGE_INVENTORY_MARK_H_
#define IMGTOOL_STORAGE_INVENTORY_MARK_H_

#include <string>

#include "base/result.h"
#include "formats/dump_directory.h"

namespace ckpt {

enum class PagesForm { kPlain, kZstd };

// What the inventory of the dump says. kUnsupported: a version that we do not know, as that of
// pages which CRIU compressed.
Result<PagesForm> FormOfPages(const DumpDirectory& dump);

// The bytes of its inventory, saying `form` instead of the other one. No other byte changes, and
// saying the first form again gives the first bytes: kUnsupported where that cannot be.
Result<std::string> InventorySaying(const DumpDirectory& dump, PagesForm form);

}  // namespace ckpt

#endif  // IMGTOOL_STORAGE_INVENTORY_MARK_H_
