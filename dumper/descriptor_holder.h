// For tests: a child process with descriptors to collect.
#ifndef DUMPER_DESCRIPTOR_HOLDER_H_
#define DUMPER_DESCRIPTOR_HOLDER_H_

#include <unistd.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "dumper/descriptors.h"
#include "process/child_for_test.h"

namespace ckpt {

struct Descriptors : FileContents {
  std::vector<pb::fdinfo_entry> fds;  // by number
};

// A child with the descriptors that `open` opens, and those of the test. Tests use numbers from 300
// on.
class DescriptorHolder {
 public:
  explicit DescriptorHolder(const std::function<void()>& open)
      : child_([&open](const auto& ready) {
          open();
          ready();
          return pause();
        }) {
    refusals.SetRoot(child_.pid());
    refusals.SetProcess(child_.pid());
  }

  pid_t pid() const { return child_.pid(); }

  Result<Descriptors> Collect() {
    DescriptorCollector collector(files, refusals);
    Descriptors found;
    CKPT_TRY(DescriptorTable table, DescriptorTable::Open(child_.pid()));
    CKPT_TRY(found.fds, collector.Collect(table));
    CKPT_TRY(static_cast<FileContents&>(found), collector.ReadContents());
    return found;
  }

  // The file entry that descriptor `number` refers to.
  const pb::file_entry& EntryOf(const Descriptors& descriptors, uint32_t number) const {
    for (const pb::fdinfo_entry& fd : descriptors.fds) {
      if (fd.fd() == number) return files.entries()[fd.id() - 1];
    }
    return pb::file_entry::default_instance();
  }

  FileTable files;
  Refusals refusals;

 private:
  ChildForTest child_;
};

inline void MoveTo(int fd, int number) {
  dup2(fd, number);
  close(fd);
}

}  // namespace ckpt

#endif  // DUMPER_DESCRIPTOR_HOLDER_H_
