#include "imgtool/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "formats/tar_header.h"

namespace ckpt {
namespace {

int FilterOf(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return ARCHIVE_FILTER_NONE;
    case Compression::kGzip:
      return ARCHIVE_FILTER_GZIP;
    case Compression::kBzip2:
      return ARCHIVE_FILTER_BZIP2;
    case Compression::kXz:
      return ARCHIVE_FILTER_XZ;
    case Compression::kZstd:
      return ARCHIVE_FILTER_ZSTD;
  }
  return ARCHIVE_FILTER_NONE;
}

// Names are bytes here; libarchive has them as such only where the locale can spell them.
std::string Text(const char* bytes, const char* utf8) {
  if (bytes != nullptr) return bytes;
  return utf8 != nullptr ? utf8 : "";
}

TarType TypeOf(archive_entry* entry) {
  if (archive_entry_hardlink(entry) != nullptr) return TarType::kHardLink;
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
      return TarType::kFile;
    case AE_IFDIR:
      return TarType::kDirectory;
    case AE_IFLNK:
      return TarType::kSymlink;
    case AE_IFCHR:
      return TarType::kCharacterDevice;
    case AE_IFBLK:
      return TarType::kBlockDevice;
    default:
      return TarType::kFifo;
  }
}

std::string LinkOf(archive_entry* entry, TarType type) {
  if (type == TarType::kHardLink) {
    return Text(archive_entry_hardlink(entry), archive_entry_hardlink_utf8(entry));
  }
  return Text(archive_entry_symlink(entry), archive_entry_symlink_utf8(entry));
}

}  // namespace

bool LooksLikeArchive(Bytes head) {
  if (IdentifyCompression(head) != Compression::kNone) return true;
  return head.size() >= kTarBlockBytes && TarChecksumHolds(AsText(head.first(kTarBlockBytes)));
}

void ArchiveReader::Release::operator()(archive* reader) const { archive_read_free(reader); }

ArchiveReader::ArchiveReader(InputSource& source, const ArchiveLimits& limits)
    : source_(source), rules_(source.name(), limits), archive_(archive_read_new()) {}

Result<std::unique_ptr<ArchiveReader>> ArchiveReader::Open(InputSource& source,
                                                           const ArchiveLimits& limits) {
  std::unique_ptr<ArchiveReader> reader(new ArchiveReader(source, limits));
  CKPT_TRY(const Bytes head, source.Peek(kArchiveHeadBytes));
  CKPT_TRY(reader->Start(head));
  return reader;
}

// Only the compressions and the format that were asked for: libarchive knows dozens more, each with
// code that strangers could reach.
Result<> ArchiveReader::Start(Bytes head) {
  const Compression compression = IdentifyCompression(head);
  is_compressed_ = compression != Compression::kNone;
  archive_read_support_format_tar(archive_.get());
  archive_read_support_format_empty(archive_.get());
  if (is_compressed_) archive_read_append_filter(archive_.get(), FilterOf(compression));
  archive_read_set_callback_data(archive_.get(), this);
  archive_read_set_read_callback(archive_.get(), ReadBlock);
  archive_read_set_skip_callback(archive_.get(), SkipBytes);
  if (archive_read_open1(archive_.get()) != ARCHIVE_OK) return Failure();
  return success();
}

ssize_t ArchiveReader::ReadBlock(archive* reader, void* self, const void** bytes) {
  ArchiveReader& that = *static_cast<ArchiveReader*>(self);
  auto block = that.source_.Read();
  if (block.has_error()) {
    archive_set_error(reader, EIO, "%s", block.error().message.c_str());
    that.read_error_ = std::move(block).error();
    return -1;
  }
  if (const auto position = that.source_.FindPosition()) {
    that.progress_.Update(position->done_bytes, position->total_bytes);
  }
  *bytes = block.value().data();
  return static_cast<ssize_t>(block.value().size());
}

int64_t ArchiveReader::SkipBytes(archive*, void* self, int64_t size_bytes) {
  ArchiveReader& that = *static_cast<ArchiveReader*>(self);
  return static_cast<int64_t>(that.source_.Skip(static_cast<uint64_t>(size_bytes)));
}

Error ArchiveReader::Failure() const {
  if (read_error_) return *read_error_;
  const char* const text = archive_error_string(archive_.get());
  return MakeError(ErrorCode::kBadFormat, "{}: {}at offset {} of the archive: {}", name(),
                   member_.empty() ? "" : fmt::format("member {}: ", member_),
                   archive_filter_bytes(archive_.get(), 0), text != nullptr ? text : "broken");
}

Result<> ArchiveReader::CheckLimits(uint64_t more_bytes) const {
  const auto unpacked = static_cast<uint64_t>(archive_filter_bytes(archive_.get(), 0));
  const auto packed = static_cast<uint64_t>(archive_filter_bytes(archive_.get(), -1));
  CKPT_TRY(rules_.CheckUnpacked(unpacked, is_compressed_ ? packed : unpacked));
  // Holes take no room in an archive, but may in what is made of it.
  const uint64_t content =
      more_bytes > UINT64_MAX - content_bytes_ ? UINT64_MAX : content_bytes_ + more_bytes;
  return rules_.CheckUnpacked(content, content);
}

Result<std::optional<ArchiveMember>> ArchiveReader::Next() {
  archive_entry* entry = nullptr;
  const int found = archive_read_next_header(archive_.get(), &entry);
  if (found == ARCHIVE_EOF) return std::optional<ArchiveMember>();
  // ARCHIVE_RETRY is a broken header that libarchive would pass over.
  if (found != ARCHIVE_OK && found != ARCHIVE_WARN) return Failure();
  member_ = Text(archive_entry_pathname(entry), archive_entry_pathname_utf8(entry));
  ArchiveMember member;
  member.type = TypeOf(entry);
  member.link = LinkOf(entry, member.type);
  CKPT_TRY(member.path, rules_.Admit(member_, member.type, member.link));
  if (member.type == TarType::kFile) {
    member.size_bytes = static_cast<uint64_t>(std::max<int64_t>(0, archive_entry_size(entry)));
  }
  member.mode = archive_entry_perm(entry);
  member.uid = static_cast<uid_t>(archive_entry_uid(entry));
  member.gid = static_cast<gid_t>(archive_entry_gid(entry));
  member.modified = {archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
  CKPT_TRY(CheckLimits(member.size_bytes));
  content_bytes_ += member.size_bytes;
  return std::optional(std::move(member));
}

Result<std::optional<ArchiveReader::Piece>> ArchiveReader::ReadPiece() {
  const void* bytes = nullptr;
  size_t size = 0;
  int64_t offset = 0;
  const int found = archive_read_data_block(archive_.get(), &bytes, &size, &offset);
  if (found == ARCHIVE_EOF) return std::optional<Piece>();
  if (found != ARCHIVE_OK) return Failure();
  CKPT_TRY(CheckLimits());
  const Bytes piece(static_cast<const std::byte*>(bytes), size);
  return std::optional(Piece{piece, static_cast<uint64_t>(offset)});
}

Result<> ArchiveReader::PassOver() {
  if (!is_compressed_) {
    if (archive_read_data_skip(archive_.get()) != ARCHIVE_OK) return Failure();
    return success();
  }
  // Piece by piece, as a bomb would keep libarchive busy for hours.
  while (true) {
    CKPT_TRY(const auto piece, ReadPiece());
    if (!piece) return success();
  }
}

}  // namespace ckpt
