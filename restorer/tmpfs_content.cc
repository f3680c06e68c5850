#include "restorer/tmpfs_content.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "base/file.h"

namespace ckpt {

namespace {

constexpr size_t kBlockBytes = size_t{64} * 1024;

constexpr int kExtractFlags = ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
                              ARCHIVE_EXTRACT_ACL | ARCHIVE_EXTRACT_XATTR |
                              ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                              ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS;

struct FreeArchive {
  void operator()(archive* made) const { archive_free(made); }
};
using Archive = std::unique_ptr<archive, FreeArchive>;

Error ArchiveError(const std::string& path, archive* failed, ErrorCode code) {
  const char* const text = archive_error_string(failed);
  return MakeError(code, "{}: {}", path, text == nullptr ? "not readable" : text);
}

// The directory for the time of an extraction, by which libarchive finds members.
class WorkingDirectory {
 public:
  static Result<WorkingDirectory> Change(int directory) {
    CKPT_TRY(UniqueFd before, OpenFile(".", O_PATH | O_DIRECTORY));
    if (fchdir(directory) < 0) return ErrnoError(errno, "fchdir to a new mount");
    return WorkingDirectory(std::move(before));
  }
  WorkingDirectory(WorkingDirectory&&) = default;
  WorkingDirectory& operator=(WorkingDirectory&&) = delete;
  ~WorkingDirectory() {
    if (before_.valid() && fchdir(before_.get()) < 0) InvariantFailed("fchdir", __FILE__, __LINE__);
  }

 private:
  explicit WorkingDirectory(UniqueFd before) : before_(std::move(before)) {}
  UniqueFd before_;
};

Result<> CopyMembers(const std::string& path, archive* reader, archive* writer) {
  archive_entry* entry = nullptr;
  while (true) {
    const int found = archive_read_next_header(reader, &entry);
    if (found == ARCHIVE_EOF) return success();
    if (found != ARCHIVE_OK) return ArchiveError(path, reader, ErrorCode::kBadFormat);
    const int extracted = archive_read_extract2(reader, entry, writer);
    if (extracted != ARCHIVE_OK) return ArchiveError(path, reader, ErrorCode::kSystem);
  }
}

}  // namespace

Result<> ExtractContent(const std::string& path, int directory) {
  CKPT_TRY(const UniqueFd file, OpenFile(path, O_RDONLY));
  const Archive reader(archive_read_new());
  const Archive writer(archive_write_disk_new());
  CKPT_CHECK(reader && writer);
  archive_write_disk_set_options(writer.get(), kExtractFlags);
  archive_read_support_format_tar(reader.get());
  archive_read_support_filter_all(reader.get());
  if (archive_read_open_fd(reader.get(), file.get(), kBlockBytes) != ARCHIVE_OK) {
    return ArchiveError(path, reader.get(), ErrorCode::kBadFormat);
  }
  CKPT_TRY(const WorkingDirectory inside, WorkingDirectory::Change(directory));
  CKPT_TRY(CopyMembers(path, reader.get(), writer.get()));
  // Times and modes of directories are set now.
  if (archive_write_close(writer.get()) != ARCHIVE_OK) {
    return ArchiveError(path, writer.get(), ErrorCode::kSystem);
  }
  return success();
}

}  // namespace ckpt
