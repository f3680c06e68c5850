// Prints how long our dump and CRIU's take for one process of several sizes, frozen and in all, and
// the ratios: all in one run, the two taking turns, the process left running. Only the ratios mean
// something on another machine.
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/image_file.h"
#include "formats/proto/stats.pb.h"
#include "tests/harness/command.h"
#include "tests/harness/engine.h"
#include "tests/harness/namespaces.h"
#include "tests/harness/subject.h"

namespace ckpt {
namespace {

struct Size {
  const char* name;
  uint64_t bytes;
};
constexpr Size kSizes[] = {
    {"1 MB", uint64_t{1} << 20},
    {"256 MB", uint64_t{256} << 20},
    {"1 GB", uint64_t{1} << 30},
};
constexpr int kRepetitions = 5;

struct Times {
  std::vector<double> frozen_ms;
  std::vector<double> total_ms;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Result<> MeasureOnce(Engine engine, pid_t pid, Times* times) {
  CKPT_TRY(const std::string images, MakeTestDirectory("ckpt-bench-images"));
  const auto begin = std::chrono::steady_clock::now();
  CKPT_TRY(Dump(engine, pid, images, AfterDump::kRunning));
  const std::chrono::duration<double, std::milli> total = std::chrono::steady_clock::now() - begin;
  CKPT_TRY(const pb::stats_entry stats, ReadSingleEntry<pb::stats_entry>(images + "/stats-dump"));
  times->frozen_ms.push_back(stats.dump().frozen_time() / 1000.0);
  times->total_ms.push_back(total.count());
  CKPT_TRY(RunCommandWell({"rm", "-r", images}));
  return success();
}

Result<Subject> StartProgram(const std::string& program, uint64_t size_bytes) {
  CKPT_TRY(const std::string workdir, MakeTestDirectory("ckpt-bench-work"));
  const std::string size = std::to_string(size_bytes);
  CKPT_TRY(WriteWholeFile(workdir + "/size", AsBytes(size), 0644));
  return Subject::Start(program, workdir);
}

void PrintRow(const Size& size, const char* what, const std::vector<double>& ours,
              const std::vector<double>& theirs) {
  printf("%-8s %-7s %10.1f %10.1f %8.2f\n", size.name, what, Median(ours), Median(theirs),
         Median(ours) / Median(theirs));
}

Result<> MeasureSize(const std::string& program, const Size& size) {
  CKPT_TRY(const Subject subject, StartProgram(program, size.bytes));
  Times ours, theirs;
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    CKPT_TRY(MeasureOnce(Engine::kOurs, subject.pid(), &ours));
    CKPT_TRY(MeasureOnce(Engine::kCriu, subject.pid(), &theirs));
  }
  PrintRow(size, "frozen", ours.frozen_ms, theirs.frozen_ms);
  PrintRow(size, "total", ours.total_ms, theirs.total_ms);
  fflush(stdout);
  return success();
}

Result<> Measure() {
  CKPT_TRY(CheckAvailable(Engine::kCriu));
  printf("medians of %d dumps each, in milliseconds\n", kRepetitions);
  printf("%-8s %-7s %10s %10s %8s\n", "memory", "time", "ours", "CRIU", "ratio");
  for (const Size& size : kSizes) {
    CKPT_TRY(MeasureSize(RunfilePath("tests/programs/holds_memory"), size));
  }
  return success();
}

int Run() {
  const Result<> measured = Measure();
  if (measured.has_value()) return 0;
  fprintf(stderr, "dump_bench: %s\n", measured.error().message.c_str());
  return static_cast<int>(measured.error().code);
}

}  // namespace
}  // namespace ckpt

int main() {
  const ckpt::Result<int> status = ckpt::RunInNamespaces(ckpt::Run);
  if (status.has_value()) return status.value();
  fprintf(stderr, "dump_bench: %s\n", status.error().message.c_str());
  return static_cast<int>(status.error().code);
}
