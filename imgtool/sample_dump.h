// For tests: a dump directory made of messages.
#ifndef IMGTOOL_SAMPLE_DUMP_H_
#define IMGTOOL_SAMPLE_DUMP_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "formats/image_message.h"
#include "formats/image_type.h"
#include "formats/image_writer.h"
#include "imgtool/sample_facts.h"

namespace ckpt {

// Everything below a directory: path to content, "-> target" of a link, "dir" of a directory.
using Tree = std::map<std::string, std::string>;
inline Tree ReadTree(const std::string& directory) {
  Tree tree;
  for (const auto& member : std::filesystem::recursive_directory_iterator(directory)) {
    const std::string path = member.path().string();
    std::string& content = tree[path.substr(directory.size() + 1)];
    if (member.is_symlink()) {
      content = "-> " + ReadLink(path).value();
    } else {
      content = member.is_directory() ? "dir" : ReadWholeFile(path).value();
    }
  }
  return tree;
}

class SampleDump {
 public:
  explicit SampleDump(std::string directory) : directory_(std::move(directory)) {
    std::filesystem::create_directories(directory_);
  }

  const std::string& directory() const { return directory_; }
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  template <typename M>
  void Write(ImageType type, uint64_t id, const std::vector<M>& entries) {
    ImageEncoder image(type);
    for (const M& entry : entries) CKPT_CHECK(image.Append(entry).has_value());
    WriteFile(ImageFileName(type, id), image.bytes());
  }

  void WriteFile(const std::string& name, const std::string& bytes) {
    CKPT_CHECK(WriteWholeFile(Path(name), AsBytes(bytes), 0640).has_value());
  }

  // files.img with one regular file for each; entry i is that of file i.
  void WriteFiles(const std::vector<pb::reg_file_entry>& files) {
    std::vector<pb::file_entry> entries;
    for (const pb::reg_file_entry& file : files) {
      pb::file_entry& entry = entries.emplace_back();
      entry.set_type(pb::REG);
      entry.set_id(file.id());
      *entry.mutable_reg() = file;
    }
    Write(ImageType::kFiles, 0, entries);
  }

 private:
  std::string directory_;
};

inline pb::raw_fact_entry SampleUnionFact(
    int32_t mnt_id, std::string mountpoint,
    const std::vector<std::pair<std::string, std::string>>& branches) {
  pb::raw_fact_entry fact;
  pb::raw_union& recorded = *fact.mutable_union_mount();
  recorded.set_mnt_ns_id(7);
  recorded.set_mnt_id(mnt_id);
  recorded.set_fstype("aufs");
  recorded.set_mountpoint(std::move(mountpoint));
  recorded.set_id("1f");
  recorded.set_source("none");
  recorded.set_options("rw,si=1f");
  for (const auto& [path, permissions] : branches) {
    pb::raw_branch& branch = *recorded.add_branches();
    branch.set_path(path);
    branch.set_permissions(permissions);
  }
  return fact;
}

inline pb::raw_fact_entry SampleMappingFact(const pb::raw_mapping& mapping) {
  pb::raw_fact_entry fact;
  *fact.mutable_mapping() = mapping;
  return fact;
}

inline pb::task_kobj_ids_entry SampleIds(uint32_t files_id, uint32_t mnt_ns_id) {
  pb::task_kobj_ids_entry ids;
  ids.set_vm_id(1);
  ids.set_files_id(files_id);
  ids.set_fs_id(1);
  ids.set_sighand_id(1);
  ids.set_mnt_ns_id(mnt_ns_id);
  return ids;
}

}  // namespace ckpt

#endif  // IMGTOOL_SAMPLE_DUMP_H_
