#include "dumper/namespaces.h"

#include <sched.h>

#include "base/file.h"

namespace ckpt {

namespace {

using Ids = pb::task_kobj_ids_entry;

struct Kind {
  NamespaceKind kind;
  const char* name;  // in /proc/PID/ns
  uint32_t dumper_id;
  int clone_flag;  // 0: its content is not looked at
  bool may_be_own;
  void (Ids::*set)(uint32_t);
};

using enum NamespaceKind;

// In the order of the enumeration.
constexpr std::array<Kind, kNamespaceKindCount> kKinds = {{
    {kPid, "pid", 1, 0, true, &Ids::set_pid_ns_id},
    {kNet, "net", 2, CLONE_NEWNET, true, &Ids::set_net_ns_id},
    {kIpc, "ipc", 3, CLONE_NEWIPC, true, &Ids::set_ipc_ns_id},
    {kUts, "uts", 4, CLONE_NEWUTS, true, &Ids::set_uts_ns_id},
    {kMnt, "mnt", 5, CLONE_NEWNS, true, &Ids::set_mnt_ns_id},
    {kUser, "user", 6, 0, false, &Ids::set_user_ns_id},
    {kCgroup, "cgroup", 7, 0, false, &Ids::set_cgroup_ns_id},
    {kTime, "time", 8, 0, false, &Ids::set_time_ns_id},
}};

// Of a namespace that is the tree's own: all after the dumper's.
uint32_t OwnId(const Kind& kind) {
  return kind.dumper_id + static_cast<uint32_t>(kNamespaceKindCount);
}

}  // namespace

Result<Namespaces::Links> Namespaces::ReadLinks(const std::string& process) {
  Links links;
  for (const Kind& kind : kKinds) {
    Result<std::string> link = ReadLink(fmt::format("/proc/{}/ns/{}", process, kind.name));
    if (link.has_value()) {
      links.at(static_cast<size_t>(kind.kind)) = std::move(link).value();
    } else if (link.error().code != ErrorCode::kNotFound) {
      return std::move(link).error();
    }
  }
  return links;
}

Result<Namespaces> Namespaces::Read(pid_t root) {
  Namespaces namespaces;
  CKPT_TRY(namespaces.dumper_, ReadLinks("self"));
  CKPT_TRY(namespaces.root_, ReadLinks(std::to_string(root)));
  return namespaces;
}

uint32_t Namespaces::IdOf(NamespaceKind kind) const {
  const Kind& row = kKinds.at(static_cast<size_t>(kind));
  return IsOwn(kind) ? OwnId(row) : row.dumper_id;
}

int Namespaces::JoinableFlags() const {
  int flags = 0;
  for (const Kind& kind : kKinds) flags |= IsOwn(kind.kind) ? kind.clone_flag : 0;
  return flags;
}

void Namespaces::Refuse(pid_t root_ns_pid, Refusals& refusals) const {
  for (const Kind& kind : kKinds) {
    if (!kind.may_be_own && IsOwn(kind.kind)) {
      refusals.Add("it is in another {} namespace, {}: not supported yet", kind.name,
                   Own(kind.kind));
    }
  }
  if (IsOwn(kPid) && root_ns_pid != 1) {
    refusals.Add(
        "it is process {} of another pid namespace, {}: only the first, with all others, "
        "can be dumped",
        root_ns_pid, Own(kPid));
  }
}

Result<> Namespaces::CheckTask(pid_t pid, Refusals& refusals) const {
  CKPT_TRY(const Links links, ReadLinks(std::to_string(pid)));
  if (links == root_) return success();
  for (const Kind& kind : kKinds) {
    if (Of(links, kind.kind) == Own(kind.kind)) continue;
    refusals.Add(
        "it is in another {} namespace, {}, than the root of the tree, {}: not supported "
        "yet",
        kind.name, Of(links, kind.kind), Own(kind.kind));
  }
  return success();
}

void Namespaces::FillDumperIds(Ids& ids) const {
  for (const Kind& kind : kKinds) (ids.*kind.set)(kind.dumper_id);
}

void Namespaces::FillTaskIds(Ids& ids) const {
  for (const Kind& kind : kKinds) (ids.*kind.set)(IdOf(kind.kind));
}

}  // namespace ckpt
