// One open descriptor of a frozen process, and who gets the signals of its file.
#ifndef DUMPER_OPEN_DESCRIPTION_H_
#define DUMPER_OPEN_DESCRIPTION_H_

#include <fcntl.h>
#include <sys/types.h>

#include <cstdint>
#include <span>
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

// The descriptors of a frozen process, each to be read once.
class DescriptorTable {
 public:
  static Result<DescriptorTable> Open(pid_t pid);

  const std::vector<int>& numbers() const { return numbers_; }  // ascending
  Result<OpenDescription> Read(int number) const;
  // All, by number. Many are read by two threads.
  Result<std::vector<OpenDescription>> ReadAll() const;

 private:
  DescriptorTable() = default;
  Result<std::vector<OpenDescription>> ReadSome(std::span<const int> numbers) const;

  pid_t pid_ = 0;
  UniqueFd pidfd_;
  UniqueFd links_;  // /proc/PID/fd
  UniqueFd infos_;  // /proc/PID/fdinfo
  std::vector<int> numbers_;
};

// Who gets signals about the file (F_SETOWN, F_SETSIG); all zero where nobody does.
Result<pb::fown_entry> ReadOwner(const OpenDescription& opened);

}  // namespace ckpt

#endif  // DUMPER_OPEN_DESCRIPTION_H_
