#include "formats/check/namespace_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "formats/check/checked_tasks.h"
#include "formats/proto/cgroup.pb.h"
#include "formats/proto/ipc.pb.h"
#include "formats/proto/namespaces.pb.h"
#include "formats/proto/network.pb.h"

namespace ckpt {

namespace {

// A namespace of tasks, and the image without which a restorer cannot make it again. The images of
// network, PID and time namespaces may be missing.
struct NamespaceKind {
  const char* field;
  ImageType image;
  bool (pb::task_kobj_ids_entry::*has)() const;
  uint32_t (pb::task_kobj_ids_entry::*get)() const;
};

constexpr NamespaceKind kKinds[] = {
    {"mnt_ns_id", ImageType::kMnts, &pb::task_kobj_ids_entry::has_mnt_ns_id,
     &pb::task_kobj_ids_entry::mnt_ns_id},
    {"uts_ns_id", ImageType::kUtsns, &pb::task_kobj_ids_entry::has_uts_ns_id,
     &pb::task_kobj_ids_entry::uts_ns_id},
    {"ipc_ns_id", ImageType::kIpcVar, &pb::task_kobj_ids_entry::has_ipc_ns_id,
     &pb::task_kobj_ids_entry::ipc_ns_id},
    {"user_ns_id", ImageType::kUserns, &pb::task_kobj_ids_entry::has_user_ns_id,
     &pb::task_kobj_ids_entry::user_ns_id},
};

void CheckNamespaceImages(CheckRun& run) {
  const auto* inventory = run.tasks().inventory();
  if (inventory == nullptr || !inventory->has_root_ids()) return;
  const pb::task_kobj_ids_entry& root = inventory->root_ids();
  std::set<std::string> missing;
  for (const CheckedTask& task : run.tasks().all()) {
    if (task.is_dead || task.ids == nullptr) continue;
    for (const NamespaceKind& kind : kKinds) {
      const uint32_t id = (task.ids->*kind.get)();
      if (!(task.ids->*kind.has)() || id == (root.*kind.get)()) continue;
      const std::string name = ImageFileName(kind.image, id);
      if (run.dump().Has(kind.image, id) || !missing.insert(name).second) continue;
      run.Add(CheckPlace(task.ids_image, 0), kind.field,
              fmt::format("{}, but there is no {}", id, name),
              "the namespace, where it is not the one of the dumper");
    }
  }
}

// The first task of a PID namespace is its init.
void CheckInit(CheckRun& run) {
  const auto* inventory = run.tasks().inventory();
  if (inventory == nullptr || !inventory->root_ids().has_pid_ns_id()) return;
  for (const CheckedTask& task : run.tasks().all()) {
    if (task.tree.message->ppid() != 0 || task.ids == nullptr || !task.ids->has_pid_ns_id()) {
      continue;
    }
    const uint32_t id = task.ids->pid_ns_id();
    if (id == inventory->root_ids().pid_ns_id() || task.pid == 1) continue;
    const auto* image = run.dump().FindFirst<pb::pidns_entry>(ImageType::kPidns, id);
    if (image != nullptr && image->has_ext_key()) continue;
    run.Add(task.tree, "pid", fmt::format("{} in a PID namespace of its own", task.pid),
            "1, or a namespace that the restorer is given");
  }
}

void CheckNetIds(CheckRun& run) {
  run.dump().ForEach<pb::netns_entry>(ImageType::kNetns, [&](const EntryRef<pb::netns_entry>& ns) {
    for (int i = 0; i < ns.message->nsids_size(); ++i) {
      const uint32_t target = ns.message->nsids(i).target_ns_id();
      if (run.dump().Has(ImageType::kNetns, target)) continue;
      run.Add(ns, fmt::format("nsids[{}].target_ns_id", i), fmt::format("{}", target),
              "a namespace with a netns image");
    }
  });
}

void CheckNetDevices(CheckRun& run) {
  for (const CheckedImage& image : run.dump().ImagesOf(ImageType::kNetdev)) {
    std::set<uint32_t> seen;
    run.dump().ForEachIn<pb::net_device_entry>(
        image, [&](const EntryRef<pb::net_device_entry>& device) {
          if (seen.insert(device.message->ifindex()).second) return;
          run.Add(device, "ifindex", fmt::format("{} again", device.message->ifindex()),
                  "devices that occur once");
        });
  }
}

void CheckIdMaps(CheckRun& run) {
  run.dump().ForEach<pb::userns_entry>(
      ImageType::kUserns, [&](const EntryRef<pb::userns_entry>& ns) {
        const auto check = [&](const char* field, const auto& map) {
          for (int i = 0; i < map.size(); ++i) {
            const uint64_t first = map[i].first();
            const uint64_t lower = map[i].lower_first();
            const uint64_t count = map[i].count();
            if (count > 0 && first + count <= UINT32_MAX && lower + count <= UINT32_MAX) continue;
            run.Add(ns, fmt::format("{}[{}]", field, i),
                    fmt::format("{} ids from {} to {}", count, first, lower),
                    "at least one, all of 32 bits");
          }
        };
        check("uid_map", ns.message->uid_map());
        check("gid_map", ns.message->gid_map());
      });
}

const pb::cgroup_entry* Cgroups(CheckRun& run) {
  return run.dump().FindFirst<pb::cgroup_entry>(ImageType::kCgroup);
}

void CheckCgroupSets(CheckRun& run) {
  const auto* inventory = run.tasks().inventory();
  if (inventory == nullptr || !run.dump().AreWhole(ImageType::kCgroup)) return;
  std::set<uint32_t> sets;
  const pb::cgroup_entry* cgroups = Cgroups(run);
  for (int i = 0; cgroups != nullptr && i < cgroups->sets_size(); ++i) {
    sets.insert(cgroups->sets(i).id());
  }
  const uint32_t own = inventory->root_cg_set();
  // Tasks in the set of the dumper are left where the restorer is.
  const auto check = [&](const CheckPlace& place, const char* field, uint32_t set) {
    if (set == 0 || set == own || sets.contains(set)) return;
    run.Add(place, field, fmt::format("{}", set), "a set of cgroup.img");
  };
  run.dump().ForEach<pb::core_entry>(ImageType::kCore, [&](const EntryRef<pb::core_entry>& core) {
    check(core, "tc.cg_set", core.message->tc().cg_set());
    check(core, "thread_core.cg_set", core.message->thread_core().cg_set());
  });
}

template <typename Visit>
void ForEachCgroup(CheckRun& run, Visit visit) {
  run.dump().ForEach<pb::cgroup_entry>(
      ImageType::kCgroup, [&](const EntryRef<pb::cgroup_entry>& cgroups) {
        for (int i = 0; i < cgroups.message->sets_size(); ++i) {
          const pb::cg_set_entry& set = cgroups.message->sets(i);
          for (int j = 0; j < set.ctls_size(); ++j) {
            visit(cgroups, fmt::format("sets[{}].ctls[{}].", i, j), set.ctls(j));
          }
        }
      });
}

void CheckCgroupPrefixes(CheckRun& run) {
  ForEachCgroup(run, [&](const auto& ref, const std::string& field, const auto& member) {
    if (!member.has_cgns_prefix() || member.cgns_prefix() <= member.path().size()) return;
    run.Add(ref, field + "cgns_prefix", fmt::format("{}", member.cgns_prefix()),
            fmt::format("at most {}, the length of the path", member.path().size()));
  });
}

void CheckCgroupControllers(CheckRun& run) {
  const pb::cgroup_entry* cgroups = Cgroups(run);
  if (cgroups == nullptr || cgroups->controllers().empty()) return;
  std::set<std::string> names;
  for (const auto& controller : cgroups->controllers()) {
    names.insert(controller.cnames().begin(), controller.cnames().end());
  }
  const auto is_known = [&](const std::string& name) {
    size_t at = 0;
    // Controllers mounted together are one name with commas.
    while (at <= name.size()) {
      const size_t end = std::min(name.find(',', at), name.size());
      if (names.contains(name.substr(at, end - at))) return true;
      at = end + 1;
    }
    return names.contains(name);
  };
  ForEachCgroup(run, [&](const auto& ref, const std::string& field, const auto& member) {
    if (is_known(member.name())) return;
    run.Add(ref, field + "name", fmt::format("\"{}\"", member.name()),
            "the name of one of the controllers");
  });
}

template <typename M>
void CheckIpcIds(CheckRun& run, ImageType type) {
  for (const CheckedImage& image : run.dump().ImagesOf(type)) {
    std::set<uint32_t> seen;
    run.dump().ForEachIn<M>(image, [&](const EntryRef<M>& object) {
      if (seen.insert(object.message->desc().id()).second) return;
      run.Add(object, "desc.id", fmt::format("{} again", object.message->desc().id()),
              "objects that occur once");
    });
  }
}

void CheckIpcUnique(CheckRun& run) {
  CheckIpcIds<pb::ipc_shm_entry>(run, ImageType::kIpcnsShm);
  CheckIpcIds<pb::ipc_msg_entry>(run, ImageType::kIpcnsMsg);
  CheckIpcIds<pb::ipc_sem_entry>(run, ImageType::kIpcnsSem);
}

void CheckIpcPages(CheckRun& run) {
  run.dump().ForEach<pb::ipc_shm_entry>(
      ImageType::kIpcnsShm, [&](const EntryRef<pb::ipc_shm_entry>& segment) {
        const uint32_t id = segment.message->desc().id();
        if (!segment.message->in_pagemaps() || run.dump().Has(ImageType::kShmemPagemap, id)) return;
        run.Add(
            segment, "in_pagemaps",
            fmt::format("true, but there is no {}", ImageFileName(ImageType::kShmemPagemap, id)),
            "the pages of the segment");
      });
}

using enum CheckSeverity;

constexpr CheckRule kRules[] = {
    {"namespace-image", kError, "a namespace that is not the dumper's has its image",
     "INVENTORY PSTREE IDS CORE MNTS UTSNS IPC_VAR USERNS", CheckNamespaceImages},
    {"namespace-init", kError, "the root of a PID namespace has pid 1",
     "INVENTORY PSTREE IDS CORE PIDNS", CheckInit},
    {"netns-id", kError, "a network namespace knows others that have images", "NETNS", CheckNetIds},
    {"netdev-duplicate", kError, "a network device occurs once", "NETDEV", CheckNetDevices},
    {"id-map", kError, "the ranges of id maps are ranges of ids", "USERNS", CheckIdMaps},
    {"cgroup-set", kError, "the cgroups of a task are in cgroup.img", "INVENTORY CORE CGROUP",
     CheckCgroupSets},
    {"cgroup-prefix", kError, "the prefix of a cgroup is a part of its path", "CGROUP",
     CheckCgroupPrefixes},
    {"cgroup-controller", kError, "the hierarchy of a cgroup is told of", "CGROUP INVENTORY",
     CheckCgroupControllers},
    {"ipc-duplicate", kError, "a System V object occurs once", "IPCNS_SHM IPCNS_MSG IPCNS_SEM",
     CheckIpcUnique},
    {"ipc-pages", kError, "the pages of a System V segment are there", "IPCNS_SHM SHMEM_PAGEMAP",
     CheckIpcPages},
};

}  // namespace

std::span<const CheckRule> NamespaceRules() { return kRules; }

}  // namespace ckpt
