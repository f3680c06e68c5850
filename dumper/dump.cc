#include "dumper/dump.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <deque>
#include <future>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/staged_file_set.h"
#include "dumper/descriptor_tables.h"
#include "dumper/descriptors.h"
#include "dumper/dump_images.h"
#include "dumper/file_owners.h"
#include "dumper/kernel_objects.h"
#include "dumper/mappings.h"
#include "dumper/pages_dump.h"
#include "dumper/preconditions.h"
#include "dumper/process_state.h"
#include "dumper/raw_facts.h"
#include "dumper/sessions.h"
#include "dumper/snapshot.h"
#include "dumper/surroundings.h"
#include "dumper/task_dump.h"
#include "formats/image_type.h"
#include "process/frozen_tree.h"
#include "process/maps.h"
#include "process/memory_snapshot.h"
#include "process/smaps.h"

namespace ckpt {

namespace {

using Clock = std::chrono::steady_clock;

// What a tree has in memory, at most, to read its smaps before anything else.
constexpr uint64_t kSmallTreeBytes = uint64_t{16} << 20;

uint32_t MicrosecondsSince(Clock::time_point start) {
  return static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count());
}

// A dump in the making. Members are in the order in which they are needed; destruction in the
// reverse order gives up the pages, thaws the tree and removes what was staged.
class DumpRun {
 public:
  DumpRun(const DumpOptions& options, Log& log)
      : options_(options),
        log_(log),
        output_(options.images_directory),
        pages_({.images_directory = options.images_directory,
                .leaves_running = options.after == AfterDump::kLeaveRunning,
                .snapshots = options.snapshots,
                .compression_level = options.compression_level,
                .progress = options.progress},
               output_, memory_snapshots_, log) {
    snapshot_.files = FileTable(options.ghost_limit_bytes);
    refusals_.SetRoot(options.pid);
  }

  Result<pb::dump_stats_entry> Run() {
    CKPT_TRY(Step("prepare", &DumpRun::Prepare));
    CKPT_TRY(Step("freeze", &DumpRun::Freeze));
    CKPT_TRY(Step("check", &DumpRun::Check));
    CKPT_TRY(Step("collect", &DumpRun::Collect));
    Result<> told = Step("infect", &DumpRun::InstallEngines);
    if (told.has_value()) told = Step("threads", &DumpRun::AskThreads);
    if (told.has_value()) told = Step("snapshot", &DumpRun::TakeSnapshots);
    log_.Debug("step cure");
    CKPT_TRY(RemoveEngines());
    CKPT_TRY(told);
    CKPT_TRY(Step("pages", &DumpRun::ReadPages));
    if (options_.after == AfterDump::kLeaveRunning) CKPT_TRY(Thaw());
    CKPT_TRY(Step("images", &DumpRun::WriteImages));
    CKPT_TRY(Step("commit", &DumpRun::Commit));
    CKPT_TRY(Step("release", &DumpRun::Release));
    log_.Summary("process {} dumped: {} in its tree, frozen for {} us, {} pages", options_.pid,
                 snapshot_.tasks.size(), snapshot_.stats.frozen_time(),
                 snapshot_.stats.pages_written());
    return snapshot_.stats;
  }

 private:
  Result<> Step(std::string_view name, Result<> (DumpRun::*take)()) {
    log_.Debug("step {}", name);
    if (options_.before_step) CKPT_TRY(options_.before_step(name));
    return (this->*take)();
  }

  Result<> Prepare() {
    CKPT_TRY(CheckBeforeFreeze(options_.pid));
    const std::string inventory =
        fmt::format("{}/{}", options_.images_directory, ImageFileName(ImageType::kInventory));
    if (access(inventory.c_str(), F_OK) == 0) {
      return MakeError(ErrorCode::kUsage, "{} is there: the directory holds a dump already",
                       inventory);
    }
    const std::vector<pid_t> pids = ListTree(options_.pid);
    DescriptorTables::MakeRoom(pids);
    PagesDump::MappingsOfTree mappings;
    for (const pid_t pid : pids) {
      Result<std::vector<Mapping>> read = ReadSmaps(pid);
      if (read.has_value()) mappings.emplace(pid, std::move(read).value());
    }
    CKPT_TRY(pages_.Prepare(pids, mappings));
    CKPT_TRY(surroundings_,
             Surroundings::Create(options_.pid, options_.surroundings, options_.features));
    for (const pid_t pid : pids) Rehearse(pid, mappings[pid]);
    return success();
  }

