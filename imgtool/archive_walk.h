// The members of an archive with a dump in it, as they come, held to what such an archive may have.
#ifndef IMGTOOL_ARCHIVE_WALK_H_
#define IMGTOOL_ARCHIVE_WALK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "base/result.h"
#include "formats/compressed_stream.h"
#include "formats/tar_stream.h"
#include "imgtool/archive_limits.h"

namespace ckpt {

// A member's path without "./" in front and slashes at the end. kUnsupported: an absolute path, or
// one with "..", which would lead out of the archive.
Result<std::string> MemberPath(const TarMember& member);

class ArchiveWalk {
 public:
  // Reads from the start of a file, whose descriptor stays the caller's. `name` is for errors.
  static Result<ArchiveWalk> Open(int fd, const std::string& name, const ArchiveLimits& limits);

  struct Member {
    TarMember header;
    std::string path;
  };

  // The next member, nothing at the end. Errors are those of TarReader. kUnsupported: a path or
  // link that leads out of the archive, a device, a fifo, a file that comes twice, a limit that is
  // exceeded.
  Result<std::optional<Member>> Next();

  // For the data of the current member.
  TarReader& tar() { return *tar_; }
  Compression compression() const { return reader_->compression(); }

 private:
  ArchiveWalk(std::string name, const ArchiveLimits& limits,
              std::unique_ptr<DecompressedReader> reader);

  Result<> Check(const Member& member);

  std::string name_;
  ArchiveLimits limits_;
  std::unique_ptr<DecompressedReader> reader_;
  std::unique_ptr<TarReader> tar_;
  std::set<std::string> files_;
  uint64_t member_count_ = 0;
};

}  // namespace ckpt

#endif  // IMGTOOL_ARCHIVE_WALK_H_
