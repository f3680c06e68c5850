#include "restorer/plan_builder.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "restorer/event_file_plan.h"
#include "restorer/file_plan.h"
#include "restorer/findings.h"
#include "restorer/memory_plan.h"
#include "restorer/task_plan.h"

namespace ckpt {

namespace {

constexpr uint32_t kNewestImageVersion = 2;

void CheckInventory(const pb::inventory_entry& inventory, Findings& findings) {
  const uint32_t version = inventory.img_version();
  if (version == 3) {
    findings.Unsupported(
        "inventory.img: images of version 3 (compressed pages), supported are 1 "
        "and 2");
  } else if (version == 0 || version > kNewestImageVersion) {
    findings.Unsupported("inventory.img: images of version {}, supported are 1 and 2", version);
  }
  for (const std::string& plugin : inventory.plugins_entry().plugins()) {
    findings.Unsupported("inventory.img: the plugin \"{}\" is needed, which is not supported",
                         plugin);
  }
  if (!inventory.has_root_ids()) {
    findings.Unsupported(
        "inventory.img: root_ids is missing: nothing says in which namespaces "
        "the dumper was");
  }
}

struct Namespace {
  std::string_view name;
  bool (pb::task_kobj_ids_entry::*has)() const;
  uint32_t (pb::task_kobj_ids_entry::*id)() const;
};
using Ids = pb::task_kobj_ids_entry;
constexpr std::array kNamespaces = {
    Namespace{"pid", &Ids::has_pid_ns_id, &Ids::pid_ns_id},
    Namespace{"network", &Ids::has_net_ns_id, &Ids::net_ns_id},
    Namespace{"ipc", &Ids::has_ipc_ns_id, &Ids::ipc_ns_id},
    Namespace{"uts", &Ids::has_uts_ns_id, &Ids::uts_ns_id},
    Namespace{"mount", &Ids::has_mnt_ns_id, &Ids::mnt_ns_id},
    Namespace{"user", &Ids::has_user_ns_id, &Ids::user_ns_id},
    Namespace{"cgroup", &Ids::has_cgroup_ns_id, &Ids::cgroup_ns_id},
    Namespace{"time", &Ids::has_time_ns_id, &Ids::time_ns_id},
};

// The id of a namespace is that of the dumper's own where the task shares it.
void CheckNamespaces(const TaskImages& task, const Ids& root, Findings& findings) {
  if (!task.ids) return;  // PlanTask() tells
  for (const Namespace& space : kNamespaces) {
    if (!((*task.ids).*space.has)()) continue;
    const uint32_t id = ((*task.ids).*space.id)();
    if ((root.*space.has)() && (root.*space.id)() == id) continue;
    findings.Unsupported(
        "ids-{}.img: process {} has its own {} namespace (id {}), which is "
        "not supported",
        task.tree.pid(), task.tree.pid(), space.name, id);
  }
}

void CheckTree(const DumpImages& images, Findings& findings) {
  if (images.tasks.empty()) findings.BadFormat("pstree.img: holds no process");
  if (images.tasks.size() > 1) {
    findings.Unsupported("pstree.img: {} processes, supported is 1", images.tasks.size());
  }
  std::set<uint32_t> pids;
  for (const TaskImages& task : images.tasks) {
    for (const uint32_t tid : task.tree.threads()) {
      if (!pids.insert(tid).second) findings.BadFormat("pstree.img: thread {} is there twice", tid);
    }
  }
}

}  // namespace

Result<RestorePlan> BuildRestorePlan(const DumpImages& images) {
  Findings findings;
  RestorePlan plan;
  FilePlanner files(images, plan, findings);
  CheckInventory(images.inventory, findings);
  CheckTree(images, findings);
  for (const TaskImages& task : images.tasks) {
    CheckNamespaces(task, images.inventory.root_ids(), findings);
    plan.tasks.push_back(PlanTask(task, files, findings));
  }
  files.PlanPipes();
  PlanEpolls(plan, findings);
  CKPT_TRY(findings.AsResult());
  return plan;
}

}  // namespace ckpt
