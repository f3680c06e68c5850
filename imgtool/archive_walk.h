// The members of an archive with a dump in it, as they come, held to what such an archive may have.
#ifndef IMGTOOL_ARCHIVE_WALK_H_
#define IMGTOOL_ARCHIVE_WALK_H_

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "formats/compressed_stream.h"
#include "formats/tar_stream.h"
#include "imgtool/archive_limits.h"
#include "imgtool/archive_rules.h"

namespace ckpt {

class ArchiveWalk {
 public:
  // Reads from the start of a file, whose descriptor stays the caller's. `name` is for errors.
  static Result<ArchiveWalk> Open(int fd, const std::string& name, const ArchiveLimits& limits);

  struct Member {
    TarMember header;
    std::string path;
  };

  // The next member, nothing at the end. Errors are those of TarReader and ArchiveRules.
  Result<std::optional<Member>> Next();

  // For the data of the current member.
  TarReader& tar() { return *tar_; }
  Compression compression() const { return reader_->compression(); }

 private:
  ArchiveWalk(int fd, const std::string& name, const ArchiveLimits& limits,
              std::unique_ptr<DecompressedReader> reader);

  std::unique_ptr<ArchiveRules> rules_;
  std::unique_ptr<DecompressedReader> reader_;
  std::unique_ptr<TarReader> tar_;
};

}  // namespace ckpt

#endif  // IMGTOOL_ARCHIVE_WALK_H_
