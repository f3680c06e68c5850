// One open descriptor of a frozen process, and who gets the signals of its file.
#ifndef DUMPER_OPEN_DESCRIPTION_H_
#define DUMPER_OPEN_DESCRIPTION_H_

#include <fcntl.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "formats/proto/owner.pb.h"
#include "process/fdinfo.h"
#include "process/linked_file.h"

namespace ckpt {

// One descriptor, and a duplicate of it in this process.
struct OpenDescription {
  pid_t pid = 0;
  int number = 0;
  LinkedFile file;
  FdInfo info;
  UniqueFd copy;

  uint32_t description_flags() const { return info.flags & ~static_cast<uint32_t>(O_CLOEXEC); }
  bool IsPathOnly() const { return (info.flags & O_PATH) != 0; }
  bool IsReadEnd() const { return (info.flags & O_ACCMODE) != O_WRONLY; }
  bool IsWriteEnd() const { return (info.flags & O_ACCMODE) != O_RDONLY; }
};

// The descriptors of a process.
class DescriptorTable {
 public:
  static Result<DescriptorTable> Open(pid_t pid);

  pid_t pid() const { return pid_; }
  // Keeps the files open that Read() reads of /proc, up to that many: while the process runs there
  // is time for it, and under its freeze opening them is most of the work. What is read through
  // them is what is so then, also of a number that has another file meanwhile.
  Result<> Prepare(size_t max_files);
  size_t prepared_files() const { return 2 * prepared_.size(); }

  // One descriptor of the frozen process.
  Result<OpenDescription> Read(int number) const;
  // All that are open now, given to `take` by number, on this thread; of many another one reads a
  // part meanwhile, and begins with those that were open when last asked for.
  using Taker = std::function<Result<>(OpenDescription)>;
  Result<> ReadAll(const Taker& take);

 private:
  struct Prepared {
    UniqueFd link;  // of /proc/PID/fd: the link itself
    UniqueFd info;  // of /proc/PID/fdinfo
  };

  DescriptorTable() = default;
  Result<std::string> ReadLinkOf(int number) const;
  Result<FdInfo> ReadInfoOf(int number) const;

  pid_t pid_ = 0;
  UniqueFd pidfd_;
  UniqueFd links_;            // /proc/PID/fd
  UniqueFd infos_;            // /proc/PID/fdinfo
  std::vector<int> numbers_;  // ascending, as of the last listing
  std::unordered_map<int, Prepared> prepared_;
};

// Who gets signals about the file (F_SETOWN, F_SETSIG); all zero where nobody does.
Result<pb::fown_entry> ReadOwner(const OpenDescription& opened);

}  // namespace ckpt

#endif  // DUMPER_OPEN_DESCRIPTION_H_
