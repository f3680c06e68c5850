#include "formats/check/page_damages.h"

#include <string>

#include "formats/check/check_damage.h"
#include "formats/pagemap.h"
#include "formats/proto/memory.pb.h"
#include "formats/vma_status.h"

namespace ckpt {

namespace {

std::vector<CheckDamage> PagemapDamages() {
  return {
      {"pagemap-head",
       [](SampleContainer& sample) {
         const std::string name = sample.dump.FirstOf(ImageType::kShmemPagemap);
         if (name.empty()) return false;
         sample.dump.Set(name, sample.dump.files().at(name).substr(0, 2 * sizeof(uint32_t)));
         return true;
       },
       {"pages-unused"}},
      {"pagemap-order",
       InPages([](pb::pagemap_entry& pages) {
         pages.set_vaddr(pages.vaddr() + 1);
         return true;
       }),
       {"pagemap-outside"}},
      {"pagemap-flags", InPages([](pb::pagemap_entry& pages) {
         if ((pages.flags() & kPagesPresent) == 0) return false;
         pages.set_flags(kPagesPresent | 0x40);
         return true;
       })},
      {"pagemap-outside",
       InPages([](pb::pagemap_entry& pages) {
         // Below every mapping.
         pages.set_vaddr(kPageBytes);
         return true;
       }),
       {"vdso-pages"}},
  };
}

std::vector<CheckDamage> PagesDamages() {
  const auto resized = [](int64_t by) {
    return [by](SampleContainer& sample) {
      const std::string name = sample.dump.FirstOf(ImageType::kPages);
      if (name.empty()) return false;
      std::string bytes = sample.dump.files().at(name);
      bytes.resize(static_cast<size_t>(static_cast<int64_t>(bytes.size()) + by));
      sample.dump.Set(name, bytes);
      return true;
    };
  };
  return {
      {"pages-missing", Without(ImageType::kPages)},
      {"pages-short", resized(-1)},
      {"pages-long", resized(4096)},
      {"pages-shared",
       [](SampleContainer& sample) {
         uint32_t taken = 0;
         sample.dump.Edit<pb::pagemap_head>(ImageType::kShmemPagemap, [&](pb::pagemap_head& head) {
           taken = head.pages_id();
           return false;
         });
         return taken != 0 && sample.dump.Edit<pb::pagemap_head>(ImageType::kPagemap,
                                                                 [&](pb::pagemap_head& head) {
                                                                   head.set_pages_id(taken);
                                                                   return true;
                                                                 });
       },
       {"pages-unused", "pages-short", "pages-long"}},
      {"pages-form",
       [](SampleContainer& sample) {
         const std::string name = sample.dump.FirstOf(ImageType::kPages);
         if (name.empty()) return false;
         const uint64_t id = FindImageTypeByFileName(name)->id;
         sample.dump.Set(ImageType::kPagesZstd, id, sample.dump.files().at(name));
         return sample.dump.Remove(name);
       }},
      {"pages-unused",
       [](SampleContainer& sample) {
         sample.dump.Set(ImageType::kPages, kNobody, "");
         return true;
       }},
  };
}

std::vector<CheckDamage> KernelPageDamages() {
  return {
      {"vdso-pages", InMm([](pb::mm_entry& mm) {
         pb::vma_entry* vma = FindVma(mm, kVmaVvar);
         if (vma == nullptr) return false;
         vma->set_status((vma->status() & ~kVmaVvar) | kVmaVdso);
         return true;
       })},
      {"vvar-pages", InMm([](pb::mm_entry& mm) {
         pb::vma_entry* vma = FindVma(mm, kVmaVdso);
         if (vma == nullptr) return false;
         vma->set_status((vma->status() & ~kVmaVdso) | kVmaVvar);
         return true;
       })},
      {"parent-gap",
       [](SampleContainer& sample) {
         return sample.parent.RemoveFirst(ImageType::kPagemap) &&
                sample.parent.RemoveFirst(ImageType::kPages);
       }},
  };
}

}  // namespace

std::vector<CheckDamage> PageDamages() {
  return JoinDamages({PagemapDamages(), PagesDamages(), KernelPageDamages()});
}

}  // namespace ckpt
