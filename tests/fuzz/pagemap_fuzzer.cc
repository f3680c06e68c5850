// A pagemap with its pages image, and those of a parent. Six bytes first: the length of the pagemap
// of the dump, that of its parent's (two bytes each, little-endian), how many pages a plain pages
// image has, and which of the two are compressed. Then the two pagemaps; the rest is the compressed
// pages image.
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "formats/dump_directory.h"
#include "formats/page_ranges.h"
#include "tests/fuzz/scratch_directory.h"

namespace ckpt {
namespace {

constexpr size_t kMostPagesRead = 64;

// A dump and its parent, without images.
struct TwoDumps : ScratchDirectory {
  TwoDumps() {
    for (const char* name : {"/dump", "/parent"}) {
      std::filesystem::create_directory(path() + name);
    }
    std::filesystem::create_symlink("../parent", path() + "/dump/parent");
  }
};

std::string_view Take(std::string_view& bytes, size_t length) {
  const std::string_view taken = bytes.substr(0, length);
  bytes.remove_prefix(taken.size());
  return taken;
}

void WriteDump(const ScratchDirectory& scratch, const std::string& folder, std::string_view pagemap,
               std::string_view compressed, size_t page_count) {
  scratch.Write(folder + "/pagemap-1.img", pagemap);
  std::error_code ignored;
  for (const char* name : {"/pages-1.img", "/pages-1.img.zst"}) {
    std::filesystem::remove(scratch.path() + "/" + folder + name, ignored);
  }
  if (!compressed.empty()) {
    scratch.Write(folder + "/pages-1.img.zst", compressed);
  } else {
    const std::string pages = scratch.Write(folder + "/pages-1.img", "");
    CKPT_CHECK(truncate(pages.c_str(), static_cast<off_t>(page_count * kPageBytes)) == 0);
  }
}

// Ranges ascend, and all that is not lazy can be read but for frames that are broken.
void ReadPages(const std::string& path) {
  const auto chain = OpenDumpChain(path);
  CKPT_CHECK(chain.has_value());
  const auto ranges = PageRanges::Open(chain.value(), ImageType::kPagemap, 1);
  if (ranges.has_error()) return;
  uint64_t end = 0;
  size_t read = 0;
  std::vector<std::byte> page(kPageBytes);
  for (const StoredRange& range : ranges.value().ranges()) {
    CKPT_CHECK(range.page_count > 0 && range.start >= end && range.end() > range.start);
    end = range.end();
    if (range.is_lazy || ++read > kMostPagesRead) continue;
    const auto first = ranges.value().Read(range.start, page);
    const auto last = ranges.value().Read(range.end() - kPageBytes, page);
    if (ranges.value().pages(range.layer)->is_compressed()) continue;
    CKPT_CHECK(first.has_value() && last.has_value());
  }
}

}  // namespace
}  // namespace ckpt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace ckpt;
  constexpr size_t kHead = 6;
  if (size_bytes < kHead) return 0;
  static const TwoDumps dumps;
  std::string_view rest(reinterpret_cast<const char*>(data) + kHead, size_bytes - kHead);
  const std::string_view own = Take(rest, data[0] + data[1] * 256U);
  const std::string_view older = Take(rest, data[2] + data[3] * 256U);
  WriteDump(dumps, "dump", own, (data[5] & 1) != 0 ? rest : "", data[4]);
  WriteDump(dumps, "parent", older, (data[5] & 2) != 0 ? rest : "", data[4]);
  ReadPages(dumps.path() + "/dump");
  return 0;
}
