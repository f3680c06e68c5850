#include "imgtool/explore/fds_view.h"

#include <fcntl.h>

#include <optional>

#include "formats/proto/memory.pb.h"
#include "imgtool/explore/file_context.h"
#include "imgtool/explore/kernel_names.h"
#include "imgtool/explore/open_files.h"

namespace ckpt {
namespace {

constexpr Column kColumns[] = {
    {"FD", "fd", true},   {"TYPE", "type"},        {"FLAGS", "flags"},
    {"POS", "pos", true}, {"PATH", "description"},
};

constexpr uint32_t kCloseOnExec = 1;  // fdinfo_entry.flags

class DescriptorView {
 public:
  DescriptorView(const ViewInput& input, Listing& listing, const std::vector<DumpedTask>& tasks)
      : input_(input),
        listing_(listing),
        files_(FileDescriptions::Read(input.reader)),
        tables_(DescriptorTables::Read(input.reader, tasks)),
        context_(FileContext::Read(input.reader, files_, tables_)) {}

  void ListTask(const DumpedTask& task) {
    const DescriptorTable& table = tables_.Of(task);
    const uint32_t owner = OwnerOf(table);
    const bool is_dead = StateOf(task) == TaskState::kDead;
    listing_.BeginItem();
    ListTaskName(task, listing_);
    listing_.Heading(TaskHeading(task) + HeadingRest(task, table, owner));
    if (owner != task.pid()) listing_.Number("descriptors_of", owner);
    if (!is_dead && !table.has_image) {
      listing_.Text("missing", ImageFileName(ImageType::kFdinfo, FilesIdOf(task)));
    }
    listing_.BeginList("descriptors", kColumns);
    if (!is_dead) ListPlaces(task);
    if (owner == task.pid()) ListTable(table);
    listing_.EndList();
    listing_.EndItem();
  }

  void ListPipes() {
    listing_.BeginList("pipes");
    for (const auto& [id, pipe] : context_.pipes()) {
      listing_.BeginItem();
      listing_.Number("pipe_id", id);
      listing_.Number("queued_bytes", pipe.queued_bytes);
      ListHolders("readers", pipe.readers);
      ListHolders("writers", pipe.writers);
      listing_.EndItem();
    }
    listing_.EndList();
  }

 private:
  // The first of those processes shown that have the table.
  uint32_t OwnerOf(const DescriptorTable& table) const {
    for (const uint32_t pid : table.pids) {
      if (input_.Shows(pid)) return pid;
    }
    return table.pids.front();
  }

  std::string HeadingRest(const DumpedTask& task, const DescriptorTable& table, uint32_t owner) {
    if (StateOf(task) == TaskState::kDead) return "";
    if (!table.has_image) {
      return fmt::format(", no {}", ImageFileName(ImageType::kFdinfo, FilesIdOf(task)));
    }
    if (owner != task.pid()) return fmt::format(", shares the descriptors of pid {}", owner);
    return "";
  }

  void ListPlaces(const DumpedTask& task) {
    if (const auto fs = input_.reader.Single<pb::fs_entry>(ImageType::kFs, task.pid())) {
      ListPlace("cwd", fs->cwd_id());
      ListPlace("root", fs->root_id());
    } else {
      ListMissing("cwd", ImageFileName(ImageType::kFs, task.pid()));
    }
    if (const auto mm = input_.reader.Single<pb::mm_entry>(ImageType::kMm, task.pid())) {
      ListPlace("exe", mm->exe_file_id());
    } else {
      ListMissing("exe", ImageFileName(ImageType::kMm, task.pid()));
    }
  }

  void ListPlace(const char* name, uint32_t file_id) {
    listing_.BeginItem();
    listing_.Text("fd", name);
    const pb::file_entry* file = files_.FindMappable(file_id);
    if (file != nullptr) listing_.Text("type", pb::fd_types_Name(file->type()));
    listing_.Number("file_id", file_id);
    listing_.Text("description", context_.PathOf(file_id));
    listing_.EndItem();
  }

  void ListMissing(const char* name, const std::string& image) {
    listing_.BeginItem();
    listing_.Text("fd", name);
    listing_.Text("description", "no " + image);
    listing_.EndItem();
  }

  void ListTable(const DescriptorTable& table) {
    for (const pb::fdinfo_entry& descriptor : table.descriptors) {
      if (listing_.stopped()) return;
      ListDescriptor(descriptor);
    }
  }

