#include "tests/storage/split_dump.h"

#include <filesystem>
#include <vector>

#include "base/file.h"
#include "formats/dump_directory.h"
#include "formats/image_file.h"
#include "formats/image_writer.h"
#include "formats/page_ranges.h"
#include "formats/pagemap.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

std::string LayerPath(const std::string& path, size_t layer) {
  return layer == 0 ? path : fmt::format("{}.{}", path, layer);
}

// A page that is the turn of an older layer is in the parent of all that are younger.
Result<> WriteLayer(const std::string& path, const DumpImage& pagemap, const PageRanges& pages,
                    uint32_t pages_id, size_t layer, size_t layers) {
  ImageEncoder image(pagemap.image.type);
  pb::pagemap_head head;
  head.set_pages_id(pages_id);
  CKPT_TRY(image.Append(head));
  std::string content;
  size_t turn = 0;
  for (const StoredRange& range : pages.ranges()) {
    for (uint64_t at = range.start; at < range.end(); at += kPageBytes, ++turn) {
      if (turn % layers < layer) continue;
      const bool is_here = turn % layers == layer;
      CKPT_TRY(image.Append(MakePagemapEntry(at, 1, is_here ? kPagesPresent : kPagesInParent)));
      if (!is_here) continue;
      std::string page(kPageBytes, '\0');
      CKPT_TRY(pages.Read(at, std::as_writable_bytes(std::span(page))));
      content += page;
    }
  }
  CKPT_TRY(WriteImageFile(path + "/" + pagemap.file_name, image));
  const std::string pages_path = path + "/" + ImageFileName(ImageType::kPages, pages_id);
  return WriteWholeFile(pages_path, AsBytes(content), 0600);
}

}  // namespace

Result<> SplitDump(const std::string& path, size_t layers) {
  CKPT_TRY(const std::vector<DumpDirectory> chain, OpenDumpChain(path));
  const std::string inventory = ImageFileName(ImageType::kInventory);
  for (size_t layer = 1; layer < layers; ++layer) {
    fs::create_directory(LayerPath(path, layer));
    fs::copy_file(path + "/" + inventory, LayerPath(path, layer) + "/" + inventory);
  }
  for (size_t layer = 0; layer + 1 < layers; ++layer) {
    const std::string parent = fs::path(LayerPath(path, layer + 1)).filename();
    fs::create_directory_symlink("../" + parent, LayerPath(path, layer) + "/" + kParentLink);
  }
  for (const DumpImage& image : chain.front().images()) {
    const ImageType type = image.image.type;
    if (type != ImageType::kPagemap && type != ImageType::kShmemPagemap) continue;
    CKPT_TRY(const PageRanges pages, PageRanges::Open(chain, type, image.image.id));
    CKPT_TRY(const ImageFile old, chain.front().Read(type, image.image.id));
    CKPT_TRY(const auto head, ParseSingleEntry<pb::pagemap_head>(old));
    // The youngest last: its pages are read from where they still are.
    for (size_t layer = layers; layer-- > 0;) {
      CKPT_TRY(WriteLayer(LayerPath(path, layer), image, pages, head.pages_id(), layer, layers));
    }
  }
  return success();
}

}  // namespace ckpt
