#include "restorer/event_file_steps.h"

#include <sys/epoll.h>
#include <sys/syscall.h>

#include "restorer/event_file_maker.h"

namespace ckpt {

namespace {

Result<> AddWatch(const EpollPlan& epoll, const WatchPlan& watch, RemoteCalls& calls) {
  epoll_event event{};
  event.events = watch.events;
  event.data.u64 = watch.data;
  CKPT_TRY(calls.MakeRoom(1, sizeof(event)));
  const RemotePtr pointer = calls.PutObject(event);
  calls.Add(fmt::format("epoll_ctl({}, EPOLL_CTL_ADD, {}, events {:#x})", epoll.fd, watch.fd,
                        watch.events),
            SYS_epoll_ctl, {epoll.fd, EPOLL_CTL_ADD, watch.fd, pointer});
  return success();
}

}  // namespace

Result<> SetWatches(RestoredTask& task) {
  if (task.plan->epolls.empty()) return success();
  size_t count = 0;
  for (const EpollPlan& epoll : task.plan->epolls) count += epoll.watches.size();
  RemoteCalls calls = task.Calls(count);
  for (const EpollPlan& epoll : task.plan->epolls) {
    for (const WatchPlan& watch : epoll.watches) CKPT_TRY(AddWatch(epoll, watch, calls));
  }
  return calls.Flush();
}

Result<> ArmTimerFiles(const RestorePlan& plan, const OpenedFiles& files) {
  for (const auto& [id, file] : plan.files) {
    if (file.kind != FilePlan::Kind::kTimerfd) continue;
    CKPT_TRY(ArmTimerFile(files.Description(id), file));
  }
  return success();
}

}  // namespace ckpt
