#include "dumper/run_dump.h"

#include <fmt/ostream.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <cstring>
#include <exception>
#include <ostream>
#include <string>
#include <vector>

#include "base/engine_program.h"
#include "base/progress.h"
#include "base/result.h"
#include "dumper/dump.h"
#include "dumper/external_mounts.h"
#include "dumper/ghost_files.h"
#include "formats/page_codec.h"
#include "process/kernel_features.h"

namespace ckpt {

namespace {

namespace po = boost::program_options;

using Texts = std::vector<std::string>;

void AddOptions(po::options_description& options) {
  options.add_options()                                                                  //
      ("tree,t", po::value<pid_t>()->value_name("PID"), "the process to dump")           //
      ("leave-running,R", "let the process run on")                                      //
      ("shell-job,j", "the process may have the session and the terminal of its shell")  //
      ("leave-stopped,s", "leave the process stopped (SIGSTOP)")                         //
      ("external", po::value<Texts>()->value_name("mnt[MOUNTPOINT]:KEY"),
       "a mount that a restorer is given by its key; mnt[] finds such mounts")  //
      ("ext-mount-map", po::value<Texts>()->value_name("MOUNTPOINT:KEY|auto"),
       "the same in another spelling")                                                          //
      ("evasive-devices", "a device of outside may be another node of the same device inside")  //
      ("manage-cgroups", po::value<std::string>()->value_name("MODE")->implicit_value("soft"),
       "what is dumped of control groups: nothing but membership with ignore, else all")  //
      ("ghost-limit", po::value<std::string>()->value_name("SIZE")->default_value("1M"),
       "what a deleted file may take on disk, in bytes, or with K, M or G")  //
      ("compress", po::value<int>()->value_name("LEVEL")->implicit_value(kDefaultPageLevel),
       "write the pages compressed by zstd, at level 3 unless given; CRIU does not restore such a "
       "dump before `imgtool decompress`")  //
      ("no-snapshot",
       "with -R, read the memory of large processes under the freeze as well, and make no child of "
       "them to be read later")  //
      ("plain-kernel", "do without PAGEMAP_SCAN, PROCMAP_QUERY and statmount");
}

Result<> CheckLevel(int level) {
  if (level >= kMinPageLevel && level <= kMaxPageLevel) return success();
  return MakeError(ErrorCode::kUsage, "--compress={}: {} to {} are allowed", level, kMinPageLevel,
                   kMaxPageLevel);
}

Result<> Check(const po::variables_map& values) {
  const auto wrong = [](std::string_view message) {
    return MakeError(ErrorCode::kUsage, "{}", message);
  };
  if (values.count("tree") == 0) return wrong("no process given: -t PID");
  if (values["tree"].as<pid_t>() <= 0) return wrong("the pid is not positive");
  if (values.count("leave-running") > 0 && values.count("leave-stopped") > 0) {
    return wrong("-R and -s exclude each other");
  }
  if (values.count("compress") > 0) return CheckLevel(values["compress"].as<int>());
  return success();
}

Result<ExternalMounts> ExternalsOf(const po::variables_map& values) {
  struct Option {
    const char* name;
    Result<> (*add)(std::string_view, ExternalMounts&);
  };
  ExternalMounts mounts;
  for (const Option& option :
       {Option{"external", AddExternal}, Option{"ext-mount-map", AddExtMountMap}}) {
    if (values.count(option.name) == 0) continue;
    for (const std::string& text : values[option.name].as<Texts>()) {
      CKPT_TRY(option.add(text, mounts));
    }
  }
  return mounts;
}

// CRIU's modes; which of them it is matters only to a restorer, but for the last.
Result<CgroupMode> ParseCgroupMode(const std::string& text) {
  constexpr std::array<std::string_view, 5> kModes = {"none", "props", "soft", "full", "strict"};
  if (text == "ignore") return CgroupMode::kIgnore;
  if (std::ranges::find(kModes, text) != kModes.end()) return CgroupMode::kProperties;
  return MakeError(ErrorCode::kUsage,
                   "--manage-cgroups {}: expected none, props, soft, full, strict or ignore", text);
}

Result<DumpOptions> Interpret(const EngineInvocation& invocation) {
  const po::variables_map& values = invocation.options;
  DumpOptions options;
  options.pid = values["tree"].as<pid_t>();
  options.images_directory = invocation.images_directory;
  if (values.count("leave-running") > 0) options.after = AfterDump::kLeaveRunning;
  if (values.count("leave-stopped") > 0) options.after = AfterDump::kLeaveStopped;
  if (values.count("compress") > 0) options.compression_level = values["compress"].as<int>();
  if (values.count("no-snapshot") > 0) options.snapshots.reset();
  options.shell_job = values.count("shell-job") > 0;
  CKPT_TRY(options.ghost_limit_bytes, ParseGhostLimit(values["ghost-limit"].as<std::string>()));
  CKPT_TRY(options.surroundings.externals, ExternalsOf(values));
  options.surroundings.evasive_devices = values.count("evasive-devices") > 0;
  if (values.count("manage-cgroups") > 0) {
    CKPT_TRY(options.surroundings.cgroups,
             ParseCgroupMode(values["manage-cgroups"].as<std::string>()));
  }
  options.features =
      values.count("plain-kernel") > 0 ? FallbackKernelFeatures() : DetectKernelFeatures();
  return options;
}

// Keyboard and shell ask a dump to end: these signals are blocked while it runs, so that they
// cannot end it while the process is frozen, and looked for between steps.
class Interruptions {
 public:
  Interruptions() {
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, &old_mask_);
  }
  Interruptions(const Interruptions&) = delete;
  Interruptions& operator=(const Interruptions&) = delete;
  ~Interruptions() { pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr); }

  Result<> Check() const {
    const timespec now{};
    const int signal = sigtimedwait(&signals_, nullptr, &now);
    if (signal < 0) return success();
    return MakeError(ErrorCode::kSystem, "interrupted by {}", strsignal(signal));
  }

 private:
  sigset_t signals_;
  sigset_t old_mask_;
};

Result<int> DumpAsTold(const EngineInvocation& invocation) {
  CKPT_TRY(DumpOptions options, Interpret(invocation));
  const Interruptions interruptions;
  Progress progress("writing pages");
  options.before_step = [&](std::string_view) { return interruptions.Check(); };
  options.progress = [&](uint64_t written_bytes, uint64_t total_bytes) {
    progress.Update(written_bytes, total_bytes);
    return interruptions.Check();
  };
  CKPT_TRY(Dump(options, invocation.log));
  return kExitDone;
}

constexpr EngineProgram kProgram = {
    .name = "ckpt-dump",
    .version = "ckpt-dump 0.1 (CRIU image format, img_version 2)",
    .usage =
        "usage: ckpt-dump -t PID [OPTION]...\n"
        "Freezes a process and writes it down raw, as images of CRIU's format.\n",
    .images_directory_help = "where the images go",
    .add_options = AddOptions,
    .check = Check,
    .run = DumpAsTold,
};

}  // namespace

int RunDump(std::span<const std::string> arguments, std::ostream& out, std::ostream& err) {
  return RunEngineProgram(kProgram, arguments, out, err);
}

}  // namespace ckpt
