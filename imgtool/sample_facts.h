// For tests: small pieces of what a dump says.
#ifndef IMGTOOL_SAMPLE_FACTS_H_
#define IMGTOOL_SAMPLE_FACTS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "formats/proto/files.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/raw_facts.pb.h"
#include "formats/proto/task.pb.h"
#include "formats/vma_status.h"
#include "imgtool/dump_facts.h"

namespace ckpt {

inline pb::reg_file_entry SampleRegFile(uint32_t id, std::string name) {
  pb::reg_file_entry file;
  file.set_id(id);
  file.set_flags(0);
  file.set_pos(0);
  pb::fown_entry& owner = *file.mutable_fown();
  owner.set_uid(0);
  owner.set_euid(0);
  owner.set_signum(0);
  owner.set_pid_type(0);
  owner.set_pid(0);
  file.set_name(std::move(name));
  return file;
}

inline pb::sk_opts_entry SampleSocketOptions() {
  pb::sk_opts_entry options;
  options.set_so_sndbuf(1);
  options.set_so_rcvbuf(1);
  options.set_so_snd_tmo_sec(0);
  options.set_so_snd_tmo_usec(0);
  options.set_so_rcv_tmo_sec(0);
  options.set_so_rcv_tmo_usec(0);
  return options;
}

// An entry of files.img; its place is that of its id.
inline DumpedFile SampleFile(uint32_t id, std::string name) {
  return {{"files.img", id}, "reg.", SampleRegFile(id, std::move(name))};
}

inline pb::mnt_entry SampleMount(uint32_t fstype, uint32_t mnt_id, uint32_t parent_mnt_id,
                                 std::string mountpoint, std::string options = "rw") {
  pb::mnt_entry mount;
  mount.set_fstype(fstype);
  mount.set_mnt_id(mnt_id);
  mount.set_root_dev(mnt_id);
  mount.set_parent_mnt_id(parent_mnt_id);
  mount.set_flags(0);
  mount.set_root("/");
  mount.set_mountpoint(std::move(mountpoint));
  mount.set_source("none");
  mount.set_options(std::move(options));
  return mount;
}

// The mounts as the entries of mountpoints-NS.img.
inline std::vector<DumpedMount> SampleMounts(uint32_t mnt_ns_id,
                                             const std::vector<pb::mnt_entry>& entries) {
  std::vector<DumpedMount> mounts;
  for (size_t i = 0; i < entries.size(); ++i) {
    mounts.push_back({{fmt::format("mountpoints-{}.img", mnt_ns_id), i}, entries[i]});
  }
  return mounts;
}

inline pb::vma_entry SampleFileVma(uint32_t file_id) {
  pb::vma_entry vma;
  vma.set_start(0x400000);
  vma.set_end(0x401000);
  vma.set_pgoff(0);
  vma.set_shmid(file_id);
  vma.set_prot(5);
  vma.set_flags(2);
  vma.set_status(kVmaRegular | kVmaFilePrivate);
  vma.set_fd(-1);
  return vma;
}

inline pb::mm_entry SampleMm(uint32_t exe_file_id, const std::vector<uint32_t>& mapped_file_ids) {
  pb::mm_entry mm;
  mm.set_mm_start_code(0);
  mm.set_mm_end_code(0);
  mm.set_mm_start_data(0);
  mm.set_mm_end_data(0);
  mm.set_mm_start_stack(0);
  mm.set_mm_start_brk(0);
  mm.set_mm_brk(0);
  mm.set_mm_arg_start(0);
  mm.set_mm_arg_end(0);
  mm.set_mm_env_start(0);
  mm.set_mm_env_end(0);
  mm.set_exe_file_id(exe_file_id);
  for (const uint32_t id : mapped_file_ids) *mm.add_vmas() = SampleFileVma(id);
  return mm;
}

inline pb::fs_entry SampleFs(uint32_t cwd_id, uint32_t root_id) {
  pb::fs_entry fs;
  fs.set_cwd_id(cwd_id);
  fs.set_root_id(root_id);
  return fs;
}

inline pb::raw_mapping SampleMapping(uint32_t file_id, std::string map_files_path,
                                     std::string maps_path) {
  pb::raw_mapping mapping;
  mapping.set_pid(42);
  mapping.set_start(0x400000);
  mapping.set_end(0x401000);
  mapping.set_reg_file_id(file_id);
  mapping.set_map_files_path(std::move(map_files_path));
  mapping.set_maps_path(std::move(maps_path));
  mapping.set_maps_dev(1);
  mapping.set_maps_ino(2);
  mapping.set_stat_dev(3);
  mapping.set_stat_ino(4);
  return mapping;
}

}  // namespace ckpt

#endif  // IMGTOOL_SAMPLE_FACTS_H_
