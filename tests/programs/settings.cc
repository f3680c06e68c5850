// What else a process carries: limits, priority and policy of scheduling, the settings of prctl(2),
// its name, and rseq.
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

void Lower(__rlimit_resource resource, rlim_t soft, rlim_t hard) {
  const rlimit limit = {soft, hard};
  REQUIRE(setrlimit(resource, &limit) == 0);
}

// All limits, and what cannot be read from outside.
std::string Everything() {
  char name[16] = {};
  int subreaper = 0;
  int death_signal = 0;
  sched_param parameter = {};
  REQUIRE(prctl(PR_GET_NAME, name) == 0 && prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0);
  REQUIRE(prctl(PR_GET_PDEATHSIG, &death_signal) == 0);
  REQUIRE(sched_getparam(0, &parameter) == 0);
  return FileText("/proc/self/limits") + "name " + name + " subreaper " +
         std::to_string(subreaper) + " death signal " + std::to_string(death_signal) +
         " dumpable " + std::to_string(prctl(PR_GET_DUMPABLE)) + " keepcaps " +
         std::to_string(prctl(PR_GET_KEEPCAPS)) + " no new privileges " +
         std::to_string(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)) + " huge pages off " +
         std::to_string(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0)) + " nice " +
         std::to_string(getpriority(PRIO_PROCESS, 0)) + " policy " +
         std::to_string(sched_getscheduler(0)) + " priority " +
         std::to_string(parameter.sched_priority);
}

const struct rseq* RseqArea() {
  const char* thread = static_cast<const char*>(__builtin_thread_pointer());
  return reinterpret_cast<const struct rseq*>(thread + __rseq_offset);
}

// The kernel keeps cpu_id of a registered area; and it does not take a second registration.
void ExpectRseq() {
  if (__rseq_size == 0) return;
  const int cpu = sched_getcpu();
  EXPECT(cpu >= 0);
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  REQUIRE(sched_setaffinity(0, sizeof(only), &only) == 0);
  EXPECT_EQUAL(RseqArea()->cpu_id, cpu);
  static struct rseq another;
  EXPECT(syscall(SYS_rseq, &another, 32, 0, RSEQ_SIG) == -1);
}

void Run() {
  Lower(RLIMIT_NOFILE, 500, 1000);
  Lower(RLIMIT_CORE, 0, 4096);
  Lower(RLIMIT_STACK, 4 << 20, RLIM_INFINITY);
  Lower(RLIMIT_MSGQUEUE, 1000, 2000);
  REQUIRE(setpriority(PRIO_PROCESS, 0, 7) == 0);
  const sched_param parameter = {};
  REQUIRE(sched_setscheduler(0, SCHED_BATCH, &parameter) == 0);
  REQUIRE(prctl(PR_SET_NAME, "odd ) name (") == 0);
  REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  REQUIRE(prctl(PR_SET_PDEATHSIG, SIGWINCH) == 0);  // ignored when it comes
  REQUIRE(prctl(PR_SET_DUMPABLE, 0) == 0);
  REQUIRE(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
  REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  ExpectRseq();
  const std::string then = Everything();

  ReadyAndAwaitGo();

  EXPECT_SAME(Everything(), then);
  ExpectRseq();
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
