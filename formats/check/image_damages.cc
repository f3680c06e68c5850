#include "formats/check/image_damages.h"

#include <string>

#include "formats/check/check_damage.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/inventory.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/task.pb.h"

namespace ckpt {

namespace {

std::vector<CheckDamage> FileDamages() {
  return {
      {"image-damaged",
       [](SampleContainer& sample) {
         const std::string name = sample.dump.FirstOf(ImageType::kMm);
         if (name.empty()) return false;
         std::string bytes = sample.dump.files().at(name);
         bytes.pop_back();
         sample.dump.Set(name, bytes);
         return true;
       }},
      {"image-damaged",
       [](SampleContainer& sample) {
         const std::string name = sample.dump.FirstOf(ImageType::kFiles);
         if (!name.empty()) sample.dump.Set(name, "no image at all");
         return !name.empty();
       }},
      {"image-name",
       [](SampleContainer& sample) {
         sample.dump.Set("copy of core.img",
                         sample.dump.files().at(sample.dump.FirstOf(ImageType::kCore)));
         return true;
       }},
      {"image-name",
       [](SampleContainer& sample) {
         sample.dump.Set("strange.img", "\1\2\3\4\5\6\7\10");
         return true;
       }},
      {"image-header",
       [](SampleContainer& sample) {
         const std::string name = sample.dump.FirstOf(ImageType::kPstree);
         if (name.empty()) return false;
         // Without the magic before that of the type.
         sample.dump.Set(name, sample.dump.files().at(name).substr(sizeof(uint32_t)));
         return true;
       }},
  };
}

std::vector<CheckDamage> PresenceDamages() {
  return {
      {"image-needed", Without(ImageType::kInventory), {"fdinfo-missing", "image-unused"}},
      {"image-needed", Without(ImageType::kPstree), {"lock-owner"}},
      {"image-needed",
       Without(ImageType::kFiles),
       {"fd-file", "vma-file", "exe-file", "fs-file", "remap-file", "queue-owner", "queue-file",
        "raw-file", "pipe-unused", "tcp-unused", "bpf-unused", "watch-owner"}},
      {"image-unused",
       [](SampleContainer& sample) {
         const std::string name = sample.dump.FirstOf(ImageType::kFs);
         if (!name.empty()) sample.dump.Set(ImageType::kFs, kNobody, sample.dump.files().at(name));
         return !name.empty();
       }},
      {"inventory-version", In<pb::inventory_entry>(ImageType::kInventory,
                                                    [](pb::inventory_entry& inventory) {
                                                      inventory.set_img_version(3);
                                                      return true;
                                                    })},
      {"inventory-ids",
       [](SampleContainer& sample) {
         const uint32_t own = RootIds(sample).files_id();
         const std::string table = sample.dump.FirstOf(ImageType::kFdinfo);
         uint32_t old = 0;
         const bool changed = sample.dump.Edit<pb::task_kobj_ids_entry>(
             ImageType::kIds, [&](pb::task_kobj_ids_entry& ids) {
               old = ids.files_id();
               ids.set_files_id(own);
               return own != 0 && !table.empty();
             });
         if (!changed) return false;
         const std::string from = ImageFileName(ImageType::kFdinfo, old);
         if (!sample.dump.Has(from)) return false;
         sample.dump.Set(ImageType::kFdinfo, own, sample.dump.files().at(from));
         sample.dump.Remove(from);
         return true;
       },
       // Other tasks had the table, too.
       {"fdinfo-missing"}},
      {"core-missing", Without(ImageType::kCore), {"timer-thread"}},
      {"task-image", Without(ImageType::kMm), {"file-unused", "image-unused"}},
      {"task-image", Without(ImageType::kFs), {"file-unused"}},
      {"task-image", Without(ImageType::kPagemap), {"pages-unused"}},
      {"fdinfo-missing",
       Without(ImageType::kFdinfo),
       {"file-unused", "lock-owner", "epoll-target"}},
  };
}

std::vector<CheckDamage> ContentDamages() {
  return {
      {"unknown-field", In<pb::fs_entry>(ImageType::kFs,
                                         [](pb::fs_entry& fs) {
                                           fs.GetReflection()->MutableUnknownFields(&fs)->AddVarint(
                                               99, 1);
                                           return true;
                                         })},
      {"unknown-field", InPages([](pb::pagemap_entry& pages) {
         pages.GetReflection()->MutableUnknownFields(&pages)->AddVarint(7, 1);
         return true;
       })},
      {"unknown-value", InFile([](pb::file_entry& file) {
         if (file.type() != pb::UNIXSK) return false;
         file.mutable_usk()
             ->GetReflection()
             ->MutableUnknownFields(file.mutable_usk())
             ->AddVarint(12, 99);
         return true;
       })},
      {"other-file",
       [](SampleContainer& sample) {
         sample.dump.Set("notes.txt", "remember the milk");
         return true;
       }},
  };
}

}  // namespace

std::vector<CheckDamage> ImageDamages() {
  return JoinDamages({FileDamages(), PresenceDamages(), ContentDamages()});
}

}  // namespace ckpt
