#include "imgtool/explore/dump_meaning.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "formats/proto/arch_x86.pb.h"
#include "formats/proto/cgroup.pb.h"
#include "formats/vma_status.h"
#include "imgtool/explore/mappings.h"
#include "imgtool/octal_text.h"

namespace ckpt {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr FieldRuleRow kRules[] = {
    {"file_entry", "id", FieldRule::kIgnored},
    {"reg_file_entry", "id", FieldRule::kIgnored},
    {"inet_sk_entry", "id", FieldRule::kIgnored},
    {"ns_file_entry", "id", FieldRule::kIgnored},
    {"packet_sock_entry", "id", FieldRule::kIgnored},
    {"netlink_sk_entry", "id", FieldRule::kIgnored},
    {"eventfd_file_entry", "id", FieldRule::kIgnored},
    {"eventpoll_file_entry", "id", FieldRule::kIgnored},
    {"eventpoll_tfd_entry", "id", FieldRule::kIgnored},
    {"signalfd_entry", "id", FieldRule::kIgnored},
    {"inotify_file_entry", "id", FieldRule::kIgnored},
    {"inotify_wd_entry", "id", FieldRule::kIgnored},
    {"fanotify_file_entry", "id", FieldRule::kIgnored},
    {"fanotify_mark_entry", "id", FieldRule::kIgnored},
    {"tunfile_entry", "id", FieldRule::kIgnored},
    {"timerfd_entry", "id", FieldRule::kIgnored},
    {"ext_file_entry", "id", FieldRule::kIgnored},
    {"unix_sk_entry", "id", FieldRule::kIgnored},
    {"fifo_entry", "id", FieldRule::kIgnored},
    {"pipe_entry", "id", FieldRule::kIgnored},
    {"tty_file_entry", "id", FieldRule::kIgnored},
    {"memfd_file_entry", "id", FieldRule::kIgnored},
    {"bpfmap_file_entry", "id", FieldRule::kIgnored},
    {"pidfd_entry", "id", FieldRule::kIgnored},
    {"tty_info_entry", "id", FieldRule::kIgnored},
    {"memfd_inode_entry", "inode_id", FieldRule::kIgnored},
    {"memfd_inode_entry", "shmid", FieldRule::kIgnored},
    {"sk_packet_entry", "id_for", FieldRule::kIgnored},
    {"pipe_data_entry", "pipe_id", FieldRule::kIgnored},
    {"tty_data_entry", "tty_id", FieldRule::kIgnored},
    {"inet_sk_entry", "ino", FieldRule::kIgnored},
    {"netlink_sk_entry", "ino", FieldRule::kIgnored},
    {"unix_sk_entry", "ino", FieldRule::kIgnored},
    {"pidfd_entry", "ino", FieldRule::kIgnored},
    {"eventpoll_tfd_entry", "dev", FieldRule::kIgnored},
    {"eventpoll_tfd_entry", "inode", FieldRule::kIgnored},
    {"eventpoll_tfd_entry", "pos", FieldRule::kIgnored},
    {"ghost_file_entry", "atim", FieldRule::kIgnored},  // a dumper reads the file
    {"unix_sk_entry", "backlog", FieldRule::kUnlessUnset},
    // A processor may tell of a component in its first state that it is in use, or not.
    {"user_x86_xsave_entry", "xstate_bv", FieldRule::kIgnored},
    {"vma_entry", "fd", FieldRule::kIgnored},
    {"mm_entry", "vmas", FieldRule::kIgnored},  // compared as mappings
    {"mnt_entry", "mnt_id", FieldRule::kIgnored},
    {"task_core_entry", "old_seccomp_filter", FieldRule::kSeccomp},
    {"thread_core_entry", "seccomp_filter", FieldRule::kSeccomp},
    {"task_core_entry", "cg_set", FieldRule::kCgroups},
    {"thread_core_entry", "cg_set", FieldRule::kCgroups},
    {"mm_entry", "exe_file_id", FieldRule::kPath},
    {"fs_entry", "cwd_id", FieldRule::kPath},
    {"fs_entry", "root_id", FieldRule::kPath},
    {"fifo_entry", "regf_id", FieldRule::kFile},
    {"tty_file_entry", "regf_id", FieldRule::kFile},
    {"pipe_entry", "pipe_id", FieldRule::kPipe},
    {"fifo_entry", "pipe_id", FieldRule::kPipe},
    {"unix_sk_entry", "peer", FieldRule::kSocket},
    {"unix_sk_entry", "ns_id", FieldRule::kNamespace},
    {"inet_sk_entry", "ns_id", FieldRule::kNamespace},
    {"netlink_sk_entry", "ns_id", FieldRule::kNamespace},
    {"packet_sock_entry", "ns_id", FieldRule::kNamespace},
    {"tunfile_entry", "ns_id", FieldRule::kNamespace},
    {"ns_file_entry", "ns_id", FieldRule::kNamespace},
    {"tty_file_entry", "tty_info_id", FieldRule::kTerminal},
    {"memfd_file_entry", "inode_id", FieldRule::kMemfd},
    {"reg_file_entry", "mnt_id", FieldRule::kMount},
    {"unix_sk_entry", "mnt_id", FieldRule::kMount},
    {"bpfmap_file_entry", "mnt_id", FieldRule::kMount},
    {"fh_entry", "mnt_id", FieldRule::kMount},
    {"fanotify_mount_mark_entry", "mnt_id", FieldRule::kMount},
    {"mnt_entry", "parent_mnt_id", FieldRule::kMount},
    {"task_kobj_ids_entry", "vm_id", FieldRule::kShared},
    {"task_kobj_ids_entry", "files_id", FieldRule::kShared},
    {"task_kobj_ids_entry", "fs_id", FieldRule::kShared},
    {"task_kobj_ids_entry", "sighand_id", FieldRule::kShared},
    {"task_kobj_ids_entry", "pid_ns_id", FieldRule::kShared},
    {"task_kobj_ids_entry", "net_ns_id", FieldRule::kShared},
    {"task_kobj_ids_entry", "ipc_ns_id", FieldRule::kShared},
    {"task_kobj_ids_entry", "uts_ns_id", FieldRule::kShared},
    {"task_kobj_ids_entry", "mnt_ns_id", FieldRule::kShared},
    {"task_kobj_ids_entry", "user_ns_id", FieldRule::kShared},
    {"task_kobj_ids_entry", "cgroup_ns_id", FieldRule::kShared},
    {"task_kobj_ids_entry", "time_ns_id", FieldRule::kShared},
    {"task_core_entry", "loginuid", FieldRule::kUnlessUnset},
    {"thread_info_x86", "tls", FieldRule::kUnlessUnset},
    {"user_x86_regs_entry", "orig_ax", FieldRule::kIgnored},
    {"core_entry", "ids", FieldRule::kIgnored},  // compared as those of the ids image
    {"inventory_entry", "root_ids", FieldRule::kIgnored},
    {"inventory_entry", "root_cg_set", FieldRule::kIgnored},
    {"inventory_entry", "img_version", FieldRule::kIgnored},
    {"inventory_entry", "fdinfo_per_id", FieldRule::kIgnored},
    {"inventory_entry", "ns_per_id", FieldRule::kIgnored},
    {"inventory_entry", "dump_uptime", FieldRule::kIgnored},
    {"inventory_entry", "dump_criu_run_id", FieldRule::kIgnored},
    {"inventory_entry", "plugins_entry", FieldRule::kIgnored},
    {"inventory_entry", "pre_dump_mode", FieldRule::kIgnored},
    {"inventory_entry", "network_lock_method", FieldRule::kIgnored},
};

// Descriptors are one for each field, so that no names are compared later.
const std::unordered_map<const FieldDescriptor*, FieldRule>& RulesByField() {
  static const auto* const rules = [] {
    auto* made = new std::unordered_map<const FieldDescriptor*, FieldRule>;
    const auto* pool = google::protobuf::DescriptorPool::generated_pool();
    for (const FieldRuleRow& row : kRules) {
      const auto* message = pool->FindMessageTypeByName(fmt::format("ckpt.pb.{}", row.message));
      CKPT_CHECK(message != nullptr);
      const FieldDescriptor* field = message->FindFieldByName(std::string(row.field));
      CKPT_CHECK(field != nullptr);
      made->emplace(field, row.rule);
    }
    return made;
  }();
  return *rules;
}

uint64_t NumberOf(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.GetUInt64(message, &field);
    case FieldDescriptor::CPPTYPE_INT32:
      return static_cast<uint64_t>(int64_t{reflection.GetInt32(message, &field)});
    default:
      return 0;
  }
}

