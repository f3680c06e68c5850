// Pages images to and from their compressed form, by all processors.
#ifndef FORMATS_PAGE_COMPRESSION_H_
#define FORMATS_PAGE_COMPRESSION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/page_codec.h"
#include "formats/page_workers.h"
#include "formats/pages_image.h"

namespace ckpt {

// Pages that are to go into one image.
struct PagesToWrite {
  uint64_t size_bytes = 0;
  // The pages from `offset`, as many as `buffer` has room for: in it, or where they are already,
  // which then stays until the work is done. By several threads at once.
  std::function<Result<Bytes>(uint64_t offset, std::span<std::byte> buffer)> read;
  int fd = -1;       // an empty file
  std::string name;  // of that, for errors
};

struct CompressionOptions {
  int level = kDefaultPageLevel;
  size_t thread_count = DefaultThreadCount();
  PageProgress progress = {};
};

// Writes compressed pages images, and returns how many bytes they have together. What is written
// does not depend on the number of threads. Nothing is synced.
Result<uint64_t> CompressPages(std::span<const PagesToWrite> images,
                               const CompressionOptions& options);

// Writes plain ones, with holes for long runs of zeros; the level has no meaning.
Result<> WritePages(std::span<const PagesToWrite> images, const CompressionOptions& options);

// The bytes of a compressed pages image of pages that are all zeros.
Result<std::string> CompressedZeros(uint64_t size_bytes);

// All of an image. It outlives the work.
PagesToWrite PagesOf(const PagesImage& image, int fd, std::string name);

}  // namespace ckpt

#endif  // FORMATS_PAGE_COMPRESSION_H_