  // Looks at what the freeze will look at, so that the kernel has its names of /proc in memory
  // then, and we our code. The process runs: what is seen, and what fails, means nothing.
  void Rehearse(pid_t pid, const std::vector<Mapping>& mappings) {
    FileTable files;
    Refusals refusals;
    TaskSnapshot unused;
    static_cast<void>(CollectMappings(pid, mappings, files, refusals));
    const Result<DescriptorTable*> table = descriptor_tables_.Prepare(pid);
    if (table.has_value()) {
      static_cast<void>(DescriptorCollector(files, refusals).Collect(*table.value()));
    }
    static_cast<void>(CollectDirectories(pid, files, refusals, &unused.mm, &unused.fs));
    static_cast<void>(RehearseTask(pid, options_.features));
    static_cast<void>(surroundings_->namespaces().CheckTask(pid, refusals));
    TranslateOwners({}, false, files.mutable_entries(), refusals);
  }

  Result<> Freeze() {
    const auto start = Clock::now();
    CKPT_TRY(FrozenTree tree, FrozenTree::Freeze(options_.pid));
    frozen_since_ = Clock::now();
    snapshot_.stats.set_freezing_time(MicrosecondsSince(start));
    tree_.emplace(std::move(tree));
    CKPT_TRY(surroundings_->Start(LivingPids(), output_));
    log_.Info("process {}: {} frozen", options_.pid, tree_->tasks().size());
    return success();
  }

  std::vector<pid_t> LivingPids() const {
    std::vector<pid_t> pids;
    for (const FrozenTask& task : tree_->tasks()) {
      if (task.process) pids.push_back(task.pid);
    }
    return pids;
  }

  // Of each task of the tree; of zombies nothing.
  Result<std::vector<std::vector<Mapping>>> ReadAllSmaps() const {
    std::vector<std::vector<Mapping>> all;
    for (const FrozenTask& task : tree_->tasks()) {
      all.emplace_back();
      if (!task.process) continue;
      CKPT_TRY(all.back(), ReadSmaps(task.pid));
    }
    return all;
  }

  Result<> Check() {
    std::map<pid_t, uint32_t> ids;  // in images, by our numbers
    for (FrozenTask& task : tree_->tasks()) {
      TaskDump& dump = tasks_.emplace_back(task, options_.features);
      CKPT_TRY(dump.Identify());
      if (task.ppid != 0) dump.snapshot.tree.set_ppid(ids.at(task.ppid));
      ids[task.pid] = dump.snapshot.tree.pid();
      refusals_.SetProcess(dump.pid());
      CKPT_TRY(dump.Check(refusals_));
      if (!dump.IsZombie()) CKPT_TRY(surroundings_->namespaces().CheckTask(dump.pid(), refusals_));
    }
    CheckAllSessions();
    // smaps walks the page tables for its sizes: that goes on beside the rest, but for so little
    // that a thread would take longer to start.
    const bool is_little = tasks_.size() == 1 && IsSmall();
    smaps_ = std::async(is_little ? std::launch::deferred : std::launch::async,
                        [this] { return ReadAllSmaps(); });
    return success();
  }

  void CheckAllSessions() {
    std::vector<SessionMember> members;
    for (const TaskDump& dump : tasks_) {
      const pb::pstree_entry& tree = dump.snapshot.tree;
      members.push_back({.pid = dump.pid(),
                         .session = dump.stat().session,
                         .group = dump.stat().pgrp,
                         .has_own_numbers = tree.sid() != 0 && tree.pgid() != 0});
    }
    const auto is_process = [](pid_t pid) { return kill(pid, 0) == 0 || errno == EPERM; };
    CheckSessions(members, options_.shell_job, is_process, refusals_);
  }

  // All that can be seen from outside.
  Result<> Collect() {
    CKPT_TRY(IsSmall() ? CollectSmall() : CollectLarge());
    for (TaskDump& dump : tasks_) {
      refusals_.SetProcess(dump.pid());
      CKPT_TRY(dump.Collect(snapshot_.files, refusals_));
    }
    CKPT_TRY(CheckSurroundings());
    CKPT_TRY(refusals_.AsResult(options_.pid));
    if (!pages_.FitsBuffers()) CKPT_TRY(pages_.AllowWriting());
    BuildAllRawFacts();
    return success();
  }

