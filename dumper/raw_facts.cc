#include "dumper/raw_facts.h"

#include <fmt/format.h>
#include <sys/sysmacros.h>

namespace ckpt {

namespace {

pb::raw_fact_entry UnionFact(uint32_t mnt_ns_id, const UnionMount& mount) {
  pb::raw_fact_entry entry;
  pb::raw_union& fact = *entry.mutable_union_mount();
  fact.set_mnt_ns_id(mnt_ns_id);
  fact.set_mnt_id(mount.mnt_id);
  fact.set_fstype(mount.fstype);
  fact.set_mountpoint(mount.mountpoint);
  fact.set_id(mount.id);
  fact.set_source(mount.source);
  fact.set_options(mount.options);
  for (const UnionBranch& branch : mount.branches) {
    pb::raw_branch& raw = *fact.add_branches();
    raw.set_path(branch.path);
    std::string permissions = branch.permissions;
    for (const std::string& attribute : branch.attributes) permissions += "+" + attribute;
    raw.set_permissions(permissions);
  }
  return entry;
}

pb::raw_fact_entry MappingFact(pid_t pid, const Mapping& mapping, const MappedFile& mapped) {
  pb::raw_fact_entry entry;
  pb::raw_mapping& fact = *entry.mutable_mapping();
  fact.set_pid(static_cast<uint32_t>(pid));
  fact.set_start(mapping.start);
  fact.set_end(mapping.end);
  fact.set_reg_file_id(mapped.file_id);
  fact.set_map_files_path(mapped.file.path);
  fact.set_maps_path(mapping.path);
  fact.set_maps_dev(mapping.dev_major << 20 | mapping.dev_minor);
  fact.set_maps_ino(mapping.inode);
  fact.set_stat_dev(static_cast<uint32_t>(makedev(mapped.file.dev_major, mapped.file.dev_minor)));
  fact.set_stat_ino(mapped.file.inode);
  fact.set_mnt_id(mapped.file.mnt_id);
  return entry;
}

}  // namespace

std::vector<pb::raw_fact_entry> BuildRawFacts(pid_t pid, uint32_t mnt_ns_id,
                                              const std::unordered_set<int32_t>& mount_ids,
                                              const std::vector<UnionMount>& unions,
                                              const std::vector<Mapping>& mappings,
                                              const std::vector<MappedFile>& mapped_files) {
  std::vector<pb::raw_fact_entry> facts;
  facts.reserve(unions.size());
  for (const UnionMount& mount : unions) facts.push_back(UnionFact(mnt_ns_id, mount));
  for (const MappedFile& mapped : mapped_files) {
    const Mapping& mapping = mappings[mapped.mapping_index];
    if (mapping.path != mapped.file.path || !mount_ids.contains(mapped.file.mnt_id)) {
      facts.push_back(MappingFact(pid, mapping, mapped));
    }
  }
  return facts;
}

}  // namespace ckpt