  void ListDescriptor(const pb::fdinfo_entry& descriptor) {
    const uint32_t type = static_cast<uint32_t>(descriptor.type());
    const pb::file_entry* file = files_.Find(type, descriptor.id());
    listing_.BeginItem();
    listing_.Number("fd", descriptor.fd());
    listing_.Text("type", pb::fd_types_Name(descriptor.type()));
    listing_.Number("file_id", descriptor.id());
    listing_.Bool("close_on_exec", (descriptor.flags() & kCloseOnExec) != 0);
    if (file == nullptr) {
      listing_.Text("description", fmt::format("no file {} in the dump", descriptor.id()));
    } else {
      ListFile(*file, (descriptor.flags() & kCloseOnExec) != 0);
    }
    listing_.EndItem();
  }

  void ListFile(const pb::file_entry& file, bool closes_on_exec) {
    if (const auto flags = FileFlags(file)) {
      listing_.Text("flags", OpenFlagsText(*flags | (closes_on_exec ? uint32_t{O_CLOEXEC} : 0)));
    }
    const auto position = PositionOf(file);
    if (position) listing_.Number("pos", *position);
    listing_.Text("description", context_.Describe(file));
    ListDetails(file);
  }

  // Those of a fifo are its path's.
  std::optional<uint32_t> FileFlags(const pb::file_entry& file) const {
    if (!file.has_fifo()) return FlagsOf(file);
    const pb::file_entry* regular = files_.Find(pb::REG, file.fifo().regf_id());
    return regular == nullptr ? std::nullopt : FlagsOf(*regular);
  }

  // For programs: what the description says in words.
  void ListDetails(const pb::file_entry& file) {
    if (file.has_reg()) ListRegular(file);
    if (file.has_pipe()) listing_.Number("pipe_id", file.pipe().pipe_id());
    if (file.has_fifo()) listing_.Number("pipe_id", file.fifo().pipe_id());
    if (file.has_efd()) listing_.Number("counter", file.efd().counter());
    if (file.has_sgfd()) listing_.Number("sigmask", file.sgfd().sigmask());
    if (file.has_pidfd()) listing_.Number("nspid", file.pidfd().nspid());
    if (file.has_usk()) listing_.Number("inode", file.usk().ino());
    if (file.has_isk()) listing_.Number("inode", file.isk().ino());
    if (file.has_nlsk()) listing_.Number("inode", file.nlsk().ino());
    if (file.has_epfd()) ListTargets(file.epfd());
    if (file.has_tfd()) ListTimer(file.tfd());
  }

  void ListRegular(const pb::file_entry& file) {
    const pb::reg_file_entry& reg = file.reg();
    listing_.Text("path", reg.name());
    listing_.Bool("deleted", context_.IsDeleted(file));
    if (reg.has_size()) listing_.Number("size", reg.size());
    if (reg.has_mode()) listing_.Number("mode", reg.mode());
    if (reg.mnt_id() != -1) listing_.Number("mnt_id", reg.mnt_id());
  }

  void ListTargets(const pb::eventpoll_file_entry& epoll) {
    listing_.BeginList("targets");
    for (const auto& target : epoll.tfd()) {
      listing_.BeginItem();
      listing_.Number("target_fd", target.tfd());
      listing_.Number("events", target.events());
      listing_.Number("data", target.data());
      listing_.EndItem();
    }
    listing_.EndList();
  }

  void ListTimer(const pb::timerfd_entry& timer) {
    listing_.Number("clockid", timer.clockid());
    listing_.Number("ticks", timer.ticks());
    listing_.Number("value_seconds", timer.vsec());
    listing_.Number("value_nanoseconds", timer.vnsec());
    listing_.Number("interval_seconds", timer.isec());
    listing_.Number("interval_nanoseconds", timer.insec());
  }

  void ListHolders(const char* key, const std::vector<Holder>& holders) {
    listing_.BeginList(key);
    for (const Holder& holder : holders) {
      listing_.BeginItem();
      listing_.Number("pid", holder.pid);
      listing_.Number("fd", holder.fd);
      listing_.EndItem();
    }
    listing_.EndList();
  }

  const ViewInput& input_;
  Listing& listing_;
  FileDescriptions files_;
  DescriptorTables tables_;
  FileContext context_;
};

}  // namespace

Result<> ListDescriptors(const ViewInput& input, Listing& listing) {
  CKPT_TRY(const std::vector<DumpedTask> tasks, ReadTasks(input.reader));
  DescriptorView view(input, listing, tasks);
  listing.BeginList("processes");
  for (const DumpedTask& task : tasks) {
    if (listing.stopped()) break;
    if (input.Shows(task.pid())) view.ListTask(task);
  }
  listing.EndList();
  view.ListPipes();
  return success();
}

}  // namespace ckpt