// A login uid that nobody set, descriptors of segments that are all empty, the backlog of a socket
// that does not listen.
bool IsUnset(const Message& message, const FieldDescriptor& field) {
  if (const auto* socket = dynamic_cast<const pb::unix_sk_entry*>(&message)) {
    constexpr uint32_t kListening = 10;
    return socket->state() != kListening;
  }
  if (!field.is_repeated()) {
    return NumberOf(message, field) == std::numeric_limits<uint32_t>::max();
  }
  const auto& info = static_cast<const pb::thread_info_x86&>(message);
  return std::ranges::all_of(info.tls(), [](const pb::user_desc_t& segment) {
    return segment.base_addr() == 0 && segment.limit() == 0;
  });
}

}  // namespace

std::vector<FieldRuleRow> FieldRules() { return {std::begin(kRules), std::end(kRules)}; }

Result<std::unique_ptr<DumpMeaning>> DumpMeaning::Read(DumpReader& reader) {
  std::unique_ptr<DumpMeaning> made(new DumpMeaning(reader));
  CKPT_TRY(made->tasks_, ReadTasks(reader));
  for (size_t i = 0; i < made->tasks_.size(); ++i) made->by_pid_.emplace(made->tasks_[i].pid(), i);
  made->files_ = FileDescriptions::Read(reader);
  made->tables_ = std::make_unique<DescriptorTables>(DescriptorTables::Read(reader, made->tasks_));
  made->context_ =
      std::make_unique<FileContext>(FileContext::Read(reader, made->files_, *made->tables_));
  made->CollectIds();
  made->CollectCgroups();
  made->CollectSeccomp();
  made->CollectMounts();
  made->CollectSharedMemory();
  return made;
}

