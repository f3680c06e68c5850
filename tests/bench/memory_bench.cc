// Prints how fast `imgtool mem search` goes through 1 GiB of memory beside `grep -c` over the same
// pages image, and what it needs of memory for that and for a dump of 100 GB, most of it a hole of
// its pages image. The programs take turns; the inputs are made here and removed.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/file.h"
#include "imgtool/memory/sample_process.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

constexpr uint64_t kMemoryBytes = uint64_t{1} << 30;
constexpr uint64_t kHugeBytes = uint64_t{100} << 30;
constexpr uint64_t kStart = 0x100000000000;
constexpr int kRepetitions = 5;
constexpr const char* kText = "password=hunter2";

struct Cost {
  double seconds = 0;
  long memory_kb = 0;
};

// With its output thrown away: grep ends with 1 where there is nothing.
Cost Run(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const auto begin = std::chrono::steady_clock::now();
  const pid_t pid = fork();
  if (pid == 0) {
    const int null = open("/dev/null", O_WRONLY);
    dup2(null, STDOUT_FILENO);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(pid, &status, 0, &usage);
  CKPT_CHECK(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  return {taken.count(), usage.ru_maxrss};
}

// Memory as it is: a part zeros, a part text, a part words, a part that looks random.
std::string MakePages(size_t size_bytes) {
  std::string pages(size_bytes, '\0');
  std::mt19937_64 random(7);
  for (size_t page = 0; page < size_bytes; page += kPageBytes) {
    const unsigned kind = random() % 4;
    for (size_t at = page; kind > 0 && at < page + kPageBytes; at += sizeof(uint64_t)) {
      uint64_t word = random();
      if (kind == 1) word = 0x6161616161616161 + (word & 0x0f0f0f0f0f0f0f0f);
      if (kind == 2) word %= 100000;
      std::copy_n(reinterpret_cast<const char*>(&word), sizeof word, &pages[at]);
    }
  }
  return pages;
}

// A process with one mapping, whose pages image has `size_bytes`; those behind `pages` are a hole.
void MakeDump(const std::string& path, uint64_t size_bytes, const std::string& pages) {
  SampleDump dump(path);
  dump.Write<pb::pstree_entry>(ImageType::kPstree, 0, {SampleTreeEntry(1, {1})});
  dump.Write<pb::core_entry>(ImageType::kCore, 1, {SampleCore()});
  dump.Write<pb::mm_entry>(ImageType::kMm, 1,
                           {SampleMm({SampleVma(kStart, kStart + size_bytes, kVmaAnonPrivate)})});
  WritePages(dump, ImageType::kPagemap, 1, 1,
             {MakePagemapEntry(kStart, size_bytes / kPageBytes, kPagesPresent)}, pages);
  const std::string image = dump.Path("pages-1.img");
  CKPT_CHECK(truncate(image.c_str(), static_cast<off_t>(size_bytes)) == 0);
}

Cost Median(std::vector<Cost> costs) {
  std::ranges::sort(costs, {}, &Cost::seconds);
  return costs[costs.size() / 2];
}

void Print(const std::string& what, const Cost& cost, const Cost& yardstick) {
  fmt::print("{:<44} {:>7.3f} s {:>7.1f} MB   {:>5.0f} % of the speed of grep\n", what,
             cost.seconds, static_cast<double>(cost.memory_kb) / 1024,
             100 * yardstick.seconds / cost.seconds);
}

void CompareWithGrep(const std::string& path, const std::string& imgtool) {
  MakeDump(path, kMemoryBytes, MakePages(kMemoryBytes));
  std::vector<Cost> grep;
  std::vector<Cost> text;
  std::vector<Cost> regex;
  for (int i = 0; i < kRepetitions; ++i) {
    grep.push_back(Run({"grep", "-c", kText, path + "/pages-1.img"}));
    text.push_back(Run({imgtool, "mem", path, "1", "search", kText}));
    regex.push_back(
        Run({imgtool, "mem", path, "1", "search", "--regex", "pass(word|phrase)=[a-z]"}));
  }
  Print("grep -c TEXT pages-1.img, 1 GiB", Median(grep), Median(grep));
  Print("imgtool mem search TEXT", Median(text), Median(grep));
  Print("imgtool mem search --regex", Median(regex), Median(grep));
}

void SearchHugeDump(const std::string& path, const std::string& imgtool) {
  MakeDump(path, kHugeBytes, SamplePage("begin"));
  const Cost cost = Run({imgtool, "mem", path, "1", "search", kText});
  fmt::print("{:<44} {:>7.3f} s {:>7.1f} MB   {:.1f} GB/s\n", "imgtool mem search TEXT, 100 GiB",
             cost.seconds, static_cast<double>(cost.memory_kb) / 1024,
             static_cast<double>(kHugeBytes) / 1e9 / cost.seconds);
}

void Main() {
  const std::string imgtool = RunfilePath("imgtool/imgtool");
  const std::string work = MakeTestDirectory("memory_bench").value();
  CompareWithGrep(work + "/1", imgtool);
  SearchHugeDump(work + "/100", imgtool);
  std::filesystem::remove_all(work);
}

}  // namespace
}  // namespace ckpt

int main() { ckpt::Main(); }
