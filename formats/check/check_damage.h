// For tests: a way to damage a dump that a rule of a check names, and what such damages are made
// of.
#ifndef FORMATS_CHECK_CHECK_DAMAGE_H_
#define FORMATS_CHECK_CHECK_DAMAGE_H_

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "formats/check/sample_container.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/namespaces.pb.h"
#include "formats/proto/task.pb.h"

namespace ckpt {

// False where the dump has nothing that can be damaged like that.
using DamageEdit = std::function<bool(SampleContainer&)>;

struct CheckDamage {
  std::string_view rule;  // that names it
  DamageEdit make;
  // Other rules that rightly name a consequence of it.
  std::vector<std::string_view> also = {};
};

std::vector<CheckDamage> JoinDamages(std::initializer_list<std::vector<CheckDamage>> tables);

// An id that nothing has.
inline constexpr uint32_t kNobody = 0x7ffffff1;

// A damage to the first entry of a type that `change` takes.
template <typename M, typename Change>
DamageEdit In(ImageType type, Change change) {
  return [type, change](SampleContainer& sample) { return sample.dump.Edit<M>(type, change); };
}

template <typename Change>
DamageEdit InTree(Change change) {
  return In<pb::pstree_entry>(ImageType::kPstree, change);
}
template <typename Change>
DamageEdit InFile(Change change) {
  return In<pb::file_entry>(ImageType::kFiles, change);
}
template <typename Change>
DamageEdit InCore(Change change) {
  return In<pb::core_entry>(ImageType::kCore, change);
}
template <typename Change>
DamageEdit InMm(Change change) {
  return In<pb::mm_entry>(ImageType::kMm, change);
}
template <typename Change>
DamageEdit InPages(Change change) {
  return In<pb::pagemap_entry>(ImageType::kPagemap, change);
}

// Without the first image of the type.
DamageEdit Without(ImageType type);

// With an entry of the type twice in its image.
template <typename M>
DamageEdit Twice(ImageType type) {
  return [type](SampleContainer& sample) {
    return sample.dump.Repeat<M>(type, [](const M&) { return true; });
  };
}

// The ids of the dumper's own namespaces, and of a task's.
pb::task_kobj_ids_entry RootIds(SampleContainer& sample);
pb::task_kobj_ids_entry TaskIds(SampleContainer& sample);

// Of a dump whose tasks have mounts of their own, which a restorer makes again.
DamageEdit OfOwnMounts(const DamageEdit& damage);

template <typename Change>
DamageEdit InMount(Change change) {
  return OfOwnMounts(In<pb::mnt_entry>(ImageType::kMnts, change));
}

// The first mapping with one of the bits; null where there is none.
pb::vma_entry* FindVma(pb::mm_entry& mm, uint32_t status);

}  // namespace ckpt

#endif  // FORMATS_CHECK_CHECK_DAMAGE_H_
