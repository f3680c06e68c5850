#include "process/task_stat.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>

namespace ckpt {
namespace {

// Field N holds the number N, but for the first three and those of 32 bits that N does not fit.
std::string StatLine(std::string_view comm) {
  std::string line = fmt::format("1 ({}) S", comm);
  for (int field = 4; field <= 52; ++field) line += fmt::format(" {}", field);
  return line + "\n";
}

TEST(TaskStatTest, EachFieldIsTheOneOfItsNumber) {
  const auto parsed = ParseTaskStat(StatLine("x"));
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  const TaskStat& stat = parsed.value();
  EXPECT_EQ(stat.pid, 1);
  EXPECT_EQ(stat.comm, "x");
  EXPECT_EQ(stat.state, 'S');
  EXPECT_EQ(stat.ppid, 4);
  EXPECT_EQ(stat.tpgid, 8);
  EXPECT_EQ(stat.flags, 9U);
  EXPECT_EQ(stat.cstime_ticks, 17);
  EXPECT_EQ(stat.nice, 19);
  EXPECT_EQ(stat.num_threads, 20);
  EXPECT_EQ(stat.start_time_ticks, 22U);
  EXPECT_EQ(stat.rss_limit_bytes, 25U);
  EXPECT_EQ(stat.start_code, 26U);
  EXPECT_EQ(stat.start_stack, 28U);
  EXPECT_EQ(stat.kstkeip, 30U);
  EXPECT_EQ(stat.wchan, 35U);
  EXPECT_EQ(stat.exit_signal, 38);
  EXPECT_EQ(stat.processor, 39);
  EXPECT_EQ(stat.rt_priority, 40U);
  EXPECT_EQ(stat.policy, 41U);
  EXPECT_EQ(stat.cguest_time_ticks, 44);
  EXPECT_EQ(stat.start_data, 45U);
  EXPECT_EQ(stat.start_brk, 47U);
  EXPECT_EQ(stat.env_end, 51U);
  EXPECT_EQ(stat.exit_code, 52);
}

TEST(TaskStatTest, ACommMayLookLikeTheRestOfTheLine) {
  for (const char* comm : {"a b", "a) R 1", ")", "", "(((", "new\nline", "\xff"}) {
    const auto stat = ParseTaskStat(StatLine(comm));
    ASSERT_TRUE(stat.has_value()) << stat.error().message;
    EXPECT_EQ(stat.value().comm, comm);
    EXPECT_EQ(stat.value().ppid, 4);
  }
}

TEST(TaskStatTest, TheFirstFieldThatIsWrongIsNamed) {
  EXPECT_EQ(ParseTaskStat("1 (x) S 4 5").error().message,
            "field 6 of 52 is missing or out of range");
  EXPECT_EQ(ParseTaskStat("1 (x) SS 4 5").error().message,
            "field 3 of 52 is missing or out of range");
  EXPECT_EQ(ParseTaskStat("1 (x) S 4294967296 5").error().message,
            "field 4 of 52 is missing or out of range");
  EXPECT_EQ(ParseTaskStat("1 (x S").error().message, "field 2 (comm) has no closing bracket");
  EXPECT_EQ(ParseTaskStat("x").error().message, "found \"x\", expected \"pid (comm) ...\"");
}

TEST(TaskStatTest, NoProperPrefixIsAccepted) {
  const std::string line = StatLine("x");
  // The last digit of the last field can be cut unnoticed, the newline too.
  for (size_t size = 0; size + 2 < line.size(); ++size) {
    EXPECT_TRUE(ParseTaskStat(line.substr(0, size)).has_error()) << size;
  }
}

TEST(TaskStatTest, OurOwnStatIsRead) {
  prctl(PR_SET_NAME, "od)d (name");
  const auto stat = ReadTaskStat(getpid());
  ASSERT_TRUE(stat.has_value()) << stat.error().message;
  EXPECT_EQ(stat.value().pid, getpid());
  EXPECT_EQ(stat.value().comm, "od)d (name");
  EXPECT_EQ(stat.value().ppid, getppid());
  EXPECT_EQ(stat.value().nice, getpriority(PRIO_PROCESS, 0));
  EXPECT_GT(stat.value().start_stack, stat.value().start_brk);
  EXPECT_EQ(ReadTaskStat(getpid(), gettid()).value().state, 'R');
}

}  // namespace
}  // namespace ckpt
