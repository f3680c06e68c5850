#include "tests/bench/command_cost.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace ckpt {

namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

CommandCost RunForCost(const std::vector<std::string>& arguments, const std::string& out,
                       int max_status) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  // What an earlier command wrote is not to be freed at this one's cost.
  std::error_code ignored;
  if (std::filesystem::is_regular_file(out, ignored)) std::filesystem::remove(out, ignored);
  const auto begin = std::chrono::steady_clock::now();
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDOUT_FILENO);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(pid, &status, 0, &usage);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  if (!WIFEXITED(status) || WEXITSTATUS(status) > max_status) {
    fmt::print(stderr, "{} failed\n", fmt::join(arguments, " "));
    std::exit(1);
  }
  return {taken.count(), Seconds(usage.ru_utime) + Seconds(usage.ru_stime),
          static_cast<double>(usage.ru_maxrss) / 1024};
}

CommandCost MedianCost(std::vector<CommandCost> costs) {
  std::ranges::sort(costs, {}, &CommandCost::seconds);
  return costs[costs.size() / 2];
}

}  // namespace ckpt
