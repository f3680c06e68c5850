// The members of a tar archive, plain or compressed, as they come from any InputSource. libarchive
// reads them; see ArchiveRules for what it may find.
#ifndef IMGTOOL_ARCHIVE_READER_H_
#define IMGTOOL_ARCHIVE_READER_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>

#include "base/byte_reader.h"
#include "base/progress.h"
#include "base/result.h"
#include "formats/compressed_stream.h"
#include "imgtool/archive_limits.h"
#include "imgtool/archive_rules.h"
#include "imgtool/input_source.h"

struct archive;

namespace ckpt {

// How many of the first bytes LooksLikeArchive() wants to see: a block of tar.
inline constexpr size_t kArchiveHeadBytes = kTarBlockBytes;

// Compressed, or a block of tar by its checksum, the name of the file being no matter.
bool LooksLikeArchive(Bytes head);

struct ArchiveMember {
  std::string path;  // as ArchiveRules::Admit() gives it
  TarType type = TarType::kFile;
  std::string link;  // of links: where they lead
  uint64_t size_bytes = 0;
  mode_t mode = 0;  // permissions
  uid_t uid = 0;
  gid_t gid = 0;
  timespec modified{};
};

class ArchiveReader {
 public:
  // The source must outlive the reader. Progress is shown of a regular file.
  static Result<std::unique_ptr<ArchiveReader>> Open(InputSource& source,
                                                     const ArchiveLimits& limits);

  const std::string& name() const { return source_.name(); }

  // The next member, nothing at the end. kBadFormat: what is no archive, or is cut short;
  // kUnsupported: what ArchiveRules refuses.
  Result<std::optional<ArchiveMember>> Next();

  // Of the current member, whether it is read or passed over.
  struct Piece {
    Bytes bytes;
    uint64_t offset = 0;
  };
  // What is between pieces, and behind the last one, are zeros. Nothing at the end.
  Result<std::optional<Piece>> ReadPiece();
  // Passes over what is left of it, by seeking where that can be.
  Result<> PassOver();

 private:
  struct Release {
    void operator()(archive* reader) const;
  };

  ArchiveReader(InputSource& source, const ArchiveLimits& limits);

  static ssize_t ReadBlock(archive* reader, void* self, const void** bytes);
  static int64_t SkipBytes(archive* reader, void* self, int64_t size_bytes);

  Result<> Start(Bytes head);
  Error Failure() const;
  Result<> CheckLimits(uint64_t more_bytes = 0) const;

  InputSource& source_;
  ArchiveRules rules_;
  std::unique_ptr<archive, Release> archive_;
  bool is_compressed_ = false;
  uint64_t content_bytes_ = 0;  // of all members so far, holes and all
  std::string member_;
  std::optional<Error> read_error_;
  Progress progress_{"reading the archive"};
};

}  // namespace ckpt

#endif  // IMGTOOL_ARCHIVE_READER_H_
