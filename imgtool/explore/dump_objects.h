// The parts of a dump as objects that another dump can be compared with: named by what they are.
#ifndef IMGTOOL_EXPLORE_DUMP_OBJECTS_H_
#define IMGTOOL_EXPLORE_DUMP_OBJECTS_H_

#include <cstdint>

#include "imgtool/explore/diff_report.h"
#include "imgtool/explore/dump_meaning.h"

namespace ckpt {

// A process, each of its threads, and the registers of each of them.
Objects TaskObjects(const DumpMeaning& dump, const DumpedTask& task);

// The descriptors of a process, and the files behind those of which it is the first holder;
// without sockets. A table that processes share belongs to the first of them.
Objects DescriptorObjects(const DumpMeaning& dump, const DumpedTask& task);

// The sockets that descriptors refer to, and those that none does, with their queues.
Objects SocketObjects(const DumpMeaning& dump);

Objects MappingObjects(const DumpMeaning& dump, const DumpedTask& task);

Objects MountObjects(const DumpMeaning& dump);

// What the images hold that none of the others is about: an object for each image.
Objects OtherObjects(const DumpMeaning& dump);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_DUMP_OBJECTS_H_
