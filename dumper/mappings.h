// The mappings of a frozen process as mm-PID.img has them.
#ifndef DUMPER_MAPPINGS_H_
#define DUMPER_MAPPINGS_H_

#include <sys/types.h>

#include <vector>

#include "base/result.h"
#include "dumper/file_table.h"
#include "dumper/refusals.h"
#include "formats/proto/memory.pb.h"
#include "process/linked_file.h"
#include "process/maps.h"
#include "process/pagemap.h"
#include "process/remote_ptr.h"

namespace ckpt {

// A file mapping and what its map_files link leads to.
struct MappedFile {
  size_t mapping_index = 0;  // into the mappings it was collected from
  uint32_t file_id = 0;
  LinkedFile file;
};

// All ascending.
struct CollectedMappings {
  std::vector<pb::vma_entry> vmas;  // one for each mapping; the pieces of vvar are one
  std::vector<MappedFile> files;
};

// `mappings` have their usage (VmFlags). What cannot be dumped goes to `refusals`.
Result<CollectedMappings> CollectMappings(pid_t pid, const std::vector<Mapping>& mappings,
                                          FileTable& files, Refusals& refusals);

// Whether a child that fork makes does not have the private pages of the mapping, which has its
// usage.
bool IsLeftByFork(const Mapping& mapping);

// Gives each mapping the usage that the one at the same address has in `smaps`, read of the same
// frozen process. kInternal when a mapping is not there.
Result<> AddUsage(const std::vector<Mapping>& smaps, std::vector<Mapping>& mappings);

// Where pages to dump are: those that `selection` finds, or every page of the vdso, which restorers
// parse, and of a mapping whose usage says that all are private; one that has none is left out.
struct PagesToDump {
  RemoteRange range;
  bool whole = false;
  PageSelection selection = PageSelection::kPrivate;
};
// Ascending; mappings side by side are one where they can be.
std::vector<PagesToDump> FindPagesToDump(const std::vector<Mapping>& mappings);

// Where guard pages (MADV_GUARD_INSTALL) may be: those are in no page table, so a mapping all of
// whose pages are has none. `mappings` have their usage. Ascending, neighbours joined.
std::vector<RemoteRange> FindRangesWithHoles(const std::vector<Mapping>& mappings);

}  // namespace ckpt

#endif  // DUMPER_MAPPINGS_H_
