// The descriptor tables of a tree of processes, prepared while it still runs.
#ifndef DUMPER_DESCRIPTOR_TABLES_H_
#define DUMPER_DESCRIPTOR_TABLES_H_

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <span>

#include "base/result.h"
#include "dumper/open_description.h"

namespace ckpt {

class DescriptorTables {
 public:
  // Raises what this process may have open as far as it may: a tree can have far more descriptors
  // than a program mostly may, and of each a duplicate is held. As it was where that is refused.
  DescriptorTables();

  // Makes room for what the others open for these processes, before there are threads.
  static void MakeRoom(std::span<const pid_t> pids);

  // For a process that runs. Files are kept open for it as far as half of what this process may
  // have open goes: copies of descriptors need some, too.
  Result<DescriptorTable*> Prepare(pid_t pid);

  // Of the process, frozen since, whether it was prepared or not.
  Result<DescriptorTable*> Of(pid_t pid);

 private:
  Result<DescriptorTable*> Open(pid_t pid);

  std::map<pid_t, DescriptorTable> tables_;
  size_t files_left_ = 0;
};

}  // namespace ckpt

#endif  // DUMPER_DESCRIPTOR_TABLES_H_
