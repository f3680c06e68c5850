#include "process/task_status.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace ckpt {
namespace {

constexpr std::string_view kStatus =
    "Name:\tState: T\\n\n"
    "Umask:\t0027\n"
    "State:\tt (tracing stop)\n"
    "Tgid:\t42\n"
    "Ngid:\t0\n"
    "Pid:\t43\n"
    "PPid:\t1\n"
    "TracerPid:\t7\n"
    "Uid:\t1000\t1001\t1002\t4294967295\n"
    "Gid:\t5\t6\t7\t8\n"
    "FDSize:\t64\n"
    "Groups:\t4 20 4294967294 \n"
    "NStgid:\t42\t1\n"
    "NSpid:\t43\t2\n"
    "NSpgid:\t42\t1\n"
    "NSsid:\t40\t0\n"
    "VmRSS:\t    1752 kB\n"
    "Threads:\t2\n"
    "SigQ:\t0/96365\n"
    "SigPnd:\t0000000000000001\n"
    "ShdPnd:\t0000000000000002\n"
    "SigBlk:\t8000000000000000\n"
    "SigIgn:\t0000000000001000\n"
    "SigCgt:\t0000000180000000\n"
    "CapInh:\t0000000000000001\n"
    "CapPrm:\t000001ffffffffff\n"
    "CapEff:\t000001fffeffffff\n"
    "CapBnd:\t0000000000000003\n"
    "CapAmb:\t0000000000000004\n"
    "NoNewPrivs:\t1\n"
    "Seccomp:\t2\n"
    "Seccomp_filters:\t3\n"
    "Speculation_Store_Bypass:\tvulnerable\n";

TEST(TaskStatusTest, EachLineFillsItsField) {
  const auto parsed = ParseTaskStatus(kStatus);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  const TaskStatus& status = parsed.value();
  EXPECT_EQ(status.name, "State: T\n");
  EXPECT_EQ(status.umask, 027U);
  EXPECT_EQ(status.state, 't');
  EXPECT_EQ(status.tgid, 42);
  EXPECT_EQ(status.pid, 43);
  EXPECT_EQ(status.ppid, 1);
  EXPECT_EQ(status.tracer_pid, 7);
  EXPECT_EQ(status.uid, (IdSet{1000, 1001, 1002, 4294967295}));
  EXPECT_EQ(status.gid, (IdSet{5, 6, 7, 8}));
  EXPECT_EQ(status.groups, (std::vector<uint32_t>{4, 20, 4294967294}));
  EXPECT_EQ(status.ns_tgid, (std::vector<pid_t>{42, 1}));
  EXPECT_EQ(status.ns_pid, (std::vector<pid_t>{43, 2}));
  EXPECT_EQ(status.ns_pgid, (std::vector<pid_t>{42, 1}));
  EXPECT_EQ(status.ns_sid, (std::vector<pid_t>{40, 0}));
  EXPECT_EQ(status.threads, 2U);
}

TEST(TaskStatusTest, EachSetFillsItsField) {
  const TaskStatus status = ParseTaskStatus(kStatus).value();
  EXPECT_EQ(status.signal_pending, 1U);
  EXPECT_EQ(status.shared_pending, 2U);
  EXPECT_EQ(status.signal_blocked, 1ULL << 63);
  EXPECT_EQ(status.signal_ignored, 0x1000U);
  EXPECT_EQ(status.signal_caught, 0x180000000U);
  EXPECT_EQ(status.cap_inheritable, 1U);
  EXPECT_EQ(status.cap_permitted, 0x1ffffffffffU);
  EXPECT_EQ(status.cap_effective, 0x1fffeffffffU);
  EXPECT_EQ(status.cap_bounding, 3U);
  EXPECT_EQ(status.cap_ambient, 4U);
  EXPECT_TRUE(status.no_new_privs);
  EXPECT_EQ(status.seccomp_mode, 2U);
  EXPECT_EQ(status.seccomp_filters, 3U);
}

TEST(TaskStatusTest, NoGroupsIsAnEmptyList) {
  std::string text(kStatus);
  text.replace(text.find("4 20 4294967294"), 15, "");
  EXPECT_TRUE(ParseTaskStatus(text).value().groups.empty());
}

TEST(TaskStatusTest, ABackslashInTheNameIsOneThatWasEscaped) {
  const std::string text =
      "Name:\ta\\\\n b\\n\n" + std::string(kStatus.substr(kStatus.find('\n') + 1));
  EXPECT_EQ(ParseTaskStatus(text).value().name, "a\\n b\n");
}

TEST(TaskStatusTest, ALineThatDoesNotParseIsNamed) {
  std::string text(kStatus);
  text.replace(text.find("1000\t1001"), 9, "1000");
  EXPECT_EQ(ParseTaskStatus(text).error().message,
            "line 9: cannot read \"Uid:\t1000\t1002\t4294967295\"");
}

TEST(TaskStatusTest, ALineThatIsMissingIsNamed) {
  std::string text(kStatus);
  text.erase(text.find("Gid:\t5"), 12);
  EXPECT_EQ(ParseTaskStatus(text).error().message, "no line \"Gid:\"");
}

TEST(TaskStatusTest, OurOwnStatusIsRead) {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  sigset_t before;
  ASSERT_EQ(sigprocmask(SIG_BLOCK, &blocked, &before), 0);
  const mode_t mask = umask(0);
  umask(mask);
  const auto status = ReadTaskStatus(getpid(), gettid());
  sigprocmask(SIG_SETMASK, &before, nullptr);
  ASSERT_TRUE(status.has_value()) << status.error().message;
  EXPECT_EQ(status.value().pid, getpid());
  EXPECT_EQ(status.value().uid.effective, geteuid());
  EXPECT_EQ(status.value().umask, mask);
  EXPECT_NE(status.value().signal_blocked & 1ULL << (SIGUSR2 - 1), 0U);
  EXPECT_EQ(status.value().ns_pid.front(), getpid());
  EXPECT_EQ(ReadTaskStatus(getpid()).value().tgid, getpid());
}

}  // namespace
}  // namespace ckpt
