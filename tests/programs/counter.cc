// Counts in memory and into a file, without a pause; every number must come once, in order.
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

double Now(clockid_t clock) {
  timespec now;
  REQUIRE(clock_gettime(clock, &now) == 0);  // through the vDSO
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

void VerifyFile(const char* path, long long count) {
  FILE* file = fopen(path, "r");
  REQUIRE(file != nullptr);
  long long expected = 1;
  for (long long number; fscanf(file, "%lld", &number) == 1; ++expected) {
    if (number == expected) continue;
    EXPECT_EQUAL(number, expected);
    break;
  }
  EXPECT_EQUAL(expected - 1, count);
}

void Run() {
  const char* path = "numbers";
  FILE* file = fopen(path, "w");
  REQUIRE(file != nullptr);
  setvbuf(file, nullptr, _IONBF, 0);
  const pid_t pid = getpid();
  const double started = Now(CLOCK_REALTIME);
  long long count = 0;
  while (!GoArrived()) {
    fprintf(file, "%lld\n", ++count);
    if (count == 1000) Ready();
    if (count % 1000 == 0) usleep(1000);  // keeps the file short
  }
  EXPECT_EQUAL(getpid(), pid);
  EXPECT(Now(CLOCK_REALTIME) >= started);
  EXPECT(Now(CLOCK_MONOTONIC) > 0);
  VerifyFile(path, count);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