void DumpMeaning::CollectIds() {
  const auto inventory = reader_.Single<pb::inventory_entry>(ImageType::kInventory);
  if (inventory && inventory->root_ids().has_net_ns_id()) {
    dumper_net_ns_id_ = inventory->root_ids().net_ns_id();
  }
  for (const DumpedTask& task : tasks_) {
    if (!task.ids) continue;
    const auto* descriptor = pb::task_kobj_ids_entry::descriptor();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor& field = *descriptor->field(i);
      first_pids_.try_emplace({field.name(), NumberOf(*task.ids, field)}, task.pid());
    }
  }
  for (const pb::file_entry& file : files_.all()) {
    if (file.has_usk()) sockets_.emplace(file.usk().ino(), &file);
  }
  for (auto& memfd : reader_.Entries<pb::memfd_inode_entry>(ImageType::kMemfdInode)) {
    memfds_.emplace(memfd.inode_id(), memfd);
  }
  for (auto& tty : reader_.Entries<pb::tty_info_entry>(ImageType::kTtyInfo)) {
    ttys_.emplace(tty.id(), tty);
  }
}

void DumpMeaning::CollectCgroups() {
  const auto cgroup = reader_.Single<pb::cgroup_entry>(ImageType::kCgroup);
  if (!cgroup) return;
  for (const auto& set : cgroup->sets()) {
    std::vector<std::string> members;
    for (const auto& member : set.ctls()) {
      members.push_back(fmt::format("{}:{}", member.name(), EscapeOctal(member.path())));
    }
    std::ranges::sort(members);
    cgroups_[set.id()] = fmt::format("{}", fmt::join(members, " "));
  }
}

