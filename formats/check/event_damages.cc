#include "formats/check/event_damages.h"

#include "formats/check/check_damage.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/notify.pb.h"

namespace ckpt {

std::vector<CheckDamage> EventDamages() {
  return {
      {"epoll-target", InFile([](pb::file_entry& file) {
         if (file.epfd().tfd().empty()) return false;
         file.mutable_epfd()->mutable_tfd(0)->set_tfd(9999);
         return true;
       })},
      {"watch-owner", In<pb::inotify_wd_entry>(ImageType::kInotifyWd,
                                               [](pb::inotify_wd_entry& watch) {
                                                 watch.set_id(kNobody);
                                                 return true;
                                               })},
      {"watch-duplicate", InFile([](pb::file_entry& file) {
         if (file.ify().wd().empty()) return false;
         *file.mutable_ify()->add_wd() = file.ify().wd(0);
         return true;
       })},
      {"mark-type", InFile([](pb::file_entry& file) {
         if (file.ffy().mark().empty()) return false;
         file.mutable_ffy()->mutable_mark(0)->clear_me();
         file.mutable_ffy()->mutable_mark(0)->clear_ie();
         return true;
       })},
      {"timerfd-time", InFile([](pb::file_entry& file) {
         if (!file.has_tfd()) return false;
         file.mutable_tfd()->set_vnsec(1'000'000'000);
         return true;
       })},
      {"remap-file", In<pb::remap_file_path_entry>(ImageType::kRemapFpath,
                                                   [](pb::remap_file_path_entry& remap) {
                                                     remap.set_orig_id(kNobody);
                                                     return true;
                                                   })},
      {"remap-duplicate", Twice<pb::remap_file_path_entry>(ImageType::kRemapFpath)},
      {"ghost-missing", Without(ImageType::kGhostFile)},
      {"ghost-unused", Without(ImageType::kRemapFpath), {"file-unused"}},
      {"ghost-watch",
       [](SampleContainer& sample) {
         uint64_t inode = 0;
         sample.dump.Edit<pb::file_entry>(ImageType::kFiles, [&](pb::file_entry& file) {
           if (!file.ify().wd().empty()) inode = file.ify().wd(0).i_ino();
           return false;
         });
         return inode != 0 && sample.dump.Edit<pb::ghost_file_entry>(
                                  ImageType::kGhostFile, [&](pb::ghost_file_entry& ghost) {
                                    ghost.set_ino(inode);
                                    ghost.set_dev(kNobody);
                                    return true;
                                  });
       }},
  };
}

}  // namespace ckpt
