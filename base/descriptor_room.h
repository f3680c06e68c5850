// The kernel's table of the descriptors of this process.
#ifndef BASE_DESCRIPTOR_ROOM_H_
#define BASE_DESCRIPTOR_ROOM_H_

#include <cstdint>

namespace ckpt {

// Makes the table large enough for `count` descriptors, or as many as RLIMIT_NOFILE allows. A hint:
// the kernel grows it when needed, but waits milliseconds for each doubling once the table is
// shared with a thread or a process (synchronize_rcu in expand_fdtable, fs/file.c). So this is to
// be called before there is one.
void MakeRoomForDescriptors(uint64_t count);

}  // namespace ckpt

#endif  // BASE_DESCRIPTOR_ROOM_H_
