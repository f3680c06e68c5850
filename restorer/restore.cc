#include "restorer/restore.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
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
#include "restorer/namespaces.h"
#include "restorer/free_ids.h"
#include "restorer/plan_builder.h"
#include "restorer/process_state.h"
#include "restorer/restored_task.h"
#include "restorer/take_over.h"
#include "restorer/task_surroundings.h"
#include "restorer/task_timers.h"
#include "restorer/thread_state.h"
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
  std::vector<std::unique_ptr<RestoredTask>> tasks = {};
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

// Nothing has been made yet when this ends.
Result<> PlanRestore(Restoration& restoration) {
  CKPT_TRY(restoration.plan, BuildRestorePlan(restoration.dump.images,
                                              {.root = restoration.options.root,
                                               .external_mounts =
                                                   restoration.options.external_mounts,
                                               .cgroups = restoration.options.cgroups}));
  Findings findings;
  const auto add = [&](Result<> result) {
    if (result.has_error()) findings.Add(std::move(result).error());
  };
  for (const TaskPlan& task : restoration.plan.tasks) {
    add(CheckSession(task));
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
  for (const std::unique_ptr<RestoredTask>& task : restoration.tasks) {
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
  CKPT_TRY(StubProcess stub, StubProcess::Create({.pid = plan.pid,
                                                  .namespaces = namespaces.clone_flags,
                                                  .prepare = prepare}));
  CKPT_TRY(restoration.cgroups->Join(static_cast<uint32_t>(plan.pid), stub.pid()));
  const bool has_other_root = restoration.plan.files.at(plan.root_file_id).path != "/";
  const bool needs_chroot = !restoration.options.root.empty() && !namespaces.mounts;
  restoration.tasks.push_back(std::make_unique<RestoredTask>(
      RestoredTask{.plan = &plan,
                   .log = &restoration.log,
                   .changes_root = has_other_root || needs_chroot,
                   .counts_timer_ids = restoration.options.counts_timer_ids,
                   .descriptor_limit = restoration.raised.before(),
                   .stub = std::move(stub)}));
  restoration.first_pid = restoration.tasks.front()->stub.pid();
  restoration.forking_microseconds = MicrosecondsSince(restoration.start);
  return success();
}

// With an own mount namespace, the root of the first process, who is in it already.
std::string RootOfPaths(const Restoration& restoration) {
  if (!restoration.plan.namespaces.mounts) return restoration.options.root;
  return fmt::format("/proc/{}/root", restoration.first_pid);
}

Result<> OpenFiles(Restoration& restoration) {
  CKPT_TRY(restoration.files,
           OpenedFiles::Open(restoration.plan, RootOfPaths(restoration),
                             restoration.dump.pages_images));
  restoration.tasks.front()->files = &*restoration.files;
  return success();
}

Result<> SetOwners(Restoration& restoration) {
  return SetFileOwners(restoration.plan, *restoration.files);
}

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

// A stopped process gets its SIGSTOP while nothing of it runs: the first thread that is let go
// takes it, before any code of the process runs, and it holds for all.
Result<> Run(RestoredTask& task) {
  const pid_t pid = task.stub.pid();
  if (!task.plan->stopped) return task.stub.Release();
  if (kill(pid, SIGSTOP) < 0) {
    const int saved = errno;
    return ErrnoError(saved, "kill({}, SIGSTOP)", pid);
  }
  CKPT_TRY(task.stub.Release());
  // Whoever is told that the restore is done finds the process stopped.
  siginfo_t stop{};
  while (waitid(P_PID, static_cast<id_t>(pid), &stop, WSTOPPED | WEXITED | WNOWAIT) < 0) {
    const int saved = errno;
    if (saved != EINTR) return ErrnoError(saved, "waitid({})", pid);
  }
  return success();
}

// Either for the restore as a whole or for each task; all tasks make a step before any makes the
// next.
struct Step {
  std::string_view name;
  Result<> (*whole)(Restoration&);
  Result<> (*task)(RestoredTask&);
};
constexpr std::array kSteps = {
    Step{"read the images", ReadDump, nullptr},
    Step{"plan", PlanRestore, nullptr},
    Step{"make control groups", MakeCgroups, nullptr},
    Step{"create the first process", CreateRoot, nullptr},
    Step{"open files", OpenFiles, nullptr},
    Step{"take over", nullptr, TakeOver},
    Step{"leave the descriptors", nullptr, LeaveDescriptors},
    Step{"clear the address space", nullptr, ClearAddressSpace},
    Step{"map memory", nullptr, MapMemory},
    Step{"fill memory", nullptr, FillMemory},
    Step{"place the vdso", nullptr, PlaceVdso},
    Step{"protect memory", nullptr, ProtectMemory},
    Step{"set the memory layout", nullptr, SetMemoryLayout},
    Step{"join the session", nullptr, JoinSession},
    Step{"set directories", nullptr, SetDirectories},
    Step{"set descriptors", nullptr, SetDescriptors},
    Step{"set watches", nullptr, SetWatches},
    Step{"join control groups", JoinCgroups, nullptr},
    Step{"make threads", nullptr, MakeThreads},
    Step{"set thread states", nullptr, SetThreadStates},
    Step{"set process state", nullptr, SetProcessState},
    Step{"create timers", nullptr, CreateTimers},
    Step{"set file owners", SetOwners, nullptr},
    Step{"set limits", nullptr, SetLimits},
    Step{"set credentials", nullptr, SetCredentials},
    Step{"arm timers", nullptr, ArmTimers},
    Step{"arm timer files", ArmFiles, nullptr},
    Step{"queue pending signals", nullptr, QueuePendingSignals},
    Step{"set registers", nullptr, SetRegisters},
    Step{"remove the scratch area", nullptr, RemoveScratch},
    Step{"write the pidfile", WritePidfile, nullptr},
    Step{"run", nullptr, Run},
};

Result<> MakeStep(const Step& step, Restoration& restoration) {
  restoration.log.Debug("step: {}", step.name);
  if (restoration.options.before_step) CKPT_TRY(restoration.options.before_step(step.name));
  if (step.whole != nullptr) return step.whole(restoration);
  for (const std::unique_ptr<RestoredTask>& task : restoration.tasks) {
    auto made = step.task(*task);
    if (made.has_error()) {
      return std::move(made).error().In(fmt::format("process {}", task->plan->pid));
    }
  }
  return success();
}

Result<> MakeSteps(Restoration& restoration) {
  for (const Step& step : kSteps) CKPT_TRY(MakeStep(step, restoration));
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
