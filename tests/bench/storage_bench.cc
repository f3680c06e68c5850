// Prints what compressing and decompressing the pages of a dump costs beside `zstd -T0` at the same
// level over the same bytes. The programs take turns; the inputs are made here and removed.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/proto/inventory.pb.h"
#include "imgtool/sample_dump.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPagesBytes = size_t{1} << 30;
constexpr int kRepetitions = 5;
constexpr int kLevels[] = {1, 3};

double Run(const std::vector<std::string>& arguments) {
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
  waitpid(pid, &status, 0);
  CKPT_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double Median(std::vector<double> seconds) {
  std::ranges::sort(seconds);
  return seconds[seconds.size() / 2];
}

// Memory as it is: a part zeros, a part that cannot be compressed, the rest records.
void MakeDump(const std::string& path) {
  SampleDump dump(path);
  pb::inventory_entry inventory;
  inventory.set_img_version(2);
  dump.Write<pb::inventory_entry>(ImageType::kInventory, 0, {inventory});
  std::mt19937_64 random(7);
  const UniqueFd fd = OpenFile(dump.Path("pages-1.img"), O_WRONLY | O_CREAT, 0644).value();
  std::string piece(size_t{1} << 20, '\0');
  for (size_t written = 0; written < kPagesBytes; written += piece.size()) {
    for (size_t page = 0; page < piece.size(); page += 4096) {
      const unsigned kind = random() % 4;
      for (size_t at = page; at < page + 4096; at += sizeof(uint64_t)) {
        const uint64_t word = kind == 0 ? 0 : kind == 1 ? random() : random() % 1000 * 0x0101010101;
        std::copy_n(reinterpret_cast<const char*>(&word), sizeof word, &piece[at]);
      }
    }
    CKPT_CHECK(WriteAll(fd.get(), AsBytes(piece), "pages").has_value());
  }
}

struct Times {
  std::vector<double> ours;
  std::vector<double> zstd;
};

void Print(const std::string& what, const Times& times) {
  const double ours = Median(times.ours);
  const double zstd = Median(times.zstd);
  fmt::print("{:<24} {:>8.3f} s   zstd -T0 {:>8.3f} s   ratio {:>5.2f}   (aim: at most 1.10)\n",
             what, ours, zstd, ours / zstd);
  std::fflush(stdout);
}

// zstd syncs nothing; what we write is synced before it gets its name. So a sync is added there,
// and what the disk still has to do is done before each run.
void Measure(const std::string& imgtool, const std::string& work, int level) {
  const std::string plain = work + "/dump/pages-1.img";
  const std::string packed = work + "/pages.zst";
  const std::string unpacked = work + "/pages";
  Times compress;
  Times decompress;
  for (int i = 0; i < kRepetitions; ++i) {
    sync();
    compress.zstd.push_back(
        Run({"sh", "-c",
             fmt::format("zstd -q -f -T0 -{} {} -o {} && sync {}", level, plain, packed, packed)}));
    sync();
    compress.ours.push_back(Run({imgtool, "compress", work + "/dump", "-o", work + "/out",
                                 "--level", std::to_string(level)}));
    sync();
    decompress.zstd.push_back(
        Run({"sh", "-c",
             fmt::format("zstd -q -f -d -T0 {} -o {} && sync {}", packed, unpacked, unpacked)}));
    sync();
    decompress.ours.push_back(Run({imgtool, "decompress", work + "/out", "-o", work + "/back"}));
    if (i + 1 == kRepetitions) {
      fmt::print("level {}: 1 GiB becomes {:.1f} MiB, with zstd {:.1f} MiB\n", level,
                 static_cast<double>(fs::file_size(work + "/out/pages-1.img.zst")) / (1 << 20),
                 static_cast<double>(fs::file_size(packed)) / (1 << 20));
    }
    fs::remove_all(work + "/out");
    fs::remove_all(work + "/back");
    fs::remove(packed);
    fs::remove(unpacked);
  }
  Print(fmt::format("compress --level {}", level), compress);
  Print(fmt::format("decompress (level {})", level), decompress);
}

int Main() {
  const auto work = MakeTestDirectory("storage_bench");
  CKPT_CHECK(work.has_value());
  MakeDump(work.value() + "/dump");
  for (const int level : kLevels) {
    Measure(RunfilePath("imgtool/imgtool"), work.value(), level);
  }
  fs::remove_all(work.value());
  return 0;
}

}  // namespace
}  // namespace ckpt

int main() { return ckpt::Main(); }
