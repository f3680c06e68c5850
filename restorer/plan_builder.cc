#include "restorer/plan_builder.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "formats/image_version.h"
#include "restorer/event_file_plan.h"
#include "restorer/file_mounts.h"
#include "restorer/file_plan.h"
#include "restorer/findings.h"
#include "restorer/shared_memory_plan.h"
#include "restorer/task_plan.h"
#include "restorer/tree_plan.h"
#include "restorer/tty_plan.h"
#include "restorer/unix_socket_plan.h"

namespace ckpt {

namespace {

void CheckInventory(const pb::inventory_entry& inventory, Findings& findings) {
  const uint32_t version = inventory.img_version();
  if (version == kCriuCompressedVersion) {
    findings.Unsupported(
        "inventory.img: images of version 3 (compressed pages), supported are 1 "
        "and 2");
  } else if (!IsKnownImageVersion(version)) {
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

std::vector<TaskCgroupSets> CgroupSetsOf(const DumpImages& images) {
  std::vector<TaskCgroupSets> tasks;
  for (const TaskImages& task : images.tasks) {
    TaskCgroupSets& sets = tasks.emplace_back(TaskCgroupSets{.pid = task.tree.pid()});
    for (const pb::core_entry& core : task.threads) {
      // Before CRIU 3.18 only processes had one.
      sets.threads.push_back(core.thread_core().has_cg_set() ? core.thread_core().cg_set()
                                                             : task.threads.front().tc().cg_set());
    }
  }
  return tasks;
}

void PlanPlace(const DumpImages& images, const RestorePlace& place, RestorePlan& plan,
               Findings& findings) {
  std::vector<TaskNamespaces> tasks;
  for (const TaskImages& task : images.tasks) {
    if (task.ids) tasks.push_back({.pid = task.tree.pid(), .ids = &*task.ids});
  }
  plan.cgroups = PlanCgroups(CgroupSetsOf(images), images.cgroups, images.inventory.root_cg_set(),
                             place.cgroups, findings);
  plan.namespaces = PlanNamespaces(tasks, images.inventory.root_ids(), images.namespaces,
                                   place.root, place.external_mounts, findings);
  if (plan.namespaces.mounts) {
    CheckFileMounts(plan.files, *plan.namespaces.mounts, findings);
  }
}

void CheckTree(const DumpImages& images, Findings& findings) {
  if (images.tasks.empty()) findings.BadFormat("pstree.img: holds no process");
  std::set<uint32_t> ids;
  const auto add = [&](uint32_t id) {
    if (!ids.insert(id).second) findings.BadFormat("pstree.img: thread {} is there twice", id);
  };
  for (const TaskImages& task : images.tasks) {
    if (task.tree.pid() == 0) findings.BadFormat("pstree.img: a process has the number 0");
    add(task.tree.pid());
    for (size_t i = 1; i < task.threads.size(); ++i) {
      add(task.tree.threads(static_cast<int>(i)));
    }
  }
}

}  // namespace

Result<RestorePlan> BuildRestorePlan(const DumpImages& images, const RestorePlace& place) {
  Findings findings;
  RestorePlan plan;
  FilePlanner files(images, plan, findings);
  const SharedMemoryFiles shared_files = FindSharedMemoryFiles(images);
  CheckInventory(images.inventory, findings);
  CheckTree(images, findings);
  for (const TaskImages& task : images.tasks) {
    plan.tasks.push_back(PlanTask(task, files, shared_files, findings));
  }
  PlanSharedMemory(images, plan, findings);
  PlanTree(plan, findings);
  PlanPlace(images, place, plan, findings);
  files.PlanPipes();
  ConnectUnixSockets(images, plan, findings);
  PlanTerminals(images, plan, findings);
  PlanEpolls(plan, findings);
  CKPT_TRY(findings.AsResult());
  return plan;
}

}  // namespace ckpt
