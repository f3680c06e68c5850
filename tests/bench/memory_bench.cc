// Prints how fast `imgtool mem search` goes through 1 GiB of memory beside `grep -c` over the same
// pages image, and what it needs of memory for that and for a dump of 100 GB, most of it a hole of
// its pages image. The programs take turns; the inputs are made here and removed.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/file.h"
#include "imgtool/memory/sample_process.h"
#include "tests/bench/command_cost.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

constexpr uint64_t kMemoryBytes = uint64_t{1} << 30;
constexpr uint64_t kHugeBytes = uint64_t{100} << 30;
constexpr uint64_t kStart = 0x100000000000;
constexpr int kRepetitions = 5;
constexpr int kNothingFound = 1;  // exit status of grep
constexpr const char* kText = "password=hunter2";

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

void Print(const std::string& what, const CommandCost& cost, const CommandCost& yardstick) {
  fmt::print("{:<44} {:>7.3f} s {:>7.1f} MB   {:>5.0f} % of the speed of grep\n", what,
             cost.seconds, cost.memory_mb, 100 * yardstick.seconds / cost.seconds);
}

void CompareWithGrep(const std::string& path, const std::string& imgtool) {
  MakeDump(path, kMemoryBytes, MakePages(kMemoryBytes));
  std::vector<CommandCost> grep;
  std::vector<CommandCost> text;
  std::vector<CommandCost> regex;
  for (int i = 0; i < kRepetitions; ++i) {
    grep.push_back(
        RunForCost({"grep", "-c", kText, path + "/pages-1.img"}, "/dev/null", kNothingFound));
    text.push_back(RunForCost({imgtool, "mem", path, "1", "search", kText}));
    regex.push_back(
        RunForCost({imgtool, "mem", path, "1", "search", "--regex", "pass(word|phrase)=[a-z]"}));
  }
  Print("grep -c TEXT pages-1.img, 1 GiB", MedianCost(grep), MedianCost(grep));
  Print("imgtool mem search TEXT", MedianCost(text), MedianCost(grep));
  Print("imgtool mem search --regex", MedianCost(regex), MedianCost(grep));
}

void SearchHugeDump(const std::string& path, const std::string& imgtool) {
  MakeDump(path, kHugeBytes, SamplePage("begin"));
  const CommandCost cost = RunForCost({imgtool, "mem", path, "1", "search", kText});
  fmt::print("{:<44} {:>7.3f} s {:>7.1f} MB   {:.1f} GB/s\n", "imgtool mem search TEXT, 100 GiB",
             cost.seconds, cost.memory_mb, static_cast<double>(kHugeBytes) / 1e9 / cost.seconds);
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
