// Prints how long our dumps and restores take and CRIU's, and the ratios: all in one run, the two
// taking turns. Only the ratios mean something on another machine.
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "formats/image_file.h"
#include "formats/proto/stats.pb.h"
#include "tests/harness/command.h"
#include "tests/harness/container.h"
#include "tests/harness/engine.h"
#include "tests/harness/namespaces.h"
#include "tests/harness/subject.h"

namespace ckpt {
namespace {

// What tests/programs/load.cc is to hold, or a container.
struct Load {
  const char* name;
  const char* text;  // nullptr: the program waits in a container
  ContainerOptions container = {};
  int repetitions = 5;
  std::vector<std::string> our_options = {};  // of the dump
};
const Load kLoads[] = {
    // Of what is short a late wake-up of the machine is a part: more of it, for the median.
    {.name = "1 process, 1 MB", .text = "memory 1048576", .repetitions = 21},
    {"256 MB", "memory 268435456"},
    {.name = "256 MB, --no-snapshot", .text = "memory 268435456", .our_options = {"--no-snapshot"}},
    {"1 GB", "memory 1073741824"},
    {.name = "1 GB, --no-snapshot", .text = "memory 1073741824", .our_options = {"--no-snapshot"}},
    {"100 processes", "processes 99"},
    {"500 threads", "threads 499"},
    {"10,000 VMAs", "mappings 10000"},
    {.name = "2,000 descriptors", .text = "descriptors 2000", .repetitions = 11},
    {"2,000 bind mounts", nullptr, {.program = "blocked", .bind_mounts = 2000}},
    // As in the scenario, but that CRIU could not dump mappings of a layer.
    {"container on layers",
     nullptr,
     {.program = "blocked", .root = ContainerRoot::kLayers, .under_init = true}},
};
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

// A process to dump, and what its dumps and restores have to be told.
struct Target {
  std::optional<Container> container;
  std::optional<Subject> subject;
  // As the harness has it for CRIU.
  std::vector<std::string> dump_options = {"--manage-cgroups=ignore"};
  std::vector<std::string> restore_options = {"--manage-cgroups=ignore"};
  std::vector<std::string> our_options = {};

  pid_t pid() const { return container ? container->pid() : subject->pid(); }
};

Result<> MeasureDump(Engine engine, const Target& target, Times* times) {
  CKPT_TRY(const std::string images, MakeTestDirectory("ckpt-bench-images"));
  std::vector<std::string> options = target.dump_options;
  // It would run iptables on a network namespace of the tree's own, which is not there.
  if (engine == Engine::kCriu) options.insert(options.end(), {"--network-lock", "skip"});
  if (engine == Engine::kOurs) {
    options.insert(options.end(), target.our_options.begin(), target.our_options.end());
  }
  CKPT_TRY(const double dump, Milliseconds([&] {
             return Dump(engine, target.pid(), images, ProcessAfter::kRunning, options);
           }));
  CKPT_TRY(const pb::stats_entry stats, ReadSingleEntry<pb::stats_entry>(images + "/stats-dump"));
  times->frozen.push_back(stats.dump().frozen_time() / 1000.0);
  times->dump.push_back(dump);
  CKPT_TRY(RunCommandWell({"rm", "-r", images}));
  return success();
}

// The same images for both.
Result<> MeasureRestore(Engine engine, const Target& target, const std::string& images,
                        Times* times) {
  CKPT_TRY(const double restore, Milliseconds([&]() -> Result<> {
             CKPT_TRY(Restore(engine, images, target.restore_options));
             return success();
           }));
  times->restore.push_back(restore);
  EndAll();
  return success();
}

Result<> StartContainer(const Load& load, Target* target) {
  CKPT_TRY(Container container, Container::Start("ckpt-bench-container", load.container));
  target->restore_options.insert(target->restore_options.end(), {"--root", container.root()});
  for (const std::string file : {"hosts", "resolv.conf", "hostname"}) {
    target->dump_options.insert(target->dump_options.end(),
                                {"--external", fmt::format("mnt[/etc/{0}]:{0}", file)});
    target->restore_options.insert(
        target->restore_options.end(),
        {"--external", fmt::format("mnt[{}]:{}", file, container.HostFile(file))});
  }
  target->container.emplace(std::move(container));
  return success();
}

Result<> StartProgram(const Load& load, Target* target) {
  CKPT_TRY(const std::string workdir, MakeTestDirectory("ckpt-bench-work"));
  CKPT_TRY(WriteWholeFile(workdir + "/load", AsBytes(std::string_view(load.text)), 0644));
  CKPT_TRY(Subject subject, Subject::Start(RunfilePath("tests/programs/load"), workdir));
  target->subject.emplace(std::move(subject));
  return success();
}

void PrintRow(const Load& load, const char* what, const Samples& ours, const Samples& theirs) {
  printf("%-20s %5zu %-8s %10.2f %10.2f %8.2f\n", load.name, ours.size(), what, Median(ours),
         Median(theirs), Median(ours) / Median(theirs));
}

Result<> Measure(const Load& load) {
  Target target;
  target.our_options = load.our_options;
  CKPT_TRY(load.text == nullptr ? StartContainer(load, &target) : StartProgram(load, &target));
  Times times[std::size(kEngines)];
  for (int repetition = 0; repetition < load.repetitions; ++repetition) {
    for (const Engine engine : kEngines) {
      CKPT_TRY(MeasureDump(engine, target, &times[static_cast<size_t>(engine)]));
    }
  }
  CKPT_TRY(const std::string images, MakeTestDirectory("ckpt-bench-images"));
  CKPT_TRY(Dump(Engine::kOurs, target.pid(), images, ProcessAfter::kGone, target.dump_options));
  EndAll();
  for (int repetition = 0; repetition < load.repetitions; ++repetition) {
    for (const Engine engine : kEngines) {
      CKPT_TRY(MeasureRestore(engine, target, images, &times[static_cast<size_t>(engine)]));
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
  printf("medians, in milliseconds\n");
  printf("%-20s %5s %-8s %10s %10s %8s\n", "load", "runs", "time", "ours", "CRIU", "ratio");
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
