#include "restorer/namespaces_plan.h"

#include <net/if.h>
#include <sched.h>

#include <array>
#include <string_view>

#include "formats/image_type.h"
#include "restorer/mount_planner.h"
#include "restorer/net_addresses.h"

namespace ckpt {

namespace {

using Ids = pb::task_kobj_ids_entry;

struct NamespaceKind {
  std::string_view name;
  uint64_t clone_flag;  // 0: not supported as an own one
  bool (Ids::*has)() const;
  uint32_t (Ids::*id)() const;
};
constexpr std::array kNamespaceKinds = {
    NamespaceKind{"pid", CLONE_NEWPID, &Ids::has_pid_ns_id, &Ids::pid_ns_id},
    NamespaceKind{"network", CLONE_NEWNET, &Ids::has_net_ns_id, &Ids::net_ns_id},
    NamespaceKind{"ipc", CLONE_NEWIPC, &Ids::has_ipc_ns_id, &Ids::ipc_ns_id},
    NamespaceKind{"uts", CLONE_NEWUTS, &Ids::has_uts_ns_id, &Ids::uts_ns_id},
    NamespaceKind{"mount", CLONE_NEWNS, &Ids::has_mnt_ns_id, &Ids::mnt_ns_id},
    NamespaceKind{"user", 0, &Ids::has_user_ns_id, &Ids::user_ns_id},
    NamespaceKind{"cgroup", 0, &Ids::has_cgroup_ns_id, &Ids::cgroup_ns_id},
    NamespaceKind{"time", 0, &Ids::has_time_ns_id, &Ids::time_ns_id},
};

// 0 where the image has none: the number of no namespace.
uint32_t IdOf(const NamespaceKind& kind, const Ids& ids) {
  return (ids.*kind.has)() ? (ids.*kind.id)() : 0;
}

class Planner {
 public:
  Planner(const NamespaceImages& images, Findings& findings)
      : images_(images), findings_(findings) {}

  void ChooseOwn(const TaskNamespaces& first, const Ids& root_ids) {
    for (const NamespaceKind& kind : kNamespaceKinds) {
      const uint32_t id = IdOf(kind, *first.ids);
      if (id == 0 || id == IdOf(kind, root_ids)) continue;
      plan_.clone_flags |= kind.clone_flag;
      if (kind.clone_flag != 0) continue;
      findings_.Unsupported(
          "ids-{}.img: process {} has its own {} namespace (id {}), which is not supported",
          first.pid, first.pid, kind.name, id);
    }
  }

  void CheckSame(const TaskNamespaces& first, const TaskNamespaces& task) {
    for (const NamespaceKind& kind : kNamespaceKinds) {
      const uint32_t id = IdOf(kind, *task.ids);
      if (id == IdOf(kind, *first.ids)) continue;
      findings_.Unsupported(
          "ids-{}.img: process {} is in {} namespace {}, process {} in {}: several are not "
          "supported",
          task.pid, task.pid, kind.name, id, first.pid, IdOf(kind, *first.ids));
    }
  }

  void PlanPids(const TaskNamespaces& first) {
    if (!Owns(CLONE_NEWPID)) return;
    if (images_.pid && images_.pid->has_ext_key()) {
      findings_.Unsupported("{}: an external pid namespace ({}) is not supported",
                            ImageFileName(ImageType::kPidns, first.ids->pid_ns_id()),
                            images_.pid->ext_key());
    }
    if (first.pid != 1) {
      findings_.Unsupported(
          "pstree.img: the first process has a pid namespace of its own, but its number there is "
          "{} and not 1",
          first.pid);
    }
  }

  void PlanNames(const Ids& ids) {
    if (!Owns(CLONE_NEWUTS)) return;
    if (images_.uts) {
      plan_.names = NodeNamesPlan{images_.uts->nodename(), images_.uts->domainname()};
    } else {
      Miss(ImageType::kUtsns, ids.uts_ns_id(), "uts");
    }
  }

