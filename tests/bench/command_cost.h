// What a run of a program costs, for benchmarks that compare programs.
#ifndef TESTS_BENCH_COMMAND_COST_H_
#define TESTS_BENCH_COMMAND_COST_H_

#include <string>
#include <vector>

namespace ckpt {

struct CommandCost {
  double seconds = 0;  // from start to end
  double processor_seconds = 0;
  double memory_mb = 0;  // the most that it had resident
};

// The program is looked up in PATH; its standard output goes to `out`. An exit status above
// `max_status` ends the benchmark.
CommandCost RunForCost(const std::vector<std::string>& arguments,
                       const std::string& out = "/dev/null", int max_status = 0);

// The one whose time is in the middle.
CommandCost MedianCost(std::vector<CommandCost> costs);

}  // namespace ckpt

#endif  // TESTS_BENCH_COMMAND_COST_H_
