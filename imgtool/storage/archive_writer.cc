#include "imgtool/storage/archive_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace ckpt {

namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

struct ReleaseEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

}  // namespace

ArchiveWriter::ArchiveWriter(std::string name, std::unique_ptr<CompressedWriter> out,
                             Progress progress)
    : name_(std::move(name)),
      out_(std::move(out)),
      progress_(std::move(progress)),
      archive_(archive_write_new()) {}

ArchiveWriter::~ArchiveWriter() {
  // Nothing of what libarchive still holds is to follow.
  archive_write_fail(archive_);
  archive_write_free(archive_);
}

Result<std::unique_ptr<ArchiveWriter>> ArchiveWriter::Create(int fd, std::string name,
                                                             Progress progress) {
  CKPT_TRY(auto out, CreateCompressed(fd, name, Compression::kZstd));
  std::unique_ptr<ArchiveWriter> writer(
      new ArchiveWriter(std::move(name), std::move(out), std::move(progress)));
  // The restricted form of pax drops fractions of seconds.
  CKPT_TRY(writer->Check(archive_write_set_format_pax(writer->archive_)));
  CKPT_TRY(writer->Check(
      archive_write_open(writer->archive_, writer.get(), nullptr, WriteBlock, nullptr)));
  return writer;
}

ssize_t ArchiveWriter::WriteBlock(archive* writer, void* self, const void* bytes,
                                  size_t size_bytes) {
  ArchiveWriter& that = *static_cast<ArchiveWriter*>(self);
  Result<> written = that.out_->Write({static_cast<const std::byte*>(bytes), size_bytes});
  if (written.has_value()) return static_cast<ssize_t>(size_bytes);
  archive_set_error(writer, EIO, "%s", written.error().message.c_str());
  that.write_error_ = std::move(written).error();
  return -1;
}

Result<> ArchiveWriter::Check(int result) const {
  if (result == ARCHIVE_OK || result == ARCHIVE_WARN) return success();
  if (write_error_) return *write_error_;
  const char* const text = archive_error_string(archive_);
  return MakeError(ErrorCode::kUnsupported, "{}: {}", name_, text != nullptr ? text : "libarchive");
}

Result<> ArchiveWriter::WriteHeader(const struct stat& status, const std::string& member,
                                    const std::string& target) {
  const std::unique_ptr<archive_entry, ReleaseEntry> entry(archive_entry_new());
  archive_entry_copy_stat(entry.get(), &status);
  // Of no use on another machine.
  archive_entry_unset_ctime(entry.get());
  archive_entry_unset_atime(entry.get());
  archive_entry_set_dev(entry.get(), 0);
  archive_entry_set_ino(entry.get(), 0);
  archive_entry_set_nlink(entry.get(), 1);
  archive_entry_copy_pathname(entry.get(), member.c_str());
  if (S_ISLNK(status.st_mode)) archive_entry_copy_symlink(entry.get(), target.c_str());
  if (!S_ISREG(status.st_mode)) archive_entry_set_size(entry.get(), 0);
  return Check(archive_write_header(archive_, entry.get()));
}

Result<> ArchiveWriter::AddFile(const std::string& path, const std::string& member) {
  CKPT_TRY(const UniqueFd fd, OpenFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fstat(\"{}\")", path);
  }
  CKPT_TRY(WriteHeader(status, member, ""));
  return WriteData(fd.get(), path, static_cast<uint64_t>(status.st_size));
}

Result<> ArchiveWriter::AddDirectory(const struct stat& status, const std::string& member) {
  return WriteHeader(status, member, "");
}

Result<> ArchiveWriter::AddLink(const struct stat& status, const std::string& member,
                                const std::string& target) {
  return WriteHeader(status, member, target);
}

Result<> ArchiveWriter::WriteData(int fd, const std::string& path, uint64_t size_bytes) {
  std::vector<std::byte> buffer(std::min<uint64_t>(kPieceBytes, size_bytes));
  for (uint64_t left = size_bytes; left > 0;) {
    const ssize_t got = read(fd, buffer.data(), std::min<uint64_t>(buffer.size(), left));
    const int saved = errno;
    if (got < 0 && saved == EINTR) continue;
    if (got < 0) return ErrnoError(saved, "read(\"{}\")", path);
    if (got == 0) {
      return MakeError(ErrorCode::kUnsupported, "{}: became {} bytes shorter meanwhile", path,
                       left);
    }
    const auto piece_bytes = static_cast<size_t>(got);
    for (size_t done = 0; done < piece_bytes;) {
      const la_ssize_t written =
          archive_write_data(archive_, buffer.data() + done, piece_bytes - done);
      if (written <= 0) return Check(ARCHIVE_FATAL);
      done += static_cast<size_t>(written);
    }
    left -= piece_bytes;
    written_bytes_ += piece_bytes;
    if (progress_) progress_(written_bytes_);
  }
  return success();
}

Result<> ArchiveWriter::Finish() {
  CKPT_TRY(Check(archive_write_close(archive_)));
  return out_->Finish();
}

}  // namespace ckpt
