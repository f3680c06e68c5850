#include "imgtool/archive_walk.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace ckpt {
namespace {

// Counts what is unpacked: a small file may unpack to more than any disk holds.
TarReader::Source LimitedSource(int fd, DecompressedReader* reader, const ArchiveRules* rules) {
  return [=, read_bytes = uint64_t{0}](std::span<std::byte> buffer) mutable -> Result<size_t> {
    CKPT_TRY(const size_t got, reader->Read(buffer));
    read_bytes += got;
    const off_t packed_bytes = lseek(fd, 0, SEEK_CUR);
    CKPT_TRY(rules->CheckUnpacked(read_bytes, static_cast<uint64_t>(packed_bytes)));
    return got;
  };
}

}  // namespace

ArchiveWalk::ArchiveWalk(int fd, const std::string& name, const ArchiveLimits& limits,
                         std::unique_ptr<DecompressedReader> reader)
    : rules_(std::make_unique<ArchiveRules>(name, limits)),
      reader_(std::move(reader)),
      tar_(std::make_unique<TarReader>(name, LimitedSource(fd, reader_.get(), rules_.get()))) {}

Result<ArchiveWalk> ArchiveWalk::Open(int fd, const std::string& name,
                                      const ArchiveLimits& limits) {
  if (lseek(fd, 0, SEEK_SET) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "lseek({}, 0)", name);
  }
  CKPT_TRY(auto reader, OpenDecompressed(fd, name));
  return ArchiveWalk(fd, name, limits, std::move(reader));
}

Result<std::optional<ArchiveWalk::Member>> ArchiveWalk::Next() {
  CKPT_TRY(auto header, tar_->Next());
  if (!header) return std::optional<Member>();
  CKPT_TRY(std::string path, rules_->Admit(header->name, header->type, header->link));
  return std::optional<Member>(Member{std::move(*header), std::move(path)});
}

}  // namespace ckpt
