// What the numbers of a dump mean: ids that the dumper gave away, replaced by what they stand for,
// so that two dumps of the same thing by different dumpers say the same.
#ifndef IMGTOOL_EXPLORE_DUMP_MEANING_H_
#define IMGTOOL_EXPLORE_DUMP_MEANING_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/proto/inventory.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/mounts.pb.h"
#include "imgtool/explore/dump_reader.h"
#include "imgtool/explore/dumped_tasks.h"
#include "imgtool/explore/file_context.h"
#include "imgtool/explore/message_fields.h"
#include "imgtool/explore/open_files.h"

namespace ckpt {

// How a field is compared. The table of them, with reasons, is in docs/imgtool.md.
enum class FieldRule : uint8_t {
  kIgnored,      // the dumper's own: ids, layout, its view of the machine
  kUnlessUnset,  // compared as it is, but a value that stands for none is none
  kPath,         // the id of a file becomes its path
  kFile,         // the fields of the file
  kPipe,         // who has it first
  kSocket,       // the same of a unix socket, by inode
  kNamespace,    // the first process that is in it
  kTerminal,     // the fields of the tty-info
  kMemfd,        // the fields of the inode
  kMount,        // its mountpoint
  kCgroups,      // the groups of the set
  kSeccomp,      // the filters of the chain
  kShared,       // of task_kobj_ids_entry: the first process that has the same object
};

struct FieldRuleRow {
  std::string_view message;
  std::string_view field;
  FieldRule rule;
};
std::vector<FieldRuleRow> FieldRules();

class DumpMeaning : public FieldMeaning {
 public:
  // The reader must outlive this object. kNotFound without a pstree image.
  static Result<std::unique_ptr<DumpMeaning>> Read(DumpReader& reader);
  DumpMeaning(const DumpMeaning&) = delete;

  bool Replace(const google::protobuf::Message& message,
               const google::protobuf::FieldDescriptor& field, const std::string& path,
               Fields& out) const override;

  // CRIU does not write the mounts of a namespace that it is in itself: where a dump lacks them,
  // they and what refers to them are left out of a comparison.
  bool has_mounts() const { return !mountpoints_.empty(); }
  void LeaveOutMounts() { leaves_out_mounts_ = true; }

  DumpReader& reader() const { return reader_; }
  const std::vector<DumpedTask>& tasks() const { return tasks_; }
  // Null where there is no such process.
  const DumpedTask* FindTask(uint32_t pid) const;
  const FileDescriptions& files() const { return files_; }
  const DescriptorTables& tables() const { return *tables_; }
  const FileContext& context() const { return *context_; }

  // "pid 5 fd 3": its first holder; else what it is.
  std::string NameOf(const pb::file_entry& file) const;
  // The number of the memory that processes share by this mapping.
  std::optional<uint64_t> SharedMemoryOf(const pb::vma_entry& vma) const;
  // CRIU takes shared anonymous memory for a memfd of this name.
  bool IsAnonymousMemfd(const pb::vma_entry& vma) const;
  // Of a memory that processes share: its first mapping; empty where there is none.
  std::string NameOfSharedMemory(uint64_t shmid) const;
  const std::unordered_map<uint64_t, std::string>& shared_memories() const {
    return shared_memories_;
  }
  // Of `kind` in task_kobj_ids_entry, "net_ns_id": the first process in it, "pid 5"; "other" for a
  // namespace that no process is in.
  std::string NameOfNamespace(const std::string& kind, uint32_t id) const;
  // Of the images that have the namespace in their names.
  std::string NameOfNamespaceImage(ImageType type, uint64_t id) const;
  std::string NameOfPipe(uint32_t pipe_id) const;

 private:
  explicit DumpMeaning(DumpReader& reader) : reader_(reader) {}

  void CollectIds();
  void CollectCgroups();
  void CollectSeccomp();
  void CollectMounts();
  void CollectSharedMemory();
  bool ReplaceBy(FieldRule rule, const google::protobuf::FieldDescriptor& field, uint64_t value,
                 const std::string& path, Fields& out) const;
  std::string SeccompText(uint64_t index) const;
  std::string SocketName(uint64_t inode) const;

  DumpReader& reader_;
  std::vector<DumpedTask> tasks_;
  std::unordered_map<uint32_t, size_t> by_pid_;
  FileDescriptions files_;
  std::unique_ptr<DescriptorTables> tables_;
  std::unique_ptr<FileContext> context_;
  std::map<std::pair<std::string, uint64_t>, uint32_t> first_pids_;  // by kind of id and id
  std::unordered_map<uint32_t, std::string> cgroups_;
  std::vector<pb::seccomp_filter> seccomp_;
  std::unordered_map<int64_t, std::string> mountpoints_;
  bool leaves_out_mounts_ = false;
  std::optional<uint32_t> dumper_net_ns_id_;
  std::unordered_map<uint64_t, std::string> shared_memories_;
  std::unordered_map<uint64_t, const pb::file_entry*> sockets_;
  std::unordered_map<uint64_t, pb::memfd_inode_entry> memfds_;
  std::unordered_map<uint32_t, pb::tty_info_entry> ttys_;
};

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_DUMP_MEANING_H_
