// What an archive with a dump in it may hold, whoever reads it. Archives come from strangers.
#ifndef IMGTOOL_ARCHIVE_RULES_H_
#define IMGTOOL_ARCHIVE_RULES_H_

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "formats/tar_stream.h"
#include "imgtool/archive_limits.h"

namespace ckpt {

// The folder of the images in archives of podman and the like; config.dump and others are beside
// it.
inline constexpr char kCheckpointFolder[] = "checkpoint";

class ArchiveRules {
 public:
  // `name` is for errors.
  ArchiveRules(std::string name, const ArchiveLimits& limits);

  // The next member's path without "./" in front and slashes at the end. kUnsupported: a path or
  // link that leads out of the archive, or may, whatever links it passes; a device, a fifo, a file
  // that comes twice, more members than allowed, names of more than 64 MiB together.
  Result<std::string> Admit(const std::string& member, TarType type, const std::string& link);

  // After each piece that was unpacked: how many bytes that were, and what they were packed in.
  // kUnsupported: more than allowed.
  Result<> CheckUnpacked(uint64_t unpacked_bytes, uint64_t packed_bytes) const;

 private:
  std::string name_;
  ArchiveLimits limits_;
  std::set<std::string> files_;
  uint64_t member_count_ = 0;
  uint64_t name_bytes_ = 0;
};

// Below this the ratio of an archive is no matter: all of it fits into memory.
inline constexpr uint64_t kRatioFreeBytes = uint64_t{256} << 20;

// Finds out from the paths of all members whether the images are at the top of an archive or in
// checkpoint/.
class ImagePlace {
 public:
  // An image whose entries are read, wherever it lies in an archive of a dump.
  static bool HasEntries(std::string_view member_path);

  void Add(std::string_view member_path);
  // kBadFormat where there is no image, kUnsupported where there are some in both places.
  Result<bool> IsInFolder(std::string_view archive) const;

 private:
  bool in_folder_ = false;
  bool at_top_ = false;
};

}  // namespace ckpt

#endif  // IMGTOOL_ARCHIVE_RULES_H_
