#include "dumper/event_files.h"

#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "process/event_fdinfo.h"

namespace ckpt {

namespace {

// Of an error in the text that the kernel has for the descriptor.
template <typename T>
Result<T> In(const OpenDescription& opened, Result<T> parsed) {
  if (!parsed.has_error()) return parsed;
  return std::move(parsed).error().In(fmt::format("fdinfo of descriptor {}", opened.number));
}

// What entries of all these kinds begin with.
template <typename Entry>
Result<> FillHead(const OpenDescription& opened, uint32_t id, Entry& entry) {
  entry.set_id(id);
  entry.set_flags(opened.description_flags());
  CKPT_TRY(*entry.mutable_fown(), ReadOwner(opened));
  return success();
}

// A periodic timer that has expired stands still until somebody asks for it, and fdinfo shows no
// time left then: asking makes it run, and counts the expirations that were missed.
Result<TimerfdState> ReadTimerfd(const OpenDescription& opened) {
  itimerspec asked{};
  if (timerfd_gettime(opened.copy.get(), &asked) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "timerfd_gettime of descriptor {}", opened.number);
  }
  CKPT_TRY(const FdInfo info, ReadFdInfo(getpid(), opened.copy.get()));
  return In(opened, ParseTimerfd(info.details));
}

// Whether descriptor `watch.fd` is the file that was added with that number as the `nth` one.
// An errno is that of kcmp(2): EBADF when the descriptor is closed.
int CompareWatch(pid_t pid, int epoll, const EpollWatch& watch, uint32_t nth) {
  const kcmp_epoll_slot slot{
      .efd = static_cast<uint32_t>(epoll), .tfd = static_cast<uint32_t>(watch.fd), .toff = nth};
  const long order = syscall(SYS_kcmp, pid, pid, KCMP_EPOLL_TFD, watch.fd, &slot);
  return order < 0 ? -errno : static_cast<int>(order);
}

}  // namespace

bool IsEventfd(const LinkedFile& file) { return file.path == "anon_inode:[eventfd]"; }
bool IsSignalfd(const LinkedFile& file) { return file.path == "anon_inode:[signalfd]"; }
bool IsTimerfd(const LinkedFile& file) { return file.path == "anon_inode:[timerfd]"; }
bool IsEpoll(const LinkedFile& file) { return file.path == "anon_inode:[eventpoll]"; }

std::optional<std::string> ReasonToRefuseEventfd(const OpenDescription& opened) {
  const auto state = ParseEventfd(opened.info.details);
  if (state.has_value() && state.value().is_semaphore) {
    return "it is a semaphore (EFD_SEMAPHORE), for which the format has no place";
  }
  return std::nullopt;
}

Result<uint32_t> AddEventfd(const OpenDescription& opened, FileTable& files) {
  CKPT_TRY(const EventfdState state, In(opened, ParseEventfd(opened.info.details)));
  pb::file_entry& file = files.Add(pb::EVENTFD);
  CKPT_TRY(FillHead(opened, file.id(), *file.mutable_efd()));
  file.mutable_efd()->set_counter(state.count);
  return file.id();
}

Result<uint32_t> AddSignalfd(const OpenDescription& opened, FileTable& files) {
  CKPT_TRY(const uint64_t mask, In(opened, ParseSignalfdMask(opened.info.details)));
  pb::file_entry& file = files.Add(pb::SIGNALFD);
  CKPT_TRY(FillHead(opened, file.id(), *file.mutable_sgfd()));
  file.mutable_sgfd()->set_sigmask(mask);
  return file.id();
}

Result<uint32_t> AddTimerfd(const OpenDescription& opened, FileTable& files) {
  CKPT_TRY(const TimerfdState state, ReadTimerfd(opened));
  pb::file_entry& file = files.Add(pb::TIMERFD);
  pb::timerfd_entry& entry = *file.mutable_tfd();
  CKPT_TRY(FillHead(opened, file.id(), entry));
  entry.set_clockid(static_cast<uint32_t>(state.clock_id));
  entry.set_ticks(state.ticks);
  entry.set_settime_flags(state.settime_flags);
  entry.set_vsec(state.value.seconds);
  entry.set_vnsec(state.value.nanoseconds);
  entry.set_isec(state.interval.seconds);
  entry.set_insec(state.interval.nanoseconds);
  return file.id();
}

Result<uint32_t> AddEpoll(const OpenDescription& opened, FileTable& files) {
  CKPT_TRY(const auto watches, In(opened, ParseEpollWatches(opened.info.details)));
  pb::file_entry& file = files.Add(pb::EVENTPOLL);
  CKPT_TRY(FillHead(opened, file.id(), *file.mutable_epfd()));
  for (const EpollWatch& watch : watches) {
    pb::eventpoll_tfd_entry& entry = *file.mutable_epfd()->add_tfd();
    entry.set_id(file.id());
    entry.set_tfd(static_cast<uint32_t>(watch.fd));
    entry.set_events(watch.events);
    entry.set_data(watch.data);
    entry.set_dev(watch.device);
    entry.set_inode(watch.inode);
    entry.set_pos(watch.position_bytes);
  }
  return file.id();
}

Result<> CheckEpollWatches(pid_t pid, const std::vector<const OpenDescription*>& epolls,
                           Refusals& refusals) {
  for (const OpenDescription* epoll : epolls) {
    CKPT_TRY(const auto watches, In(*epoll, ParseEpollWatches(epoll->info.details)));
    std::map<int32_t, uint32_t> seen;  // by number
    for (const EpollWatch& watch : watches) {
      const int order = CompareWatch(pid, epoll->number, watch, seen[watch.fd]++);
      if (order == 0) continue;
      if (order < 0 && order != -EBADF) {
        return ErrnoError(-order, "kcmp(KCMP_EPOLL_TFD) of descriptors {} and {}", epoll->number,
                          watch.fd);
      }
      refusals.Add("fd {} is {}: it watches a file that was fd {}, which is {}", epoll->number,
                   epoll->file.path, watch.fd, order < 0 ? "closed" : "another file now");
    }
  }
  return success();
}

}  // namespace ckpt
