#include "restorer/harmless_core.h"

#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cstdint>

#include "base/file.h"

namespace ckpt {

namespace {

// The least that the kernel begins a core for.
constexpr rlimit64 kOnePage{4096, 4096};

// Once all descriptors are closed.
constexpr int kContext = 0;
constexpr int kRoot = 1;

}  // namespace

Result<std::vector<std::string>> DirectoriesOfCore(std::string_view pattern) {
  if (pattern.starts_with('|') || pattern.starts_with('@')) {
    return MakeError(ErrorCode::kUnsupported, "cores go to \"{}\" here",
                     pattern.substr(0, pattern.find('\n')));
  }
  std::vector<std::string> directories;
  if (!pattern.starts_with('/')) return directories;
  for (size_t slash = 0; (slash = pattern.find('/', slash + 1)) != pattern.npos;) {
    directories.emplace_back(pattern.substr(0, slash));
  }
  return directories;
}

Result<> PrepareHarmlessCore(RestoredTask& task) {
  CKPT_TRY(const std::string pattern, ReadWholeFile("/proc/sys/kernel/core_pattern"));
  CKPT_TRY(const std::vector<std::string> directories, DirectoriesOfCore(pattern));
  RemoteCalls calls = task.Calls();
  CKPT_TRY(calls.MakeRoom(10 + directories.size(), 512 + 2 * pattern.size()));
  calls.Add("unshare(CLONE_FILES | CLONE_FS)", SYS_unshare, {CLONE_FILES | CLONE_FS});
  calls.Add("close_range(0, ~0)", SYS_close_range, {0U, ~0U, 0});
  calls.Add("fsopen(tmpfs)", SYS_fsopen, {calls.PutString("tmpfs"), 0}, kContext);
  calls.Add("fsconfig(tmpfs)", SYS_fsconfig,
            {kContext, static_cast<int>(FSCONFIG_CMD_CREATE), 0, 0, 0});
  calls.Add("fsmount(tmpfs)", SYS_fsmount, {kContext, 0, 0}, kRoot);
  calls.Add("fchdir to the tmpfs", SYS_fchdir, {kRoot});
  calls.Add("chroot(\".\")", SYS_chroot, {calls.PutString(".")});
  for (const std::string& directory : directories) {
    calls.Add(fmt::format("mkdir(\"{}\")", directory), SYS_mkdir,
              {calls.PutString(directory), 0700});
  }
  calls.Add("prlimit(RLIMIT_CORE)", SYS_prlimit64,
            {0, static_cast<int>(RLIMIT_CORE), calls.PutObject(kOnePage), 0});
  calls.Add("prctl(PR_SET_DUMPABLE, 1)", SYS_prctl, {PR_SET_DUMPABLE, 1, 0, 0, 0});
  return calls.Flush();
}

}  // namespace ckpt
