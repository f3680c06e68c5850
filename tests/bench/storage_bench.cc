// Prints what compressing and decompressing the pages of a dump costs beside `zstd -T0` at the same
// level over the same bytes. The programs take turns; the inputs are made here and removed.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/proto/inventory.pb.h"
#include "imgtool/sample_dump.h"
#include "tests/bench/command_cost.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPagesBytes = size_t{1} << 30;
constexpr int kRepetitions = 5;
constexpr int kLevels[] = {1, 3};

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
  std::vector<CommandCost> ours;
  std::vector<CommandCost> zstd;
};

void Print(const std::string& what, const Times& times) {
  const double ours = MedianCost(times.ours).seconds;
  const double zstd = MedianCost(times.zstd).seconds;
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
  const auto unpack_by_zstd = [&] {
    sync();
    decompress.zstd.push_back(RunForCost(
        {"sh", "-c",
         fmt::format("zstd -q -f -d -T0 {} -o {} && sync {}", packed, unpacked, unpacked)}));
    fs::remove(unpacked);
  };
  const auto unpack_by_imgtool = [&] {
    sync();
    decompress.ours.push_back(
        RunForCost({imgtool, "decompress", work + "/out", "-o", work + "/back"}));
    fs::remove_all(work + "/back");
  };
  for (int i = 0; i < kRepetitions; ++i) {
    sync();
    compress.zstd.push_back(RunForCost(
        {"sh", "-c",
         fmt::format("zstd -q -f -T0 -{} {} -o {} && sync {}", level, plain, packed, packed)}));
    sync();
    compress.ours.push_back(RunForCost({imgtool, "compress", work + "/dump", "-o", work + "/out",
                                        "--level", std::to_string(level)}));
    // Who goes second may find less memory at hand.
    if (i % 2 == 0) unpack_by_zstd();
    unpack_by_imgtool();
    if (i % 2 != 0) unpack_by_zstd();
    if (i + 1 == kRepetitions) {
      fmt::print("level {}: 1 GiB becomes {:.1f} MiB, with zstd {:.1f} MiB\n", level,
                 static_cast<double>(fs::file_size(work + "/out/pages-1.img.zst")) / (1 << 20),
                 static_cast<double>(fs::file_size(packed)) / (1 << 20));
    }
    fs::remove_all(work + "/out");
    fs::remove(packed);
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
