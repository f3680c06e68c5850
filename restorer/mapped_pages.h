// Pages images in our memory, to compare what they hold; of compressed ones a part at a time.
#ifndef RESTORER_MAPPED_PAGES_H_
#define RESTORER_MAPPED_PAGES_H_

#include <span>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/pages_image.h"
#include "restorer/restore_plan.h"

namespace ckpt {

class MappedPages {
 public:
  // The images must not shrink while this lives.
  static Result<MappedPages> Map(std::span<const SharedPages> pages_images);

  MappedPages(MappedPages&& other) noexcept : images_(std::exchange(other.images_, {})) {}
  MappedPages& operator=(MappedPages&&) = delete;
  ~MappedPages();

  // Whether the pages at the start of both hold the same. False where a frame of a compressed image
  // is broken: who then reads the page is told.
  bool IsSame(const PagesPlan& a, const PagesPlan& b) const;

 private:
  struct Image {
    Bytes mapped;            // of a plain one
    SharedPages compressed;  // nothing for a plain one
  };

  MappedPages() = default;

  // The page is there or in `buffer`; nothing where it cannot be read.
  Bytes PageAt(const PagesPlan& run, std::span<std::byte> buffer) const;

  std::vector<Image> images_;
};

}  // namespace ckpt

#endif  // RESTORER_MAPPED_PAGES_H_
