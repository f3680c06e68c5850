#include "restorer/restore.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/file.h"
#include "formats/dump_directory.h"
#include "formats/image_writer.h"
#include "formats/proto/stats.pb.h"
#include "restorer/address_space.h"
#include "restorer/cgroups.h"
#include "restorer/credentials.h"
#include "restorer/dump_images.h"
#include "restorer/event_file_steps.h"
#include "restorer/findings.h"
#include "restorer/free_ids.h"
#include "restorer/make_tree.h"
#include "restorer/mapped_pages.h"
#include "restorer/namespaces.h"
#include "restorer/plan_builder.h"
#include "restorer/process_ends.h"
#include "restorer/process_groups.h"
#include "restorer/process_state.h"
#include "restorer/restored_task.h"
#include "restorer/restored_tree.h"
#include "restorer/take_over.h"
#include "restorer/task_surroundings.h"
#include "restorer/task_timers.h"
#include "restorer/thread_state.h"
#include "restorer/tty_plan.h"
#include "restorer/tty_steps.h"
#include "restorer/vdso_step.h"

namespace ckpt {

namespace {

using Clock = std::chrono::steady_clock;

uint32_t MicrosecondsSince(Clock::time_point start) {
  return static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count());
}

// A restore under way.
struct Restoration {
  const RestoreOptions& options;
  Log& log;
  LoadedDump dump = {};
  RestorePlan plan = {};
  std::optional<OpenedFiles> files = {};
  std::optional<Cgroups> cgroups = {};  // goes after those who are in them
  RestoredTree tree = {};
  std::string written_pidfile = {};  // to be removed if the last step fails
  RaisedDescriptorLimit raised = {};
  Clock::time_point start = Clock::now();
  uint32_t forking_microseconds = 0;
  pid_t first_pid = 0;  // of the first process, as we see it
};

Result<> ReadDump(Restoration& restoration) {
  CKPT_TRY(restoration.dump, LoadDump(restoration.options.images_dir));
  return success();
}

Result<> Announce(std::string_view step, Restoration& restoration) {
  restoration.log.Debug("step: {}", step);
  return restoration.options.before_step ? restoration.options.before_step(step) : success();
}

// Nothing has been made yet when this ends.
Result<> PlanRestore(Restoration& restoration) {
  CKPT_TRY(restoration.plan,
           BuildRestorePlan(restoration.dump.images,
                            {.root = restoration.options.root,
                             .external_mounts = restoration.options.external_mounts,
                             .cgroups = restoration.options.cgroups}));
  Findings findings;
  const auto add = [&](Result<> result) {
    if (result.has_error()) findings.Add(std::move(result).error());
  };
  add(CheckSessions(restoration.plan, restoration.options.shell_job));
  add(CheckTerminals(restoration.plan, restoration.options.shell_job));
  if (restoration.options.shell_job) TakeOverOutsideSession(restoration.plan);
  for (const TaskPlan& task : restoration.plan.tasks) {
    if (!task.IsLive()) continue;
    for (const ThreadPlan& thread : task.threads) add(CheckRegisters(thread));
  }
  return findings.AsResult();
}

Result<> MakeCgroups(Restoration& restoration) {
  CKPT_TRY(Cgroups cgroups, Cgroups::Make(restoration.plan.cgroups, restoration.log));
  restoration.cgroups.emplace(std::move(cgroups));
  return success();
}

Result<> JoinCgroups(Restoration& restoration) {
  for (const std::unique_ptr<RestoredTask>& task : restoration.tree.tasks()) {
    CKPT_TRY(restoration.cgroups->Join(static_cast<uint32_t>(task->plan->pid), task->stub.pid()));
  }
  return success();
}

// Until the first process leaves our descriptors (LeaveDescriptors()), it has what is opened.
Result<> CreateRoot(Restoration& restoration) {
  const TaskPlan& plan = restoration.plan.tasks.front();
  const NamespacesPlan& namespaces = restoration.plan.namespaces;
  // In a pid namespace of their own all numbers are free.
  if ((namespaces.clone_flags & CLONE_NEWPID) == 0) {
    CKPT_TRY(CheckUnused(IdsOf(restoration.plan)));
  }
  const auto prepare = [&] {
    return FillNamespaces(namespaces, restoration.options.root, restoration.options.images_dir,
                          restoration.log);
  };
  OpenedFiles::MakeRoom(restoration.plan);
  CKPT_TRY(StubProcess stub,
           StubProcess::Create(
               {.pid = plan.pid, .namespaces = namespaces.clone_flags, .prepare = prepare}));
  CKPT_TRY(restoration.cgroups->Join(static_cast<uint32_t>(plan.pid), stub.pid()));
  const bool has_other_root = restoration.plan.files.at(plan.root_file_id).path != "/";
  const bool is_rooted = !restoration.options.root.empty() && !namespaces.mounts;
  RestoredTask& root =
      restoration.tree.Add({.plan = &plan,
                            .log = &restoration.log,
                            .is_rooted = is_rooted,
                            .changes_root = has_other_root || is_rooted,
                            .counts_timer_ids = restoration.options.counts_timer_ids,
                            .descriptor_limit = restoration.raised.before(),
                            .stub = std::move(stub)});
  restoration.first_pid = root.stub.pid();
  return success();
}

// With an own mount namespace, the root of the first process, who is in it already.
std::string RootOfPaths(const Restoration& restoration) {
  if (!restoration.plan.namespaces.mounts) return restoration.options.root;
  return fmt::format("/proc/{}/root", restoration.first_pid);
}

Result<> OpenFiles(Restoration& restoration) {
  CKPT_TRY(const UniqueFd network,
           OpenFile(fmt::format("/proc/{}/ns/net", restoration.first_pid), O_RDONLY));
  CKPT_TRY(restoration.files,
           OpenedFiles::Open(restoration.plan, RootOfPaths(restoration),
                             restoration.dump.pages_images, network.get(), restoration.first_pid));
  restoration.tree.root().files = &*restoration.files;
  return success();
}

// No process may have there what another one will have.
Result<> TakeOverRoot(Restoration& restoration) {
  return TakeOver(restoration.tree.root(), restoration.plan);
}

Result<> MakeOtherProcesses(Restoration& restoration) {
  CKPT_TRY(const MappedPages pages, MappedPages::Map(restoration.dump.pages_images));
  const auto before = [&](std::string_view step) { return Announce(step, restoration); };
  CKPT_TRY(MakeTree(restoration.plan, pages, before, restoration.tree));
  restoration.forking_microseconds = MicrosecondsSince(restoration.start);
  return success();
}

Result<> EndAllHelpers(Restoration& restoration) { return EndHelpers(restoration.tree); }

// By the numbers of the dump.
std::map<pid_t, pid_t> IdsAsWeSeeThem(const RestoredTree& tree) {
  std::map<pid_t, pid_t> ids;
  for (const std::unique_ptr<RestoredTask>& task : tree.tasks()) {
    ids.emplace(task->plan->pid, task->stub.pid());
    for (size_t i = 1; i < task->plan->threads.size(); ++i) {
      ids.emplace(task->plan->threads[i].tid, task->stub.threads()[i].tid());
    }
  }
  return ids;
}

Result<> SetOwners(Restoration& restoration) {
  return SetFileOwners(restoration.plan, *restoration.files, IdsAsWeSeeThem(restoration.tree),
                       restoration.log);
}

Result<> SetUpTerminal(Restoration& restoration) { return SetTerminal(restoration.plan); }

Result<> ArmFiles(Restoration& restoration) {
  return ArmTimerFiles(restoration.plan, *restoration.files);
}

// Takes back the scratch area; registers and masks stay what they have been set to.
Result<> RemoveScratch(RestoredTask& task) {
  CKPT_TRY(task.engine->Uninstall(task.stub.leader()));
  task.engine.reset();
  return SetCriticalSections(task);
}

Result<> WritePidfile(Restoration& restoration) {
  const std::string& path = restoration.options.pidfile;
  if (path.empty()) return success();
  CKPT_TRY(StagedFile file, StagedFile::Create(path, 0644));
  CKPT_TRY(file.Write(AsBytes(fmt::format("{}", restoration.first_pid))));
  CKPT_TRY(file.Commit());
  restoration.written_pidfile = path;
  return success();
}

// Children before their parents, who are told of it: only then do these get the signals that they
// had pending.
Result<> StopProcesses(Restoration& restoration) {
  auto& tasks = restoration.tree.tasks();
  for (size_t i = tasks.size(); i-- > 0;) {
    RestoredTask& task = *tasks[i];
    if (task.plan->state != TaskPlan::State::kStopped) continue;
    CKPT_TRY(QueuePendingSignals(task));
    CKPT_TRY(SetRegisters(task));
    CKPT_TRY(RemoveScratch(task));
    CKPT_TRY(StopAndRelease(task));
  }
  return success();
}

Result<> Run(RestoredTask& task) { return task.stub.Release(); }

using States = unsigned;
constexpr States kAlive = 1U << static_cast<int>(TaskPlan::State::kAlive);
constexpr States kStopped = 1U << static_cast<int>(TaskPlan::State::kStopped);
constexpr States kZombies = 1U << static_cast<int>(TaskPlan::State::kZombie);
constexpr States kHelpers = 1U << static_cast<int>(TaskPlan::State::kHelper);
constexpr States kLive = kAlive | kStopped;
constexpr States kAll = kLive | kZombies | kHelpers;

// Either for the restore as a whole or for each process that will be in one of `states`; all
// processes that there are make a step before any makes the next.
struct Step {
  std::string_view name;
  Result<> (*whole)(Restoration&);
  Result<> (*task)(RestoredTask&);
  States states = kLive;
};
constexpr std::array kSteps = {
    Step{"read the images", ReadDump, nullptr},
    Step{"plan", PlanRestore, nullptr},
    Step{"make control groups", MakeCgroups, nullptr},
    Step{"create the first process", CreateRoot, nullptr},
    Step{"open files", OpenFiles, nullptr},
    Step{"take over", TakeOverRoot, nullptr},
    Step{"leave the descriptors", nullptr, LeaveDescriptors},
    Step{"clear the address space", nullptr, ClearAddressSpace},
    Step{"map memory", nullptr, MapMemory},
    Step{"fill memory", nullptr, FillMemory},
    Step{"make the other processes", MakeOtherProcesses, nullptr},
    Step{"place the vdso", nullptr, PlaceVdso},
    Step{"protect memory", nullptr, ProtectMemory},
    Step{"set the memory layout", nullptr, SetMemoryLayout},
    Step{"lead groups", nullptr, LeadGroup, kAll},
    Step{"join groups", nullptr, JoinGroup, kAll},
    Step{"set directories", nullptr, SetDirectories},
    Step{"set descriptors", nullptr, SetDescriptors},
    Step{"set watches", nullptr, SetWatches},
    Step{"join control groups", JoinCgroups, nullptr},
    Step{"make threads", nullptr, MakeThreads},
    Step{"set thread states", nullptr, SetThreadStates},
    Step{"set file owners", SetOwners, nullptr},
    Step{"end helpers", EndAllHelpers, nullptr},
    Step{"end zombies", nullptr, EndZombie, kZombies},
    Step{"set process state", nullptr, SetProcessState},
    Step{"create timers", nullptr, CreateTimers},
    Step{"set foreground groups", nullptr, SetForegroundGroup},
    Step{"set limits", nullptr, SetLimits},
    Step{"set credentials", nullptr, SetCredentials},
    Step{"arm timers", nullptr, ArmTimers},
    Step{"arm timer files", ArmFiles, nullptr},
    Step{"set up the terminal", SetUpTerminal, nullptr},
    Step{"stop processes", StopProcesses, nullptr},
    Step{"queue pending signals", nullptr, QueuePendingSignals, kAlive},
    Step{"set registers", nullptr, SetRegisters, kAlive},
    Step{"remove the scratch area", nullptr, RemoveScratch, kAlive},
    Step{"write the pidfile", WritePidfile, nullptr},
    Step{"run", nullptr, Run, kAlive},
};

Result<> MakeStep(const Step& step, Restoration& restoration) {
  CKPT_TRY(Announce(step.name, restoration));
  if (step.whole != nullptr) return step.whole(restoration);
  for (const std::unique_ptr<RestoredTask>& task : restoration.tree.tasks()) {
    const States state = 1U << static_cast<int>(task->plan->state);
    if ((step.states & state) == 0) continue;
    auto made = step.task(*task);
    if (made.has_error()) {
      return std::move(made).error().In(fmt::format("process {}", task->plan->pid));
    }
  }
  return success();
}

Result<> MakeSteps(Restoration& restoration) {
  for (const Step& step : kSteps) CKPT_TRY(MakeStep(step, restoration));
  restoration.tree.LetGo();
  return success();
}

uint64_t CountPages(const RestorePlan& plan) {
  uint64_t count = 0;
  for (const TaskPlan& task : plan.tasks) {
    for (const PagesPlan& run : task.memory.pages) count += run.range.size_bytes() / kPageSize;
  }
  return count;
}

// The process runs: that its figures cannot be written (a read-only place) is no failure.
void WriteStatistics(const Restoration& restoration) {
  pb::stats_entry entry;
  pb::restore_stats_entry& figures = *entry.mutable_restore();
  figures.set_pages_compared(0);
  figures.set_pages_skipped_cow(0);
  figures.set_forking_time(restoration.forking_microseconds);
  figures.set_restore_time(MicrosecondsSince(restoration.start));
  figures.set_pages_restored(CountPages(restoration.plan));
  const std::string path =
      restoration.options.images_dir + "/" + ImageFileName(ImageType::kStats, kStatsOfRestore);
  ImageEncoder image(ImageType::kStats);
  Result<> written = image.Append(entry);
  if (written.has_value()) written = WriteImageFile(path, image);
  if (written.has_error()) restoration.log.Warning("{}", written.error().message);
  restoration.log.Info("restored {} pages in {} us", figures.pages_restored(),
                       figures.restore_time());
}

}  // namespace

std::vector<std::string_view> RestoreStepNames() {
  std::vector<std::string_view> names;
  for (const Step& step : kSteps) names.push_back(step.name);
  return names;
}

Result<pid_t> Restore(const RestoreOptions& options, Log& log) {
  Restoration restoration{.options = options, .log = log};
  if (auto made = MakeSteps(restoration); made.has_error()) {
    if (!restoration.written_pidfile.empty()) unlink(restoration.written_pidfile.c_str());
    return std::move(made).error();
  }
  restoration.cgroups->Keep();
  WriteStatistics(restoration);
  return restoration.first_pid;
}

}  // namespace ckpt