void DumpMeaning::CollectSeccomp() {
  const auto image = reader_.Single<pb::seccomp_entry>(ImageType::kSeccomp);
  if (image) seccomp_.assign(image->seccomp_filters().begin(), image->seccomp_filters().end());
}

void DumpMeaning::CollectMounts() {
  for (const DumpImage& listed : reader_.dump().images()) {
    if (listed.image.type != ImageType::kMnts) continue;
    for (const auto& mount : reader_.Entries<pb::mnt_entry>(ImageType::kMnts, listed.image.id)) {
      mountpoints_.emplace(mount.mnt_id(), mount.mountpoint());
    }
  }
}

void DumpMeaning::CollectSharedMemory() {
  for (const DumpedTask& task : tasks_) {
    const auto mappings = ReadMappings(reader_, task.pid());
    if (!mappings) continue;
    for (const pb::vma_entry& vma : *mappings) {
      const auto shmid = SharedMemoryOf(vma);
      if (!shmid) continue;
      shared_memories_.try_emplace(*shmid, fmt::format("pid {} {:x}", task.pid(), vma.start()));
    }
  }
  for (const auto& [id, memfd] : memfds_) {
    shared_memories_.try_emplace(memfd.shmid(), fmt::format("memfd {}", EscapeOctal(memfd.name())));
  }
}

std::optional<uint64_t> DumpMeaning::SharedMemoryOf(const pb::vma_entry& vma) const {
  if ((vma.status() & (kVmaAnonShared | kVmaSysvIpc)) != 0) return vma.shmid();
  if ((vma.status() & kVmaMemfd) == 0) return std::nullopt;
  const auto* file = files_.Find(pb::MEMFD, static_cast<uint32_t>(vma.shmid()));
  if (file == nullptr) return std::nullopt;
  return context_->SharedMemoryOf(file->memfd());
}

bool DumpMeaning::IsAnonymousMemfd(const pb::vma_entry& vma) const {
  if ((vma.status() & kVmaMemfd) == 0) return false;
  const auto* file = files_.Find(pb::MEMFD, static_cast<uint32_t>(vma.shmid()));
  const auto memfd = file == nullptr ? memfds_.end() : memfds_.find(file->memfd().inode_id());
  return memfd != memfds_.end() && memfd->second.name() == "/dev/zero";
}

const DumpedTask* DumpMeaning::FindTask(uint32_t pid) const {
  const auto found = by_pid_.find(pid);
  return found == by_pid_.end() ? nullptr : &tasks_[found->second];
}

std::string DumpMeaning::NameOf(const pb::file_entry& file) const {
  const auto& holders = tables_->HoldersOf(file);
  if (holders.empty()) return EscapeOctal(context_->Describe(file));
  return fmt::format("pid {} fd {}", holders.front().pid, holders.front().fd);
}

std::string DumpMeaning::NameOfSharedMemory(uint64_t shmid) const {
  const auto found = shared_memories_.find(shmid);
  return found == shared_memories_.end() ? "" : found->second;
}

std::string DumpMeaning::NameOfNamespace(const std::string& kind, uint32_t id) const {
  const auto found = first_pids_.find({kind, id});
  return found == first_pids_.end() ? "other" : fmt::format("pid {}", found->second);
}

std::string DumpMeaning::NameOfNamespaceImage(ImageType type, uint64_t id) const {
  struct Row {
    ImageType type;
    const char* kind;
  };
  static constexpr Row kRows[] = {
      {ImageType::kUtsns, "uts_ns_id"},    {ImageType::kIpcVar, "ipc_ns_id"},
      {ImageType::kIpcnsShm, "ipc_ns_id"}, {ImageType::kIpcnsMsg, "ipc_ns_id"},
      {ImageType::kIpcnsSem, "ipc_ns_id"}, {ImageType::kMnts, "mnt_ns_id"},
      {ImageType::kUserns, "user_ns_id"},  {ImageType::kTimens, "time_ns_id"},
      {ImageType::kPidns, "pid_ns_id"},
  };
  const auto row = std::ranges::find(kRows, type, &Row::type);
  const char* kind = row == std::end(kRows) ? "net_ns_id" : row->kind;
  return NameOfNamespace(kind, static_cast<uint32_t>(id));
}

