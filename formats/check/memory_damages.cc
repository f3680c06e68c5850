#include "formats/check/memory_damages.h"

#include "formats/check/check_damage.h"
#include "formats/pagemap.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/task.pb.h"
#include "formats/vma_status.h"

namespace ckpt {

namespace {

std::vector<CheckDamage> VmaDamages() {
  return {
      {"vma-range", InMm([](pb::mm_entry& mm) {
         pb::vma_entry* vma = FindVma(mm, kVmaSysvIpc | kVmaAnonShared);
         if (vma == nullptr) return false;
         vma->set_end(vma->start());
         return true;
       })},
      {"vma-order", InMm([](pb::mm_entry& mm) {
         if (mm.vmas_size() < 2) return false;
         mm.mutable_vmas()->SwapElements(0, 1);
         return true;
       })},
      {"vma-order", InMm([](pb::mm_entry& mm) {
         if (mm.vmas_size() < 2) return false;
         mm.mutable_vmas(0)->set_end(mm.vmas(1).start() + kPageBytes);
         return true;
       })},
      {"vma-status", InMm([](pb::mm_entry& mm) {
         pb::vma_entry* vma = FindVma(mm, kVmaFilePrivate);
         if (vma == nullptr) return false;
         vma->set_status(vma->status() | kVmaUnsupported);
         return true;
       })},
      {"vma-file",
       InMm([](pb::mm_entry& mm) {
         pb::vma_entry* vma = FindVma(mm, kVmaFilePrivate);
         if (vma == nullptr) return false;
         vma->set_shmid(kNobody);
         return true;
       }),
       {"file-unused"}},
      {"vma-shmem",
       InMm([](pb::mm_entry& mm) {
         pb::vma_entry* vma = FindVma(mm, kVmaAnonShared);
         if (vma == nullptr || (vma->status() & (kVmaSysvIpc | kVmaMemfd)) != 0) return false;
         vma->set_shmid(kNobody);
         return true;
       }),
       {"image-unused"}},
      {"vma-sysv", InMm([](pb::mm_entry& mm) {
         pb::vma_entry* vma = FindVma(mm, kVmaSysvIpc);
         if (vma == nullptr) return false;
         vma->set_shmid(kNobody);
         return true;
       })},
  };
}

std::vector<CheckDamage> MmDamages() {
  return {
      {"mm-addresses", InMm([](pb::mm_entry& mm) {
         mm.set_mm_end_code(mm.mm_start_code());
         return true;
       })},
      {"aio-ring", InMm([](pb::mm_entry& mm) {
         if (mm.aios().empty()) return false;
         mm.mutable_aios(0)->set_id(kPageBytes);
         return true;
       })},
      {"exe-file", InMm([](pb::mm_entry& mm) {
         mm.set_exe_file_id(kNobody);
         return true;
       })},
      {"fs-file",
       In<pb::fs_entry>(ImageType::kFs,
                        [](pb::fs_entry& fs) {
                          fs.set_cwd_id(kNobody);
                          return true;
                        }),
       {"file-unused"}},
  };
}

}  // namespace

std::vector<CheckDamage> MemoryDamages() { return JoinDamages({VmaDamages(), MmDamages()}); }

}  // namespace ckpt
