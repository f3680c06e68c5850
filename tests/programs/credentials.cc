// Credentials that differ from what a child of a shell has: supplementary groups, a changed file
// system uid, capability sets, securebits; in a second thread other capabilities than in the first.
// The uids stay root's: without CAP_SYS_RESOURCE nobody may read another uid's limits.
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

// The capabilities of the calling thread but those in `dropped`.
void DropCapabilities(uint32_t dropped) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  REQUIRE(syscall(SYS_capget, &header, data) == 0);
  data[0].effective &= ~dropped;
  data[0].permitted &= ~dropped;
  data[0].inheritable = 1u << CAP_KILL | 1u << CAP_CHOWN;
  REQUIRE(syscall(SYS_capset, &header, data) == 0);
}

std::string Everything() {
  std::string text;
  for (const char* name :
       {"Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"}) {
    text += std::string(name) + " " + StatusField(name) + "; ";
  }
  return text + "securebits " + std::to_string(prctl(PR_GET_SECUREBITS));
}

std::mutex mutex;
std::condition_variable changed;
bool second_is_ready = false;  // guarded by mutex
bool go = false;               // guarded by mutex

void SecondThread() {
  DropCapabilities(1u << CAP_MKNOD | 1u << CAP_AUDIT_WRITE);
  const std::string then = Everything();
  std::unique_lock<std::mutex> lock(mutex);
  second_is_ready = true;
  changed.notify_all();
  changed.wait(lock, [] { return go; });
  EXPECT_SAME(Everything(), then);
}

void Run() {
  const gid_t groups[] = {10, 20, 4000};
  REQUIRE(setgroups(3, groups) == 0);
  REQUIRE(prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT) == 0);
  REQUIRE(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) == 0);
  std::thread second(SecondThread);
  DropCapabilities(1u << CAP_SYS_TIME | 1u << CAP_SYS_BOOT);
  REQUIRE(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0) == 0);
  {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [] { return second_is_ready; });
  }
  const std::string then = Everything();

  ReadyAndAwaitGo();

  EXPECT_SAME(Everything(), then);
  {
    std::lock_guard<std::mutex> lock(mutex);
    go = true;
    changed.notify_all();
  }
  second.join();
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
