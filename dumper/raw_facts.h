// What goes to ckpt-raw.img: what a fixup will need and CRIU's format has no place for. Pure.
#ifndef DUMPER_RAW_FACTS_H_
#define DUMPER_RAW_FACTS_H_

#include <sys/types.h>

#include <unordered_set>
#include <vector>

#include "dumper/mappings.h"
#include "formats/proto/raw_facts.pb.h"
#include "process/maps.h"
#include "process/union_mounts.h"

namespace ckpt {

// One fact for each union mount, then one for each file mapping whose map_files link and maps path
// differ, or whose mount is not one of the namespace's, `mount_ids`.
std::vector<pb::raw_fact_entry> BuildRawFacts(pid_t pid, uint32_t mnt_ns_id,
                                              const std::unordered_set<int32_t>& mount_ids,
                                              const std::vector<UnionMount>& unions,
                                              const std::vector<Mapping>& mappings,
                                              const std::vector<MappedFile>& mapped_files);

}  // namespace ckpt

#endif  // DUMPER_RAW_FACTS_H_
