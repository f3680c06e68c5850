#include "process/fdinfo.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "process/proc_file.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

struct Seen {
  bool position = false;
  bool flags = false;
};

template <typename To, typename From>
bool Store(std::optional<From> from, const TextScanner& after, To& to) {
  if (!from || !after.AtEnd() || !std::in_range<To>(*from)) return false;
  to = static_cast<To>(*from);
  return true;
}

// False for a line of ours that does not parse.
bool ReadLine(std::string_view line, FdInfo& info, Seen& seen) {
  TextScanner scanner(line);
  if (scanner.Skip("pos:")) {
    scanner.SkipBlanks();
    seen.position = true;
    return Store(scanner.ReadDecimal(), scanner, info.position_bytes);
  }
  if (scanner.Skip("flags:")) {
    scanner.SkipBlanks();
    seen.flags = true;
    return Store(scanner.ReadOctal(), scanner, info.flags);
  }
  if (scanner.Skip("mnt_id:")) {
    scanner.SkipBlanks();
    return Store(scanner.ReadSigned(), scanner, info.mnt_id);
  }
  if (scanner.Skip("ino:")) {
    scanner.SkipBlanks();
    return Store(scanner.ReadDecimal(), scanner, info.inode.emplace());
  }
  info.details.emplace_back(line);
  return true;
}

}  // namespace

Result<FdInfo> ParseFdInfo(std::string_view text) {
  FdInfo info;
  Seen seen;
  TextScanner scanner(text);
  for (int number = 1; !scanner.AtEnd(); ++number) {
    const std::string_view line = scanner.ReadLine();
    if (ReadLine(line, info, seen)) continue;
    return MakeError(ErrorCode::kBadFormat, "line {}: cannot read \"{}\"", number, line);
  }
  if (!seen.position || !seen.flags) {
    return MakeError(ErrorCode::kBadFormat, "no line \"{}:\"", seen.position ? "flags" : "pos");
  }
  return info;
}

Result<FdInfo> ReadFdInfo(pid_t pid, int fd) {
  return ReadProcFile(fmt::format("/proc/{}/fdinfo/{}", pid, fd), ParseFdInfo);
}

// A file that the kernel makes as one record (single_open), and anew where it is read from the
// start, comes whole where it has room: one read shorter than asked for is all of it.
Result<FdInfo> ReadOpenFdInfo(int fdinfo_file, int fd) {
  const auto named = [fd](Result<FdInfo> info) -> Result<FdInfo> {
    if (info.has_error()) return std::move(info).error().In(fmt::format("fdinfo/{}", fd));
    return info;
  };
  std::array<char, 4096> buffer;
  const ssize_t got = pread(fdinfo_file, buffer.data(), buffer.size(), 0);
  const int saved = errno;
  if (got < 0) return ErrnoError(saved, "pread(fdinfo/{})", fd);
  const std::string_view text(buffer.data(), static_cast<size_t>(got));
  if (text.size() < buffer.size()) return named(ParseFdInfo(text));
  if (lseek(fdinfo_file, 0, SEEK_SET) != 0) {
    const int seek_saved = errno;
    return ErrnoError(seek_saved, "lseek(fdinfo/{})", fd);
  }
  CKPT_TRY(const std::string whole, ReadWholeFd(fdinfo_file, fmt::format("fdinfo/{}", fd)));
  return named(ParseFdInfo(whole));
}

Result<FdInfo> ReadFdInfoIn(int fdinfo_directory, int fd) {
  const std::string name = fmt::format("{}", fd);
  const UniqueFd file(openat(fdinfo_directory, name.c_str(), O_RDONLY | O_CLOEXEC));
  const int saved = errno;
  if (!file.valid()) return ErrnoError(saved, "open(fdinfo/{})", fd);
  return ReadOpenFdInfo(file.get(), fd);
}

Result<std::vector<int>> ListFds(pid_t pid) { return ListNumbers(fmt::format("/proc/{}/fd", pid)); }

}  // namespace ckpt
