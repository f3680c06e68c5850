#include "dumper/ghost_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/file.h"

namespace ckpt {

namespace {

// Names that the kernel gives to files of its own, which never had one in any directory.
struct KernelName {
  std::string_view prefix;
  std::string_view reason;
};
constexpr std::array kKernelNames = {
    KernelName{"/memfd:", "memory files (memfd_create) are not supported yet"},
    KernelName{"/SYSV", "System V shared memory is not supported yet"},
    KernelName{"/[aio]", "asynchronous I/O (io_setup) is not supported yet"},
    KernelName{"/dev/zero (deleted)", "shared anonymous memory is no file to open"},
    KernelName{"/anon_hugepage", "huge pages of hugetlbfs are not supported yet"},
};

struct DataRange {
  uint64_t start = 0;
  uint64_t end = 0;
};

pb::ghost_file_entry MakeEntry(const struct stat& status) {
  pb::ghost_file_entry entry;
  entry.set_uid(status.st_uid);
  entry.set_gid(status.st_gid);
  entry.set_mode(status.st_mode);
  entry.set_dev(major(status.st_dev) << 20 | minor(status.st_dev));
  entry.set_ino(status.st_ino);
  if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
    entry.set_rdev(static_cast<uint32_t>(status.st_rdev));
  }
  const auto set_time = [](const timespec& time, pb::timeval* entry_time) {
    entry_time->set_tv_sec(static_cast<uint64_t>(time.tv_sec));
    entry_time->set_tv_usec(static_cast<uint64_t>(time.tv_nsec / 1'000));
  };
  set_time(status.st_atim, entry.mutable_atim());
  set_time(status.st_mtim, entry.mutable_mtim());
  return entry;
}

Result<std::string> ReadRange(int fd, DataRange range, const LinkedFile& file) {
  std::string bytes(range.end - range.start, '\0');
  size_t got_bytes = 0;
  while (got_bytes < bytes.size()) {
    const ssize_t got = pread(fd, bytes.data() + got_bytes, bytes.size() - got_bytes,
                              static_cast<off_t>(range.start + got_bytes));
    const int saved = errno;
    if (got < 0) return ErrnoError(saved, "pread of {}", file.path);
    if (got == 0) {
      return MakeError(ErrorCode::kSystem, "{}: ends at byte {} of {}", file.path,
                       range.start + got_bytes, range.end);
    }
    got_bytes += static_cast<size_t>(got);
  }
  return bytes;
}

// Where the file is no hole: lseek(2), SEEK_DATA.
Result<std::vector<DataRange>> FindData(int fd, uint64_t size_bytes, const LinkedFile& file) {
  std::vector<DataRange> ranges;
  off_t end = 0;
  while (static_cast<uint64_t>(end) < size_bytes) {
    const off_t start = lseek(fd, end, SEEK_DATA);
    int saved = errno;
    if (start < 0 && saved == ENXIO) break;  // the rest is a hole
    if (start >= 0) end = lseek(fd, start, SEEK_HOLE);
    if (start >= 0 && end < 0) saved = errno;
    if (start < 0 || end < 0) return ErrnoError(saved, "lseek(SEEK_DATA) of {}", file.path);
    ranges.push_back({static_cast<uint64_t>(start), static_cast<uint64_t>(end)});
  }
  return ranges;
}

Result<> ReadContent(const LinkedFile& file, const std::string& link, GhostFile& ghost) {
  CKPT_TRY(const UniqueFd fd, OpenFile(link, O_RDONLY | O_NOATIME));
  const uint64_t size_bytes = file.size_bytes;
  std::vector<DataRange> ranges = {{0, size_bytes}};
  if (file.allocated_bytes < size_bytes) {
    ghost.entry.set_chunks(true);
    ghost.entry.set_size(size_bytes);
    CKPT_TRY(ranges, FindData(fd.get(), size_bytes, file));
  }
  for (const DataRange& range : ranges) {
    if (range.start == range.end) continue;
    GhostChunk& chunk = ghost.chunks.emplace_back();
    chunk.offset_bytes = range.start;
    CKPT_TRY(chunk.bytes, ReadRange(fd.get(), range, file));
  }
  return success();
}

Result<GhostFile> ReadGhost(uint32_t id, const LinkedFile& file, const std::string& link) {
  struct stat status {};
  if (stat(link.c_str(), &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "stat(\"{}\")", link);
  }
  GhostFile ghost{.id = id, .entry = MakeEntry(status), .chunks = {}};
  if (S_ISREG(status.st_mode)) {
    CKPT_TRY(ReadContent(file, link, ghost));
  }
  return ghost;
}

}  // namespace

Result<uint64_t> ParseGhostLimit(std::string_view text) {
  constexpr std::string_view kUnits = "KMG";  // each 1024 times the one before
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  const size_t index = unit.size() == 1 ? kUnits.find(unit[0]) : std::string_view::npos;
  const size_t shift = unit.empty() ? 0 : 10 * (index + 1);
  const bool is_unit = unit.empty() || index != std::string_view::npos;
  if (error != std::errc() || !is_unit || number > (UINT64_MAX >> shift)) {
    return MakeError(ErrorCode::kUsage,
                     "--ghost-limit: \"{}\" is not a number of bytes, nor one with K, M or G",
                     text);
  }
  return number << shift;
}

std::optional<std::string> GhostFiles::ReasonToRefuse(const LinkedFile& file) const {
  for (const KernelName& name : kKernelNames) {
    if (file.path.starts_with(name.prefix)) return std::string(name.reason);
  }
  if (file.link_count > 0 && !S_ISDIR(file.mode)) {
    return fmt::format("its name was removed and it has {} others (hard links): not supported yet",
                       file.link_count);
  }
  if (S_ISREG(file.mode) && file.allocated_bytes > limit_bytes_) {
    return fmt::format("a deleted file that takes {} bytes on disk, allowed are {} (--ghost-limit)",
                       file.allocated_bytes, limit_bytes_);
  }
  return std::nullopt;
}

Result<> GhostFiles::Add(uint32_t file_id, const LinkedFile& file, const std::string& link) {
  if (!remapped_.insert(file_id).second) return success();
  const auto id = static_cast<uint32_t>(files_.size() + 1);
  const auto [known, is_new] = ids_.try_emplace({file.dev_major, file.dev_minor, file.inode}, id);
  if (is_new) {
    CKPT_TRY(files_.emplace_back(), ReadGhost(id, file, link));
  }
  pb::remap_file_path_entry& remap = remaps_.emplace_back();
  remap.set_orig_id(file_id);
  remap.set_remap_id(known->second);
  remap.set_remap_type(pb::GHOST);
  return success();
}

}  // namespace ckpt
