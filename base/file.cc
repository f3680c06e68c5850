#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

namespace ckpt {

namespace {

std::string ParentDirectory(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    Reset();
    fd_ = other.Release();
  }
  return *this;
}

void UniqueFd::Reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Result<UniqueFd> OpenFile(const std::string& path, int flags, mode_t mode) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC, mode);
  const int saved = errno;
  if (fd < 0) return ErrnoError(saved, "open(\"{}\", {:#o})", path, flags);
  return UniqueFd(fd);
}

Result<std::string> ReadWholeFd(int fd, std::string_view name, size_t limit_bytes) {
  std::string content;
  struct stat status {};
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
    content.reserve(std::min(static_cast<size_t>(status.st_size), limit_bytes));
  }
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    const int saved = errno;
    if (got < 0 && saved == EINTR) continue;
    if (got < 0) return ErrnoError(saved, "read({})", name);
    if (got == 0) return content;
    if (static_cast<size_t>(got) > limit_bytes - content.size()) {
      return MakeError(ErrorCode::kUnsupported, "{}: more than the {} bytes allowed", name,
                       limit_bytes);
    }
    content.append(buffer.data(), static_cast<size_t>(got));
  }
}

Result<std::string> ReadWholeFile(const std::string& path, size_t limit_bytes) {
  CKPT_TRY(const UniqueFd fd, OpenFile(path, O_RDONLY));
  return ReadWholeFd(fd.get(), path, limit_bytes);
}

Result<> WriteAll(int fd, Bytes bytes, std::string_view name) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    const int saved = errno;
    if (written < 0 && saved == EINTR) continue;
    if (written < 0) return ErrnoError(saved, "write({}, {} bytes)", name, bytes.size());
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return success();
}

Result<> WriteAllAt(int fd, Bytes bytes, uint64_t offset, std::string_view name) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    const int saved = errno;
    if (written < 0 && saved == EINTR) continue;
    if (written < 0) {
      return ErrnoError(saved, "pwrite({}, {} bytes at {})", name, bytes.size(), offset);
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return success();
}

Result<std::string> ReadLinkAt(int directory_fd, const std::string& name) {
  std::string target(256, '\0');
  while (true) {
    const ssize_t length = readlinkat(directory_fd, name.c_str(), target.data(), target.size());
    const int saved = errno;
    if (length < 0) return ErrnoError(saved, "readlink(\"{}\")", name);
    if (static_cast<size_t>(length) < target.size()) {
      target.resize(static_cast<size_t>(length));
      return target;
    }
    target.resize(target.size() * 2);
  }
}

Result<std::string> ReadLink(const std::string& path) { return ReadLinkAt(AT_FDCWD, path); }

Result<> SyncDirectory(const std::string& path) {
  CKPT_TRY(const UniqueFd fd, OpenFile(path, O_RDONLY | O_DIRECTORY));
  if (fsync(fd.get()) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fsync(\"{}\")", path);
  }
  return success();
}

Result<std::vector<std::string>> ListDirectory(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  if (!directory) {
    const int saved = errno;
    return ErrnoError(saved, "opendir(\"{}\")", path);
  }
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    const int saved = errno;
    if (entry == nullptr && saved != 0) return ErrnoError(saved, "readdir(\"{}\")", path);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Result<StagedFile> StagedFile::Create(std::string path, mode_t mode) {
  std::string temporary = path + ".tmp-XXXXXX";
  UniqueFd fd(mkostemp(temporary.data(), O_CLOEXEC));
  const int saved = errno;
  if (!fd.valid()) return ErrnoError(saved, "mkostemp(\"{}\")", temporary);
  StagedFile staged(std::move(path), std::move(temporary), std::move(fd));
  if (fchmod(staged.fd(), mode) != 0) {
    const int chmod_errno = errno;
    return ErrnoError(chmod_errno, "fchmod(\"{}\", {:#o})", staged.temporary_, mode);
  }
  return staged;
}

StagedFile::~StagedFile() {
  if (fd_.valid()) unlink(temporary_.c_str());
}

Result<> StagedFile::Commit() {
  CKPT_TRY(Sync());
  CKPT_TRY(Rename());
  return SyncDirectory(ParentDirectory(path_));
}

Result<> StagedFile::Sync() {
  if (fsync(fd_.get()) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fsync(\"{}\")", temporary_);
  }
  return success();
}

Result<> StagedFile::Rename() {
  if (rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "rename(\"{}\", \"{}\")", temporary_, path_);
  }
  fd_.Reset();
  return success();
}

Result<> WriteWholeFile(const std::string& path, Bytes bytes, mode_t mode) {
  CKPT_TRY(StagedFile staged, StagedFile::Create(path, mode));
  CKPT_TRY(staged.Write(bytes));
  return staged.Commit();
}

}  // namespace ckpt
