#include "formats/check/descriptor_damages.h"

#include "formats/check/check_damage.h"
#include "formats/proto/bpf.pb.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/pipes.pb.h"
#include "formats/proto/raw_facts.pb.h"
#include "formats/proto/tty.pb.h"

namespace ckpt {

namespace {

std::vector<CheckDamage> TableDamages() {
  const auto in_table = [](auto change) {
    return In<pb::fdinfo_entry>(ImageType::kFdinfo, change);
  };
  return {
      {"fd-file",
       in_table([](pb::fdinfo_entry& fd) {
         fd.set_id(kNobody);
         return true;
       }),
       {"file-unused"}},
      {"fd-type", in_table([](pb::fdinfo_entry& fd) {
         fd.set_type(fd.type() == pb::SIGNALFD ? pb::EVENTFD : pb::SIGNALFD);
         return true;
       })},
      {"fd-duplicate", Twice<pb::fdinfo_entry>(ImageType::kFdinfo)},
      {"file-duplicate", Twice<pb::file_entry>(ImageType::kFiles)},
  };
}

std::vector<CheckDamage> OpenFileDamages() {
  return {
      {"file-body", InFile([](pb::file_entry& file) {
         if (!file.has_reg()) return false;
         file.mutable_reg()->set_id(kNobody);
         return true;
       })},
      {"file-body", InFile([](pb::file_entry& file) {
         if (!file.has_tfd()) return false;
         file.clear_tfd();
         return true;
       })},
      {"file-unused",
       [](SampleContainer& sample) {
         return sample.dump.Edit<pb::file_entry>(ImageType::kFiles, [](pb::file_entry& file) {
           return file.has_reg();
         }) && [&] {
           pb::file_entry file;
           file.set_type(pb::REG);
           file.set_id(kNobody);
           file.mutable_reg()->set_id(kNobody);
           file.mutable_reg()->set_name("/x");
           sample.dump.Add(ImageType::kFiles, 0, file);
           return true;
         }();
       }},
      {"file-path", InFile([](pb::file_entry& file) {
         if (!file.has_reg() || file.reg().ext()) return false;
         file.mutable_reg()->set_name("bin/app");
         return true;
       })},
      {"file-node",
       InFile([](pb::file_entry& file) {
         if (!file.has_fifo()) return false;
         file.mutable_fifo()->set_regf_id(kNobody);
         return true;
       }),
       {"file-unused"}},
  };
}

std::vector<CheckDamage> DataDamages() {
  return {
      {"tty-info", InFile([](pb::file_entry& file) {
         if (!file.has_tty()) return false;
         file.mutable_tty()->set_tty_info_id(kNobody);
         return true;
       })},
      {"tty-data", In<pb::tty_data_entry>(ImageType::kTtyData,
                                          [](pb::tty_data_entry& data) {
                                            data.set_tty_id(kNobody);
                                            return true;
                                          })},
      {"pipe-data", Without(ImageType::kPipesData)},
      {"pipe-duplicate", Twice<pb::pipe_data_entry>(ImageType::kPipesData)},
      {"pipe-unused",
       [](SampleContainer& sample) {
         pb::pipe_data_entry data;
         data.set_pipe_id(kNobody);
         sample.dump.Add(ImageType::kPipesData, 0, data);
         return true;
       }},
      {"memfd-inode", InFile([](pb::file_entry& file) {
         if (!file.has_memfd()) return false;
         file.mutable_memfd()->set_inode_id(kNobody);
         return true;
       })},
      {"memfd-pages", Twice<pb::memfd_inode_entry>(ImageType::kMemfdInode)},
      {"memfd-pages",
       In<pb::memfd_inode_entry>(ImageType::kMemfdInode,
                                 [](pb::memfd_inode_entry& inode) {
                                   inode.set_shmid(kNobody);
                                   return true;
                                 }),
       {"image-unused"}},
      {"bpf-unused", In<pb::bpfmap_data_entry>(ImageType::kBpfmapData,
                                               [](pb::bpfmap_data_entry& data) {
                                                 data.set_map_id(kNobody);
                                                 return true;
                                               })},
      {"lock-owner", In<pb::file_lock_entry>(ImageType::kFileLocks,
                                             [](pb::file_lock_entry& lock) {
                                               lock.set_fd(9999);
                                               return true;
                                             })},
      {"raw-file", In<pb::raw_fact_entry>(ImageType::kCkptRaw,
                                          [](pb::raw_fact_entry& fact) {
                                            if (!fact.has_mapping()) return false;
                                            fact.mutable_mapping()->set_reg_file_id(kNobody);
                                            return true;
                                          })},
  };
}

}  // namespace

std::vector<CheckDamage> DescriptorDamages() {
  return JoinDamages({TableDamages(), OpenFileDamages(), DataDamages()});
}

}  // namespace ckpt
