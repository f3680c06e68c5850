// Reads what a fixup needs to know from the images of a dump directory.
#ifndef IMGTOOL_FACTS_READER_H_
#define IMGTOOL_FACTS_READER_H_

#include <string>

#include "base/result.h"
#include "imgtool/dump_facts.h"
#include "imgtool/image_source.h"

namespace ckpt {

// Opens files, reg-files, remap-fpath, mm, vmas, fs, fdinfo, ids, core, inventory, pstree, fifo,
// tty, mountpoints, unixsk, inotify-wd, fanotify-mark, irmap-cache, ghost-file and ckpt-raw images;
// no pages. Errors are those of the images; kNotFound where the directory holds neither files.img
// nor reg-files.img.
Result<DumpFacts> ReadDumpFacts(const ImageSource& source);
Result<DumpFacts> ReadDumpFacts(const std::string& directory);

}  // namespace ckpt

#endif  // IMGTOOL_FACTS_READER_H_
