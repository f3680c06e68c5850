// The pages image of a pagemap, plain (pages-N.img) or compressed (pages-N.img.zst): bytes at
// offsets, read in bounded memory.
#ifndef FORMATS_PAGES_IMAGE_H_
#define FORMATS_PAGES_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "formats/dump_directory.h"
#include "formats/page_frames.h"

namespace ckpt {

class PagesImage {
 public:
  // That of the dump with this id. kNotFound: neither form is there. kBadFormat: both are, or the
  // seek table of a compressed one is wrong.
  static Result<PagesImage> Open(const DumpDirectory& dump, uint32_t pages_id);
  static Result<PagesImage> OpenPlain(std::string path);
  static Result<PagesImage> OpenCompressed(std::string path);

  PagesImage(PagesImage&&) noexcept;
  PagesImage& operator=(PagesImage&&) noexcept;
  ~PagesImage();

  const std::string& name() const { return name_; }  // the path
  bool is_compressed() const { return is_compressed_; }
  uint64_t size_bytes() const { return size_bytes_; }  // of the pages
  uint64_t file_bytes() const { return file_bytes_; }
  // Of the file. In a plain one the pages are at their offset.
  int fd() const { return fd_.get(); }
  // Ascending, without gaps; none of a plain one.
  const std::vector<PageFrame>& frames() const { return frames_; }

  // Fills `out` from `offset`, by any number of threads at once. Some frames are kept, so that
  // reading piece by piece decompresses each once. kBadFormat: the image ends before, or a frame is
  // broken.
  Result<> Read(uint64_t offset, std::span<std::byte> out) const;

 private:
  class FrameCache;

  PagesImage(std::string name, UniqueFd fd, uint64_t file_bytes);
  Result<> ReadSeekTable();
  Result<> ReadPlain(uint64_t offset, std::span<std::byte> out) const;
  Result<> ReadFrame(const PageFrame& frame, std::span<std::byte> pages) const;
  Result<> ReadPart(const PageFrame& frame, uint64_t offset, std::span<std::byte> out) const;

  std::string name_;
  UniqueFd fd_;
  uint64_t file_bytes_;
  uint64_t size_bytes_;
  bool is_compressed_ = false;
  std::vector<PageFrame> frames_;
  std::unique_ptr<FrameCache> cache_;  // of a compressed one
};

// As many use it.
using SharedPages = std::shared_ptr<const PagesImage>;

}  // namespace ckpt

#endif  // FORMATS_PAGES_IMAGE_H_
