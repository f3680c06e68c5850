#include "formats/check/check_damage.h"

#include "formats/proto/inventory.pb.h"

namespace ckpt {

std::vector<CheckDamage> JoinDamages(std::initializer_list<std::vector<CheckDamage>> tables) {
  std::vector<CheckDamage> all;
  for (const auto& table : tables) all.insert(all.end(), table.begin(), table.end());
  return all;
}

DamageEdit Without(ImageType type) {
  return [type](SampleContainer& sample) { return sample.dump.RemoveFirst(type); };
}

pb::task_kobj_ids_entry RootIds(SampleContainer& sample) {
  pb::task_kobj_ids_entry ids;
  sample.dump.Edit<pb::inventory_entry>(ImageType::kInventory, [&](pb::inventory_entry& inventory) {
    ids = inventory.root_ids();
    return false;
  });
  return ids;
}

pb::task_kobj_ids_entry TaskIds(SampleContainer& sample) {
  pb::task_kobj_ids_entry ids;
  sample.dump.Edit<pb::task_kobj_ids_entry>(ImageType::kIds, [&](pb::task_kobj_ids_entry& task) {
    ids = task;
    return false;
  });
  return ids;
}

DamageEdit OfOwnMounts(const DamageEdit& damage) {
  return [damage](SampleContainer& sample) {
    return TaskIds(sample).mnt_ns_id() != RootIds(sample).mnt_ns_id() && damage(sample);
  };
}

pb::vma_entry* FindVma(pb::mm_entry& mm, uint32_t status) {
  for (pb::vma_entry& vma : *mm.mutable_vmas()) {
    if ((vma.status() & status) != 0) return &vma;
  }
  return nullptr;
}

}  // namespace ckpt
