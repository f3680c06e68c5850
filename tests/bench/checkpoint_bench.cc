// Prints how long our dumps and restores take and CRIU's, and the ratios: all in one run, the two
// taking turns. Only the ratios mean something on another machine.
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
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

// What tests/programs/load.cc is to hold.
struct Load {
  const char* name;
  const char* text;
};
constexpr Load kLoads[] = {
    {"1 process, 1 MB", "memory 1048576"},
    {"256 MB", "memory 268435456"},
    {"1 GB", "memory 1073741824"},
    {"100 processes", "processes 99"},
    {"500 threads", "threads 499"},
    {"10,000 VMAs", "mappings 10000"},
    {"2,000 descriptors", "descriptors 2000"},
};
constexpr int kRepetitions = 5;
constexpr Engine kEngines[] = {Engine::kOurs, Engine::kCriu};

using Samples = std::vector<double>;  // milliseconds

// Of one engine.
struct Times {
  Samples frozen;
  Samples dump;
  Samples restore;
};

double Median(Samples samples) {
  std::sort(samples.begin(), samples.end());
  return samples[samples.size() / 2];
}

template <typename Work>
Result<double> Milliseconds(Work work) {
  const auto begin = std::chrono::steady_clock::now();
  CKPT_TRY(work());
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
  return taken.count();
}

// All but this process, which is the first of its namespace, and waits until they are gone.
void EndAll() {
  kill(-1, SIGKILL);
  while (wait(nullptr) > 0) {
  }
}

Result<> MeasureDump(Engine engine, pid_t pid, Times* times) {
  CKPT_TRY(const std::string images, MakeTestDirectory("ckpt-bench-images"));
  CKPT_TRY(const double dump, Milliseconds([&] {
             // As the harness has it for CRIU.
             return Dump(engine, pid, images, AfterDump::kRunning, {"--manage-cgroups=ignore"});
           }));
  CKPT_TRY(const pb::stats_entry stats, ReadSingleEntry<pb::stats_entry>(images + "/stats-dump"));
  times->frozen.push_back(stats.dump().frozen_time() / 1000.0);
  times->dump.push_back(dump);
  CKPT_TRY(RunCommandWell({"rm", "-r", images}));
  return success();
}

// The same images for both.
Result<> MeasureRestore(Engine engine, const std::string& images, Times* times) {
  CKPT_TRY(const double restore, Milliseconds([&]() -> Result<> {
             CKPT_TRY(Restore(engine, images));
             return success();
           }));
  times->restore.push_back(restore);
  EndAll();
  return success();
}

Result<Subject> StartLoad(const Load& load) {
  CKPT_TRY(const std::string workdir, MakeTestDirectory("ckpt-bench-work"));
  CKPT_TRY(WriteWholeFile(workdir + "/load", AsBytes(std::string_view(load.text)), 0644));
  return Subject::Start(RunfilePath("tests/programs/load"), workdir);
}

void PrintRow(const Load& load, const char* what, const Samples& ours, const Samples& theirs) {
  printf("%-18s %-8s %10.1f %10.1f %8.2f\n", load.name, what, Median(ours), Median(theirs),
         Median(ours) / Median(theirs));
}

Result<> Measure(const Load& load) {
  CKPT_TRY(Subject subject, StartLoad(load));
  Times times[std::size(kEngines)];
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    for (const Engine engine : kEngines) {
      CKPT_TRY(MeasureDump(engine, subject.pid(), &times[static_cast<size_t>(engine)]));
    }
  }
  CKPT_TRY(const std::string images, MakeTestDirectory("ckpt-bench-images"));
  CKPT_TRY(Dump(Engine::kOurs, subject.pid(), images));
  CKPT_TRY(subject.AwaitEnd());
  EndAll();
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    for (const Engine engine : kEngines) {
      CKPT_TRY(MeasureRestore(engine, images, &times[static_cast<size_t>(engine)]));
    }
  }
  const Times& ours = times[static_cast<size_t>(Engine::kOurs)];
  const Times& theirs = times[static_cast<size_t>(Engine::kCriu)];
  PrintRow(load, "frozen", ours.frozen, theirs.frozen);
  PrintRow(load, "dump", ours.dump, theirs.dump);
  PrintRow(load, "restore", ours.restore, theirs.restore);
  fflush(stdout);
  CKPT_TRY(RunCommandWell({"rm", "-r", images}));
  return success();
}

// Of the loads whose name contains `wanted`.
Result<> MeasureAll(std::string_view wanted) {
  CKPT_TRY(CheckAvailable(Engine::kCriu));
  printf("medians of %d, in milliseconds\n", kRepetitions);
  printf("%-18s %-8s %10s %10s %8s\n", "load", "time", "ours", "CRIU", "ratio");
  for (const Load& load : kLoads) {
    if (std::string_view(load.name).find(wanted) != std::string_view::npos) {
      CKPT_TRY(Measure(load));
    }
  }
  return success();
}

int Run(std::string_view wanted) {
  const Result<> measured = MeasureAll(wanted);
  if (measured.has_value()) return 0;
  fprintf(stderr, "checkpoint_bench: %s\n", measured.error().message.c_str());
  return static_cast<int>(measured.error().code);
}

}  // namespace
}  // namespace ckpt

// Usage: checkpoint_bench [PART-OF-A-NAME]
int main(int argc, char** argv) {
  const std::string_view wanted = argc > 1 ? argv[1] : "";
  const ckpt::Result<int> status = ckpt::RunInNamespaces([&] { return ckpt::Run(wanted); });
  if (status.has_value()) return status.value();
  fprintf(stderr, "checkpoint_bench: %s\n", status.error().message.c_str());
  return static_cast<int>(status.error().code);
}
