// The open descriptors of frozen processes.
#ifndef DUMPER_DESCRIPTORS_H_
#define DUMPER_DESCRIPTORS_H_

#include <sys/types.h>

#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "base/result.h"
#include "dumper/file_table.h"
#include "dumper/open_description.h"
#include "dumper/pipe_content.h"
#include "dumper/refusals.h"
#include "dumper/tty_files.h"
#include "dumper/unix_sockets.h"
#include "formats/proto/files.pb.h"

namespace ckpt {

// What is in open files and is gone when nobody has them open.
struct FileContents {
  std::vector<PipeContent> pipes;
  std::vector<PipeContent> fifos;
  std::vector<SocketPacket> packets;
  std::vector<pb::tty_info_entry> terminals;
};

// Ids of open file descriptions, found by what descriptors of one have in common and confirmed by
// kcmp(2).
class Descriptions {
 public:
  // Of the description, or nothing where it was not seen yet.
  std::optional<uint32_t> Find(const OpenDescription& opened) const;
  void Add(const OpenDescription& opened, uint32_t id);

 private:
  struct Known {
    pid_t pid;
    int number;
    uint32_t id;
  };
  using Key = std::tuple<uint32_t, uint32_t, uint64_t, uint32_t, uint64_t>;
  static Key KeyOf(const OpenDescription& opened);
  static bool IsBefore(const Known& known, const OpenDescription& opened);

  std::map<Key, std::vector<Known>> known_;  // each by the order that kcmp(2) tells
};

class DescriptorCollector {
 public:
  // Adds a file entry for each open file description to `files`: descriptors that share one (dup,
  // fork, SCM_RIGHTS), of whatever process, have one entry. What cannot be dumped goes to
  // `refusals`. Both outlive the collector.
  // A terminal from outside may be among them where it is a shell job.
  DescriptorCollector(FileTable& files, Refusals& refusals, bool is_shell_job = false)
      : files_(files), refusals_(refusals), is_shell_job_(is_shell_job) {}

  // Those of the table, by number.
  Result<std::vector<pb::fdinfo_entry>> Collect(DescriptorTable& table);

  // Once they are collected of every process of the tree.
  Result<FileContents> ReadContents();

 private:
  Result<> Add(OpenDescription opened, std::vector<pb::fdinfo_entry>& fds);
  std::vector<const OpenDescription*> Of(pb::fd_types type) const;

  FileTable& files_;
  Refusals& refusals_;
  bool is_shell_job_;
  Descriptions known_;
  // Those that are looked at again when all are known.
  std::vector<std::pair<pb::fd_types, OpenDescription>> kept_;
  std::vector<OpenDescription> new_epolls_;  // of the process that is collected
};

}  // namespace ckpt

#endif  // DUMPER_DESCRIPTORS_H_
