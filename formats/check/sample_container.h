// For tests: a dump without a fault, of a container with tasks, threads, memory, files of every
// kind, mounts and namespaces. It has a parent, to which it leaves pages.
#ifndef FORMATS_CHECK_SAMPLE_CONTAINER_H_
#define FORMATS_CHECK_SAMPLE_CONTAINER_H_

#include "formats/check/memory_dump.h"

namespace ckpt {

struct SampleContainer {
  MemoryDump dump;
  MemoryDump parent;
};

SampleContainer MakeSampleContainer();

}  // namespace ckpt

#endif  // FORMATS_CHECK_SAMPLE_CONTAINER_H_
