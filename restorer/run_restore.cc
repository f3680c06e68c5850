#include "restorer/run_restore.h"

#include <sys/wait.h>

#include <boost/program_options.hpp>
#include <cerrno>

#include "base/engine_program.h"
#include "base/result.h"
#include "restorer/external_mounts.h"
#include "restorer/restore.h"

namespace ckpt {

namespace {

namespace po = boost::program_options;

// What a shell adds to the number of the signal that ended a process.
constexpr int kSignalledExit = 128;

po::typed_value<std::vector<std::string>>* Words(const char* name) {
  return po::value<std::vector<std::string>>()->value_name(name)->composing()->default_value({},
                                                                                             "");
}

void AddOptions(po::options_description& options) {
  options.add_options()                                                               //
      ("restore-detached,d", "end when the process runs, instead of waiting for it")  //
      ("pidfile", po::value<std::string>()->value_name("FILE")->default_value(""),
       "write the pid there, when the process is complete")  //
      ("root,r", po::value<std::string>()->value_name("DIR")->default_value(""),
       "the directory at which the paths of the dump begin")  //
      ("ext-mount-map", Words("KEY:PATH"),
       "what the external mount KEY shows; \"auto\" for those whose path is in the dump")  //
      ("external", Words("mnt[KEY]:PATH"), "the same; mnt[] as \"auto\"")                  //
      ("manage-cgroups",
       po::value<std::string>()->value_name("MODE")->default_value("soft")->implicit_value(""),
       "which control groups are made, and whose properties are set: ignore, none, props, soft, "
       "full or strict")  //
      ("cgroup-root", Words("[CTRL:]PATH"),
       "the group that takes the place of the topmost one of the dump")  //
      ("shell-job,j", "the processes have the terminal and the session of this one");
}

// The exit code that tells how the process ended.
Result<int> WaitFor(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    const int saved = errno;
    if (saved != EINTR) return ErrnoError(saved, "waitpid({})", pid);
  }
  return WIFSIGNALED(status) ? kSignalledExit + WTERMSIG(status) : WEXITSTATUS(status);
}

Result<int> RestoreAsTold(const EngineInvocation& invocation) {
  RestoreOptions options;
  options.images_dir = invocation.images_directory;
  options.root = invocation.options["root"].as<std::string>();
  CKPT_TRY(options.external_mounts,
           ParseExternalMounts(invocation.options["ext-mount-map"].as<std::vector<std::string>>(),
                               invocation.options["external"].as<std::vector<std::string>>()));
  CKPT_TRY(options.cgroups.mode,
           ParseCgroupMode(invocation.options["manage-cgroups"].as<std::string>()));
  for (const std::string& root : invocation.options["cgroup-root"].as<std::vector<std::string>>()) {
    CKPT_TRY(AddCgroupRoot(root, options.cgroups));
  }
  options.shell_job = invocation.options.count("shell-job") > 0;
  options.pidfile = invocation.options["pidfile"].as<std::string>();
  CKPT_TRY(const pid_t restored, Restore(options, invocation.log));
  invocation.log.Info("process {} runs", restored);
  if (invocation.options.count("restore-detached") > 0) return kExitDone;
  return WaitFor(restored);
}

constexpr EngineProgram kProgram = {
    .name = "ckpt-restore",
    .version = "ckpt-restore 0.1 (CRIU image format, img_version 1 and 2)",
    .usage =
        "usage: ckpt-restore -D DIR [OPTION]...\n"
        "Brings the process of a dump back, from images of CRIU's format.\n",
    .images_directory_help = "where the images are",
    .add_options = AddOptions,
    .check = [](const po::variables_map&) -> Result<> { return success(); },
    .run = RestoreAsTold,
};

}  // namespace

int RunRestore(std::span<const std::string> arguments, std::ostream& out, std::ostream& err) {
  return RunEngineProgram(kProgram, arguments, out, err);
}

}  // namespace ckpt