  void PlanIpc(const Ids& ids) {
    if (!Owns(CLONE_NEWIPC)) return;
    for (const std::string& image : images_.ipc_objects) {
      findings_.Unsupported("{}: System V objects are not supported", image);
    }
    if (images_.ipc) {
      AddIpcSysctls(*images_.ipc, plan_.sysctls);
    } else {
      Miss(ImageType::kIpcVar, ids.ipc_ns_id(), "ipc");
    }
  }

  // Without an image the namespace is left empty.
  void PlanNet(const Ids& ids) {
    if (!Owns(CLONE_NEWNET)) return;
    if (images_.net && images_.net->has_ext_key()) {
      findings_.Unsupported("{}: an external network namespace ({}) is not supported",
                            ImageFileName(ImageType::kNetns, ids.net_ns_id()),
                            images_.net->ext_key());
    }
    if (images_.net) AddNetSysctls(*images_.net, plan_.sysctls);
    for (const pb::net_device_entry& device : images_.net_devices) PlanDevice(ids, device);
    auto addresses = findings_.Keep(
        ParseAddresses(images_.net_addresses, ImageFileName(ImageType::kIfaddr, ids.net_ns_id())));
    if (addresses) plan_.addresses = std::move(*addresses);
    for (const std::string& image : images_.net_traffic_rules) {
      findings_.Unsupported("{}: routes and packet filters are not supported", image);
    }
  }

  void PlanMountTree(const Ids& ids, const std::string& root, const ExternalMounts& externals) {
    if (!Owns(CLONE_NEWNS)) return;
    if (images_.mounts.empty()) return Miss(ImageType::kMnts, ids.mnt_ns_id(), "mount");
    if (root.empty()) {
      findings_.Add(MakeError(ErrorCode::kUsage,
                              "the processes have a mount namespace of their own: --root must "
                              "name the directory that is its root"));
    }
    plan_.mounts = PlanMounts(images_.mounts, ImageFileName(ImageType::kMnts, ids.mnt_ns_id()),
                              images_.tmpfs_contents, externals, findings_);
  }

  NamespacesPlan Take() { return std::move(plan_); }

 private:
  bool Owns(uint64_t clone_flag) const { return (plan_.clone_flags & clone_flag) != 0; }

  void Miss(ImageType image, uint32_t id, std::string_view name) {
    findings_.Add(MakeError(ErrorCode::kNotFound,
                            "{}: is missing, and there is an own {} namespace",
                            ImageFileName(image, id), name));
  }

  void PlanDevice(const Ids& ids, const pb::net_device_entry& device) {
    if (device.type() != pb::LOOPBACK) {
      findings_.Unsupported("{}: network device {} of type {} is not supported",
                            ImageFileName(ImageType::kNetdev, ids.net_ns_id()), device.name(),
                            pb::nd_type_Name(device.type()));
      return;
    }
    plan_.loopback_is_up = (device.flags() & IFF_UP) != 0;
    AddDeviceSysctls(device, plan_.sysctls);
  }

  const NamespaceImages& images_;
  Findings& findings_;
  NamespacesPlan plan_;
};

}  // namespace

NamespacesPlan PlanNamespaces(const std::vector<TaskNamespaces>& tasks, const Ids& root_ids,
                              const NamespaceImages& images, const std::string& root,
                              const ExternalMounts& externals, Findings& findings) {
  Planner planner(images, findings);
  if (tasks.empty()) return {};
  const TaskNamespaces& first = tasks.front();
  planner.ChooseOwn(first, root_ids);
  for (const TaskNamespaces& task : tasks) planner.CheckSame(first, task);
  planner.PlanPids(first);
  planner.PlanNames(*first.ids);
  planner.PlanIpc(*first.ids);
  planner.PlanNet(*first.ids);
  planner.PlanMountTree(*first.ids, root, externals);
  return planner.Take();
}

}  // namespace ckpt
