#include "dumper/open_description.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "dumper/shared_reading.h"

namespace ckpt {

namespace {

// linux/fcntl.h, CONFIG_CHECKPOINT_RESTORE: two uid_t, real and effective.
constexpr int kFGetOwnerUids = 17;

// From so many on a second thread is worth its start.
constexpr size_t kManyDescriptors = 64;

}  // namespace

Result<DescriptorTable> DescriptorTable::Open(pid_t pid) {
  DescriptorTable table;
  table.pid_ = pid;
  table.pidfd_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const int saved = errno;
  if (!table.pidfd_.valid()) return ErrnoError(saved, "pidfd_open({})", pid);
  CKPT_TRY(table.links_, OpenFile(fmt::format("/proc/{}/fd", pid), O_PATH | O_DIRECTORY));
  CKPT_TRY(table.infos_, OpenFile(fmt::format("/proc/{}/fdinfo", pid), O_PATH | O_DIRECTORY));
  return table;
}

Result<> DescriptorTable::Prepare(size_t max_files) {
  CKPT_TRY(numbers_, ListFds(pid_));
  for (const int number : numbers_) {
    if (2 * (prepared_.size() + 1) > max_files) break;
    const std::string name = fmt::format("{}", number);
    Prepared files;
    files.link = UniqueFd(openat(links_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    files.info = UniqueFd(openat(infos_.get(), name.c_str(), O_RDONLY | O_CLOEXEC));
    if (files.link.valid() && files.info.valid()) prepared_[number] = std::move(files);
  }
  return success();
}

// A prepared file fails where the process has ended, and another has its number.
Result<std::string> DescriptorTable::ReadLinkOf(int number) const {
  const auto prepared = prepared_.find(number);
  if (prepared != prepared_.end()) {
    Result<std::string> text = ReadLinkAt(prepared->second.link.get(), "");
    if (text.has_value()) return text;
  }
  return ReadLinkAt(links_.get(), fmt::format("{}", number));
}

Result<FdInfo> DescriptorTable::ReadInfoOf(int number) const {
  const auto prepared = prepared_.find(number);
  if (prepared != prepared_.end()) {
    Result<FdInfo> info = ReadOpenFdInfo(prepared->second.info.get(), number);
    if (info.has_value()) return info;
  }
  return ReadFdInfoIn(infos_.get(), number);
}

Result<OpenDescription> DescriptorTable::Read(int number) const {
  OpenDescription opened;
  opened.pid = pid_;
  opened.number = number;
  opened.copy = UniqueFd(static_cast<int>(syscall(SYS_pidfd_getfd, pidfd_.get(), number, 0)));
  const int saved = errno;
  if (!opened.copy.valid()) return ErrnoError(saved, "pidfd_getfd(process {}, {})", pid_, number);
  CKPT_TRY(std::string link, ReadLinkOf(number));
  CKPT_TRY(opened.file, StatLinkedFile(opened.copy.get(), std::move(link)));
  CKPT_TRY(opened.info, ReadInfoOf(number));
  return opened;
}

Result<> DescriptorTable::ReadAll(const Taker& take) {
  const auto read = [this](int number) { return Read(number); };
  const auto are_many = [this] { return numbers_.size() >= kManyDescriptors; };
  std::optional<SharedReading<OpenDescription>> reading;
  if (are_many()) reading.emplace(numbers_, read);
  CKPT_TRY(std::vector<int> open_now, ListFds(pid_));
  if (open_now != numbers_) {
    reading.reset();
    numbers_ = std::move(open_now);
    if (are_many()) reading.emplace(numbers_, read);
  }
  if (reading) return reading->TakeAll(take);
  for (const int number : numbers_) {
    CKPT_TRY(OpenDescription opened, Read(number));
    CKPT_TRY(take(std::move(opened)));
  }
  return success();
}

Result<pb::fown_entry> ReadOwner(const OpenDescription& opened) {
  f_owner_ex owner{};
  std::array<uid_t, 2> uids{};
  const int fd = opened.copy.get();
  // A descriptor opened by O_PATH has no owner to ask for (EBADF).
  if (!opened.IsPathOnly() && fcntl(fd, F_GETOWN_EX, &owner) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fcntl(F_GETOWN_EX)");
  }
  const int signal = owner.pid == 0 ? 0 : fcntl(fd, F_GETSIG);
  if (owner.pid != 0 && fcntl(fd, kFGetOwnerUids, uids.data()) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fcntl(F_GETOWNER_UIDS)");
  }
  pb::fown_entry entry;
  entry.set_uid(uids[0]);
  entry.set_euid(uids[1]);
  entry.set_signum(static_cast<uint32_t>(signal));
  entry.set_pid_type(owner.pid == 0 ? 0 : static_cast<uint32_t>(owner.type));
  entry.set_pid(static_cast<uint32_t>(owner.pid));
  return entry;
}

}  // namespace ckpt
