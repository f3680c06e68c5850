// A directory tree as a tar archive, compressed by zstd at level 3 with all processors.
#ifndef IMGTOOL_STORAGE_ARCHIVE_WRITER_H_
#define IMGTOOL_STORAGE_ARCHIVE_WRITER_H_

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/byte_reader.h"
#include "base/file.h"
#include "base/result.h"
#include "formats/compressed_stream.h"

struct archive;
struct archive_entry;

namespace ckpt {

class ArchiveWriter {
 public:
  // Told after each piece how many bytes of files have been written.
  using Progress = std::function<void(uint64_t written_bytes)>;

  // Writes to the empty file `fd`, which stays the caller's. `name` is for errors.
  static Result<std::unique_ptr<ArchiveWriter>> Create(int fd, std::string name, Progress progress);
  ~ArchiveWriter();

  // Each with owner, mode and modification time; of extended attributes nothing is kept.
  // kUnsupported: a file that becomes shorter meanwhile.
  Result<> AddFile(const std::string& path, const std::string& member);
  Result<> AddDirectory(const struct stat& status, const std::string& member);
  Result<> AddLink(const struct stat& status, const std::string& member, const std::string& target);

  // Without it the archive is not whole.
  Result<> Finish();

 private:
  ArchiveWriter(std::string name, std::unique_ptr<CompressedWriter> out, Progress progress);

  static ssize_t WriteBlock(archive* writer, void* self, const void* bytes, size_t size_bytes);
  Result<> WriteHeader(const struct stat& status, const std::string& member,
                       const std::string& target);
  Result<> WriteData(int fd, const std::string& path, uint64_t size_bytes);
  Result<> Check(int result) const;

  std::string name_;
  std::unique_ptr<CompressedWriter> out_;
  Progress progress_;
  archive* archive_;
  std::optional<Error> write_error_;
  uint64_t written_bytes_ = 0;
};

}  // namespace ckpt

#endif  // IMGTOOL_STORAGE_ARCHIVE_WRITER_H_