  Result<> CheckSurroundings() {
    refusals_.SetProcess(options_.pid);
    const TaskDump& root = tasks_.front();
    CKPT_TRY(surroundings_->FinishReading(root.statuses().front().ns_pid.back(), refusals_));
    std::unordered_set<uint32_t> mapped_ids;
    for (const TaskDump& dump : tasks_) {
      for (const MappedFile& mapped : dump.mapped_files()) mapped_ids.insert(mapped.file_id);
    }
    CKPT_TRY(surroundings_->PlaceDevices(snapshot_.files));
    surroundings_->RefuseFilesOutside(snapshot_.files.entries(), mapped_ids, refusals_);
    if (!surroundings_->namespaces().IsOwn(NamespaceKind::kMnt)) {
      snapshot_.files.ForgetMountsOfGhosts();
    }
    return success();
  }

  // Then smaps is there as soon as maps would be, and tells the same and more.
  bool IsSmall() const {
    uint64_t pages = 0;
    for (const TaskDump& dump : tasks_) pages += static_cast<uint64_t>(dump.stat().rss_pages);
    return pages * kPageSize < kSmallTreeBytes;
  }

  // The files of a tree are looked at while its smaps is read, those of one process, whose smaps
  // has no thread, while its pages are.
  Result<> CollectSmall() {
    const bool is_tree = tasks_.size() > 1;
    if (is_tree) CKPT_TRY(CollectFiles());
    CKPT_TRY(AddSmaps());
    CKPT_TRY(FindPages());
    return is_tree ? success() : CollectFiles();
  }

  // The pages take longest: they are read from the beginning.
  Result<> CollectLarge() {
    for (TaskDump& dump : tasks_) CKPT_TRY(dump.ListMappings());
    CKPT_TRY(FindPages());
    CKPT_TRY(CollectFiles());
    return AddSmaps();
  }

  Result<> AddSmaps() {
    CKPT_TRY(std::vector<std::vector<Mapping>> smaps, smaps_.get());
    for (size_t i = 0; i < tasks_.size(); ++i) CKPT_TRY(tasks_[i].AddSmaps(std::move(smaps[i])));
    return success();
  }

  Result<> FindPages() {
    for (TaskDump& dump : tasks_) {
      CKPT_TRY(dump.FindPages());
      CKPT_TRY(snapshot_.shared_memories.Add(dump.pid(), dump.mappings()));
    }
    CKPT_TRY(snapshot_.shared_memories.FindPages());
    const uint64_t page_count = pages_.StartReading(tasks_, snapshot_.shared_memories);
    reading_since_ = Clock::now();
    snapshot_.stats.set_pages_scanned(page_count);
    snapshot_.stats.set_pages_written(page_count);
    snapshot_.stats.set_pages_skipped_parent(0);
    snapshot_.stats.set_pages_lazy(0);
    return success();
  }

  void TranslateAllOwners() {
    TreeNumbers numbers;
    for (const TaskDump& dump : tasks_) {
      for (const TaskStatus& status : dump.statuses()) {
        numbers.threads[status.pid] = static_cast<uint32_t>(status.ns_pid.back());
      }
      numbers.groups[dump.stat().pgrp] = dump.snapshot.tree.pgid();
    }
    TranslateOwners(numbers, surroundings_->namespaces().IsOwn(NamespaceKind::kPid),
                    snapshot_.files.mutable_entries(), refusals_);
  }

  Result<> CollectFiles() {
    KernelObjects objects;
    DescriptorCollector descriptors(snapshot_.files, refusals_, options_.shell_job);
    for (TaskDump& dump : tasks_) {
      if (dump.IsZombie()) continue;
      refusals_.SetProcess(dump.pid());
      pb::task_kobj_ids_entry& ids = dump.snapshot.ids;
      surroundings_->namespaces().FillTaskIds(ids);
      CKPT_TRY(objects.Identify(dump.pid(), &ids, refusals_));
      if (!objects.descriptors_are_new()) continue;
      CKPT_TRY(DescriptorTable * table, descriptor_tables_.Of(dump.pid()));
      CKPT_TRY(std::vector<pb::fdinfo_entry> fds, descriptors.Collect(*table));
      snapshot_.descriptor_tables.push_back({.files_id = ids.files_id(), .fds = std::move(fds)});
    }
    CKPT_TRY(snapshot_.contents, descriptors.ReadContents());
    TranslateAllOwners();
    return success();
  }

