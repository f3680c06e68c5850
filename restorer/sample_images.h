// For tests: the images of a small process that has nothing wrong with it, to be spoilt.
#ifndef RESTORER_SAMPLE_IMAGES_H_
#define RESTORER_SAMPLE_IMAGES_H_

#include <cstdint>
#include <string>

#include "restorer/dump_images.h"

namespace ckpt {

inline constexpr uint32_t kSamplePid = 42;
inline constexpr uint32_t kSampleExeId = 1;
inline constexpr uint32_t kSampleDirectoryId = 2;

// One process with one thread, an executable mapping of file 1 at 0x400000, a page of anonymous
// memory at 0x500000, "/" as root and working directory, and no descriptors. `pid` leads its
// session.
DumpImages SampleImages(uint32_t pid = kSamplePid);

// A mapping to add to it.
pb::vma_entry SampleMapping(uint64_t start, uint64_t end, uint32_t status, uint32_t flags,
                            uint32_t protection);

// A file to add to it: a regular file at `path`.
pb::file_entry SampleFile(uint32_t id, const std::string& path);

// A thread to add to it.
pb::core_entry SampleThread();

}  // namespace ckpt

#endif  // RESTORER_SAMPLE_IMAGES_H_
