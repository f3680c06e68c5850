#include "restorer/event_file_plan.h"

#include <algorithm>
#include <array>
#include <set>

#include "restorer/description_plan.h"

namespace ckpt {

namespace {

// What entries of all these kinds begin with.
template <typename Entry>
void PlanHead(const Entry& entry, FilePlan::Kind kind, FilePlan& file) {
  file.kind = kind;
  file.flags = OpenFlags(entry.flags());
  file.owner = PlanOwner(entry.fown());
}

void PlanEventfd(const pb::file_entry& entry, FilePlan& file) {
  PlanHead(entry.efd(), FilePlan::Kind::kEventfd, file);
  file.counter = entry.efd().counter();
}

void PlanSignalfd(const pb::file_entry& entry, FilePlan& file) {
  PlanHead(entry.sgfd(), FilePlan::Kind::kSignalfd, file);
  file.signal_mask = entry.sgfd().sigmask();
}

void PlanTimerfd(const pb::file_entry& entry, FilePlan& file) {
  const pb::timerfd_entry& timer = entry.tfd();
  PlanHead(timer, FilePlan::Kind::kTimerfd, file);
  file.timer = {.clock_id = static_cast<int32_t>(timer.clockid()),
                .settime_flags = static_cast<int>(timer.settime_flags()),
                .ticks = timer.ticks(),
                .interval_seconds = timer.isec(),
                .interval_nanoseconds = timer.insec(),
                .value_seconds = timer.vsec(),
                .value_nanoseconds = timer.vnsec()};
  // A periodic timer that had expired unread stood still when it was looked at (CRIU dumps it so):
  // it is one that runs, and expires in one interval at the latest.
  if (timer.ticks() > 0 && !file.timer.IsArmed()) {
    file.timer.value_seconds = timer.isec();
    file.timer.value_nanoseconds = timer.insec();
  }
}

void PlanEpoll(const pb::file_entry& entry, FilePlan& file) {
  PlanHead(entry.epfd(), FilePlan::Kind::kEpoll, file);
  for (const pb::eventpoll_tfd_entry& watch : entry.epfd().tfd()) {
    file.watches.push_back(
        {.fd = static_cast<int>(watch.tfd()), .events = watch.events(), .data = watch.data()});
  }
}

struct EventFileKind {
  pb::fd_types type;
  bool (pb::file_entry::*has)() const;
  void (*plan)(const pb::file_entry&, FilePlan&);
};
constexpr std::array kKinds = {
    EventFileKind{pb::EVENTFD, &pb::file_entry::has_efd, PlanEventfd},
    EventFileKind{pb::SIGNALFD, &pb::file_entry::has_sgfd, PlanSignalfd},
    EventFileKind{pb::TIMERFD, &pb::file_entry::has_tfd, PlanTimerfd},
    EventFileKind{pb::EVENTPOLL, &pb::file_entry::has_epfd, PlanEpoll},
};

void PlanWatches(const DescriptorPlan& epoll, const FilePlan& file, TaskPlan& task,
                 Findings& findings) {
  for (const WatchPlan& watch : file.watches) {
    if (std::ranges::binary_search(task.descriptors, watch.fd, {}, &DescriptorPlan::fd)) continue;
    findings.BadFormat("{}: watches descriptor {}, which process {} does not have", file.place,
                       watch.fd, task.pid);
  }
  task.epolls.push_back({.fd = epoll.fd, .file_id = file.id, .watches = file.watches});
}

}  // namespace

bool IsEventFile(pb::fd_types type) {
  return std::ranges::find(kKinds, type, &EventFileKind::type) != kKinds.end();
}

bool PlanEventFile(const pb::file_entry& entry, FilePlan& file) {
  const auto kind = std::ranges::find(kKinds, entry.type(), &EventFileKind::type);
  if (kind == kKinds.end() || !(entry.*kind->has)()) return false;
  kind->plan(entry, file);
  return true;
}

void PlanEpolls(RestorePlan& plan, Findings& findings) {
  std::set<uint32_t> planned;
  for (TaskPlan& task : plan.tasks) {
    for (const DescriptorPlan& descriptor : task.descriptors) {
      const auto file = plan.files.find(descriptor.file_id);
      if (file == plan.files.end() || file->second.kind != FilePlan::Kind::kEpoll) continue;
      if (planned.insert(file->first).second) {
        PlanWatches(descriptor, file->second, task, findings);
      }
    }
  }
}

}  // namespace ckpt
