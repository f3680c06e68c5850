#include "formats/check/namespace_damages.h"

#include <string>

#include "formats/check/check_damage.h"
#include "formats/proto/cgroup.pb.h"
#include "formats/proto/ipc.pb.h"
#include "formats/proto/namespaces.pb.h"
#include "formats/proto/network.pb.h"
#include "formats/proto/task.pb.h"

namespace ckpt {

namespace {

std::vector<CheckDamage> OwnNamespaceDamages() {
  return {
      {"namespace-image", Without(ImageType::kUtsns)},
      {"namespace-image", Without(ImageType::kIpcVar)},
      {"namespace-image", OfOwnMounts(Without(ImageType::kMnts)), {"image-unused"}},
      {"namespace-image", Without(ImageType::kUserns)},
      {"namespace-init",
       [](SampleContainer& sample) {
         if (TaskIds(sample).pid_ns_id() == RootIds(sample).pid_ns_id()) return false;
         // An external namespace has no init in the dump.
         if (!sample.dump.FirstOf(ImageType::kPidns).empty()) return false;
         return InTree([&](pb::pstree_entry& task) {
           const std::string ids = ImageFileName(ImageType::kIds, task.pid());
           if (task.ppid() == 0 || !sample.dump.Has(ids)) return false;
           task.set_ppid(0);
           return true;
         })(sample);
       },
       {"tree-root"}},
      {"netns-id", In<pb::netns_entry>(ImageType::kNetns,
                                       [](pb::netns_entry& ns) {
                                         if (ns.nsids().empty()) return false;
                                         ns.mutable_nsids(0)->set_target_ns_id(kNobody);
                                         return true;
                                       })},
      {"netdev-duplicate", Twice<pb::net_device_entry>(ImageType::kNetdev)},
      {"id-map", In<pb::userns_entry>(ImageType::kUserns,
                                      [](pb::userns_entry& ns) {
                                        if (ns.uid_map().empty()) return false;
                                        ns.mutable_uid_map(0)->set_count(0);
                                        return true;
                                      })},
  };
}

std::vector<CheckDamage> CgroupDamages() {
  return {
      {"cgroup-set", InCore([](pb::core_entry& core) {
         if (core.thread_core().cg_set() == 0) return false;
         core.mutable_thread_core()->set_cg_set(kNobody);
         return true;
       })},
      {"cgroup-prefix", In<pb::cgroup_entry>(ImageType::kCgroup,
                                             [](pb::cgroup_entry& cgroups) {
                                               if (cgroups.sets().empty()) return false;
                                               auto& set = *cgroups.mutable_sets(0);
                                               if (set.ctls().empty()) return false;
                                               set.mutable_ctls(0)->set_cgns_prefix(kNobody);
                                               return true;
                                             })},
      {"cgroup-controller", In<pb::cgroup_entry>(ImageType::kCgroup,
                                                 [](pb::cgroup_entry& cgroups) {
                                                   if (cgroups.controllers().empty()) return false;
                                                   if (cgroups.sets().empty()) return false;
                                                   auto& set = *cgroups.mutable_sets(0);
                                                   if (set.ctls().empty()) return false;
                                                   set.mutable_ctls(0)->set_name("none");
                                                   return true;
                                                 })},
  };
}

std::vector<CheckDamage> IpcDamages() {
  return {
      {"ipc-duplicate", Twice<pb::ipc_shm_entry>(ImageType::kIpcnsShm)},
      {"ipc-pages",
       In<pb::ipc_shm_entry>(ImageType::kIpcnsShm,
                             [](pb::ipc_shm_entry& segment) {
                               if (!segment.in_pagemaps()) return false;
                               segment.mutable_desc()->set_id(kNobody);
                               return true;
                             }),
       {"image-unused", "vma-sysv"}},
  };
}

}  // namespace

std::vector<CheckDamage> NamespaceDamages() {
  return JoinDamages({OwnNamespaceDamages(), CgroupDamages(), IpcDamages()});
}

}  // namespace ckpt