  void BuildAllRawFacts() {
    std::vector<UnionMount> unions = surroundings_->unions();  // told of once
    for (const TaskDump& dump : tasks_) {
      const auto pid = static_cast<pid_t>(dump.snapshot.tree.pid());
      std::ranges::move(BuildRawFacts(pid, surroundings_->MntNsId(), surroundings_->mount_ids(),
                                      unions, dump.mappings(), dump.mapped_files()),
                        std::back_inserter(snapshot_.raw_facts));
      unions.clear();
    }
  }

  Result<> InstallEngines() {
    for (TaskDump& dump : tasks_) CKPT_TRY(dump.InstallEngine());
    return success();
  }

  Result<> AskThreads() {
    for (TaskDump& dump : tasks_) CKPT_TRY(dump.AskThreads());
    return success();
  }

  Result<> TakeSnapshots() { return pages_.TakeSnapshots(tasks_); }

  // From all, also when that fails for some.
  Result<> RemoveEngines() {
    Result<> outcome = success();
    for (TaskDump& dump : tasks_) {
      Result<> removed = dump.RemoveEngine();
      if (removed.has_error() && outcome.has_value()) outcome = std::move(removed);
    }
    return outcome;
  }

  Result<> ReadPages() {
    CKPT_TRY(pages_.FinishReading());
    CKPT_TRY(surroundings_->Finish());
    snapshot_.stats.set_memdump_time(MicrosecondsSince(reading_since_));
    return success();
  }

  Result<> Thaw() {
    CKPT_TRY(tree_->Thaw());
    snapshot_.stats.set_frozen_time(MicrosecondsSince(frozen_since_));
    return success();
  }

  Result<> WriteImages() {
    const auto start = Clock::now();
    CKPT_TRY(pages_.Write());
    snapshot_.has_compressed_pages = options_.compression_level.has_value();
    snapshot_.stats.set_memwrite_time(MicrosecondsSince(start));
    const auto stopped_again = static_cast<uint32_t>(pages_.stopped().count());
    const bool runs = options_.after == AfterDump::kLeaveRunning;
    snapshot_.stats.set_frozen_time(runs ? snapshot_.stats.frozen_time() + stopped_again
                                         : MicrosecondsSince(frozen_since_));
    for (TaskDump& dump : tasks_) {
      CKPT_TRY(dump.FillThreads());
      if (!dump.IsZombie()) NameCgroupSet(dump);
      snapshot_.tasks.push_back(std::move(dump.snapshot));
    }
    CKPT_TRY(surroundings_->AddImages(output_));
    return AddImages(snapshot_, output_);
  }

  void NameCgroupSet(TaskDump& dump) const {
    for (pb::core_entry& core : dump.snapshot.cores) {
      core.mutable_thread_core()->set_cg_set(surroundings_->CgroupSetOf(dump.pid()));
    }
  }

  Result<> Commit() { return output_.Commit(); }

  Result<> Release() {
    switch (options_.after) {
      case AfterDump::kKill:
        return tree_->Kill();
      case AfterDump::kLeaveStopped:
        return tree_->ThawIntoStop();
      case AfterDump::kLeaveRunning:
        break;
    }
    return success();
  }

  const DumpOptions& options_;
  Log& log_;
  Snapshot snapshot_;
  Refusals refusals_;
  StagedFileSet output_;
  std::vector<MemorySnapshot> memory_snapshots_;  // end once the tree is thawed
  std::optional<FrozenTree> tree_;
  std::unique_ptr<Surroundings> surroundings_;
  DescriptorTables descriptor_tables_;
  Clock::time_point frozen_since_;
  Clock::time_point reading_since_;
  std::deque<TaskDump> tasks_;
  PagesDump pages_;
  std::future<Result<std::vector<std::vector<Mapping>>>> smaps_;  // looks at what is above
};

}  // namespace

Result<pb::dump_stats_entry> Dump(const DumpOptions& options, Log& log) {
  return DumpRun(options, log).Run();
}

}  // namespace ckpt
