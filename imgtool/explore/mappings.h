// The mappings of a process as its images tell them.
#ifndef IMGTOOL_EXPLORE_MAPPINGS_H_
#define IMGTOOL_EXPLORE_MAPPINGS_H_

#include <optional>
#include <string>
#include <vector>

#include "formats/proto/memory.pb.h"
#include "imgtool/explore/dump_reader.h"
#include "imgtool/explore/file_context.h"

namespace ckpt {

// In the order of their addresses. Nothing where the dump has neither an mm image nor one of old
// with the mappings alone.
std::optional<std::vector<pb::vma_entry>> ReadMappings(DumpReader& reader, uint32_t pid);

// "rw-p" as in /proc/PID/maps.
std::string PermissionsText(const pb::vma_entry& vma);

// What kind of mapping it is: "file", "heap", "anon", "anon shared", ... See vma_status.h.
std::string MappingKind(const pb::vma_entry& vma);

// As /proc/PID/maps names it: a path, "[heap]", nothing for plain anonymous memory. Of shared
// anonymous memory the dumper's number of it.
std::string MappingName(const pb::vma_entry& vma, const FileContext& files);

bool IsFileMapping(const pb::vma_entry& vma);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_MAPPINGS_H_