std::string DumpMeaning::NameOfPipe(uint32_t pipe_id) const {
  const auto found = context_->pipes().find(pipe_id);
  if (found == context_->pipes().end()) return "other";
  const auto& holders =
      found->second.readers.empty() ? found->second.writers : found->second.readers;
  return holders.empty() ? "nobody's"
                         : fmt::format("pid {} fd {}", holders.front().pid, holders.front().fd);
}

std::string DumpMeaning::SocketName(uint64_t inode) const {
  const auto found = sockets_.find(inode);
  return found == sockets_.end() ? "outside the dump" : NameOf(*found->second);
}

// A filter has the one before it in the chain in `prev`; the chain may be damaged.
std::string DumpMeaning::SeccompText(uint64_t index) const {
  uint64_t hash = 0;
  size_t count = 0;
  while (index < seccomp_.size() && count <= seccomp_.size()) {
    hash = HashBytes(seccomp_[index].filter(), hash);
    ++count;
    if (!seccomp_[index].has_prev()) break;
    index = seccomp_[index].prev();
  }
  return count == 0 ? "" : fmt::format("{} filters, hash {:016x}", count, hash);
}

bool DumpMeaning::Replace(const Message& message, const FieldDescriptor& field,
                          const std::string& path, Fields& out) const {
  const auto& rules = RulesByField();
  const auto found = rules.find(&field);
  if (found == rules.end()) return false;
  if (found->second == FieldRule::kIgnored) return true;
  if (found->second == FieldRule::kUnlessUnset) return IsUnset(message, field);
  // Which kind of namespace a file is of stands beside its id.
  if (found->second == FieldRule::kNamespace &&
      message.GetDescriptor()->name() == "ns_file_entry") {
    return true;
  }
  return ReplaceBy(found->second, field, NumberOf(message, field), path, out);
}

bool DumpMeaning::ReplaceBy(FieldRule rule, const FieldDescriptor& field, uint64_t value,
                            const std::string& path, Fields& out) const {
  const uint32_t id = static_cast<uint32_t>(value);
  std::string text;
  switch (rule) {
    case FieldRule::kIgnored:
    case FieldRule::kUnlessUnset:
      return true;
    case FieldRule::kPath:
      text = EscapeOctal(context_->PathOf(id));
      break;
    case FieldRule::kFile:
      if (const pb::file_entry* file = files_.Find(pb::REG, id)) {
        AppendFields(file->reg(), path + ".", *this, out);
      }
      return true;
    case FieldRule::kPipe:
      text = NameOfPipe(id);
      break;
    case FieldRule::kSocket:
      text = value == 0 ? "" : SocketName(value);
      break;
    case FieldRule::kNamespace:
      if (value != 0 && dumper_net_ns_id_ != id) text = NameOfNamespace("net_ns_id", id);
      break;
    case FieldRule::kTerminal:
      if (const auto tty = ttys_.find(id); tty != ttys_.end()) {
        AppendFields(tty->second, path + ".", *this, out);
      }
      return true;
    case FieldRule::kMemfd:
      if (const auto memfd = memfds_.find(id); memfd != memfds_.end()) {
        AppendFields(memfd->second, path + ".", *this, out);
      }
      return true;
    case FieldRule::kMount:
      if (leaves_out_mounts_) return true;
      if (const auto mount = mountpoints_.find(id); mount != mountpoints_.end()) {
        text = EscapeOctal(mount->second);
      }
      break;
    case FieldRule::kCgroups:
      if (const auto set = cgroups_.find(id); set != cgroups_.end()) text = set->second;
      break;
    case FieldRule::kSeccomp:
      text = SeccompText(value);
      break;
    case FieldRule::kShared:
      text = value == 0 ? "" : NameOfNamespace(field.name(), id);
      break;
  }
  if (!text.empty()) out.push_back({path, std::move(text)});
  return true;
}

}  // namespace ckpt
