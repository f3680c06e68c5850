// Pages images in our memory, to compare what they hold.
#ifndef RESTORER_MAPPED_PAGES_H_
#define RESTORER_MAPPED_PAGES_H_

#include <span>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "base/file.h"
#include "base/result.h"
#include "restorer/restore_plan.h"

namespace ckpt {

class MappedPages {
 public:
  // The descriptors may be closed afterwards. The images must not shrink while this lives.
  static Result<MappedPages> Map(std::span<const UniqueFd> pages_images);

  MappedPages(MappedPages&& other) noexcept : images_(std::exchange(other.images_, {})) {}
  MappedPages& operator=(MappedPages&&) = delete;
  ~MappedPages();

  // Whether the pages at the start of both hold the same.
  bool IsSame(const PagesPlan& a, const PagesPlan& b) const;

 private:
  MappedPages() = default;

  std::vector<Bytes> images_;
};

}  // namespace ckpt

#endif  // RESTORER_MAPPED_PAGES_H_
