#include "dumper/open_description.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <future>
#include <iterator>
#include <string>
#include <utility>

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
  CKPT_TRY(table.numbers_, ListFds(pid));
  return table;
}

Result<OpenDescription> DescriptorTable::Read(int number) const {
  OpenDescription opened;
  opened.pid = pid_;
  opened.number = number;
  opened.copy = UniqueFd(static_cast<int>(syscall(SYS_pidfd_getfd, pidfd_.get(), number, 0)));
  const int saved = errno;
  if (!opened.copy.valid()) return ErrnoError(saved, "pidfd_getfd(process {}, {})", pid_, number);
  CKPT_TRY(std::string link, ReadLinkAt(links_.get(), fmt::format("{}", number)));
  CKPT_TRY(opened.file, StatLinkedFile(opened.copy.get(), std::move(link)));
  CKPT_TRY(opened.info, ReadFdInfoIn(infos_.get(), number));
  return opened;
}

Result<std::vector<OpenDescription>> DescriptorTable::ReadSome(std::span<const int> numbers) const {
  std::vector<OpenDescription> opened;
  for (const int number : numbers) {
    CKPT_TRY(opened.emplace_back(), Read(number));
  }
  return opened;
}

Result<std::vector<OpenDescription>> DescriptorTable::ReadAll() const {
  const std::span<const int> all = numbers_;
  if (all.size() < kManyDescriptors) return ReadSome(all);
  const size_t half = all.size() / 2;
  auto reading = std::async(std::launch::async, [&] { return ReadSome(all.subspan(half)); });
  Result<std::vector<OpenDescription>> first = ReadSome(all.first(half));
  Result<std::vector<OpenDescription>> second = reading.get();
  CKPT_TRY(std::vector<OpenDescription> opened, std::move(first));
  CKPT_TRY(std::vector<OpenDescription> rest, std::move(second));
  std::ranges::move(rest, std::back_inserter(opened));
  return opened;
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
