// Files: descriptors that close themselves, whole-file reads, and output that appears whole or not
// at all (a temporary beside the target, fsync, rename, fsync of the directory).
#ifndef BASE_FILE_H_
#define BASE_FILE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"

namespace ckpt {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset();

 private:
  int fd_ = -1;
};

// open(2) with O_CLOEXEC added.
Result<UniqueFd> OpenFile(const std::string& path, int flags, mode_t mode = 0);

// The whole file; files of /proc, whose size is unknown, too. Refuses more than `limit_bytes`.
inline constexpr size_t kNoLimit = SIZE_MAX;
Result<std::string> ReadWholeFile(const std::string& path, size_t limit_bytes = kNoLimit);
Result<std::string> ReadWholeFd(int fd, std::string_view name, size_t limit_bytes = kNoLimit);

// Writes all of `bytes`, over short writes and EINTR. `name` is for the message.
Result<> WriteAll(int fd, Bytes bytes, std::string_view name);

// The same at an offset, by pwrite(2).
Result<> WriteAllAt(int fd, Bytes bytes, uint64_t offset, std::string_view name);

// The target of a symbolic link of any length, byte for byte.
Result<std::string> ReadLink(const std::string& path);
Result<std::string> ReadLinkAt(int directory_fd, const std::string& name);

Result<> SyncDirectory(const std::string& path);

// The names in a directory but "." and "..", sorted.
Result<std::vector<std::string>> ListDirectory(const std::string& path);

// A file being written under a temporary name in the directory of `path`. Commit() syncs and
// renames it over `path`; without it the destructor removes it, and `path` is as it was.
class StagedFile {
 public:
  static Result<StagedFile> Create(std::string path, mode_t mode);
  StagedFile(StagedFile&&) = default;
  StagedFile& operator=(StagedFile&&) = delete;
  ~StagedFile();

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }
  Result<> Write(Bytes bytes) { return WriteAll(fd_.get(), bytes, path_); }
  // Sync(), Rename() and a sync of the directory.
  Result<> Commit();

  // The steps of a commit, for several files that are to appear together.
  Result<> Sync();
  Result<> Rename();  // over path(); the file is not removed any more

 private:
  StagedFile(std::string path, std::string temporary, UniqueFd fd)
      : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}

  std::string path_;
  std::string temporary_;
  UniqueFd fd_;  // valid until Commit() or the destructor
};

// Creates or replaces `path` with `bytes`, whole or not at all.
Result<> WriteWholeFile(const std::string& path, Bytes bytes, mode_t mode);

}  // namespace ckpt

#endif  // BASE_FILE_H_
