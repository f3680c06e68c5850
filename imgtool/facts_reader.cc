#include "imgtool/facts_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/file.h"
#include "formats/image_file.h"
#include "formats/image_type.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/pipes.pb.h"
#include "formats/proto/raw_facts.pb.h"
#include "formats/proto/task.pb.h"
#include "formats/proto/tty.pb.h"

namespace ckpt {

namespace {

class Reader {
 public:
  // `id` is the number in the image's file name.
  using Handler = Result<> (Reader::*)(const ImageFile& image, uint64_t id);

  Result<> AddImage(const std::string& directory, const std::string& file_name);
  Result<DumpFacts> Finish() &&;

 private:
  static Handler FindHandler(ImageType type);

  Result<> AddFiles(const ImageFile& image, uint64_t id);
  Result<> AddRegFiles(const ImageFile& image, uint64_t id);
  Result<> AddRemaps(const ImageFile& image, uint64_t id);
  Result<> AddFifos(const ImageFile& image, uint64_t id);
  Result<> AddTtys(const ImageFile& image, uint64_t id);
  Result<> AddMm(const ImageFile& image, uint64_t id);
  Result<> AddVmas(const ImageFile& image, uint64_t id);
  Result<> AddFs(const ImageFile& image, uint64_t id);
  Result<> AddFdinfo(const ImageFile& image, uint64_t id);
  Result<> AddIds(const ImageFile& image, uint64_t id);
  Result<> AddCore(const ImageFile& image, uint64_t id);
  Result<> AddPstree(const ImageFile& image, uint64_t id);
  Result<> AddMounts(const ImageFile& image, uint64_t id);
  Result<> AddRawFacts(const ImageFile& image, uint64_t id);

  void JoinDescriptors();
  std::string RootOfFirstTask() const;
  void NameMountpoints();

  DumpFacts facts_;
  bool has_files_ = false;
  bool has_raw_facts_ = false;
  std::map<uint64_t, TaskImages> tasks_;  // by pid
  std::map<uint64_t, pb::task_kobj_ids_entry> ids_;
  std::map<uint64_t, std::vector<pb::fdinfo_entry>> descriptors_;  // by files_id
  std::map<uint32_t, std::vector<DumpedMount>> mounts_;            // by namespace
  std::optional<uint64_t> first_pid_;
};

struct HandlerRow {
  ImageType type;
  Reader::Handler handler;
};

Reader::Handler Reader::FindHandler(ImageType type) {
  static constexpr std::array<HandlerRow, 14> kRows{{
      {ImageType::kFiles, &Reader::AddFiles},
      {ImageType::kRegFiles, &Reader::AddRegFiles},
      {ImageType::kRemapFpath, &Reader::AddRemaps},
      {ImageType::kFifo, &Reader::AddFifos},
      {ImageType::kTtyFiles, &Reader::AddTtys},
      {ImageType::kMm, &Reader::AddMm},
      {ImageType::kVmas, &Reader::AddVmas},
      {ImageType::kFs, &Reader::AddFs},
      {ImageType::kFdinfo, &Reader::AddFdinfo},
      {ImageType::kIds, &Reader::AddIds},
      {ImageType::kCore, &Reader::AddCore},
      {ImageType::kPstree, &Reader::AddPstree},
      {ImageType::kMnts, &Reader::AddMounts},
      {ImageType::kCkptRaw, &Reader::AddRawFacts},
  }};
  const auto row = std::ranges::find(kRows, type, &HandlerRow::type);
  return row == kRows.end() ? nullptr : row->handler;
}

// The name of an image without its directory: what an edit calls it.
std::string FileName(const ImageFile& image) {
  return image.name().substr(image.name().rfind('/') + 1);
}

Result<> Reader::AddImage(const std::string& directory, const std::string& file_name) {
  const auto name = FindImageTypeByFileName(file_name);
  if (!name) return success();
  const Handler handler = FindHandler(name->type);
  if (handler == nullptr) return success();
  CKPT_TRY(const ImageFile image, ReadImageFile(directory + "/" + file_name, name->type));
  return (this->*handler)(image, name->id);
}

Result<> Reader::AddFiles(const ImageFile& image, uint64_t) {
  has_files_ = true;
  CKPT_TRY(auto entries, ParseEntries<pb::file_entry>(image));
  for (size_t i = 0; i < entries.size(); ++i) {
    pb::file_entry& entry = entries[i];
    if (entry.fifo().has_regf_id()) facts_.uses.AddOther(entry.fifo().regf_id());
    if (entry.tty().has_regf_id()) facts_.uses.AddOther(entry.tty().regf_id());
    if (!entry.has_reg()) continue;
    facts_.files.push_back({{FileName(image), i}, "reg.", std::move(*entry.mutable_reg())});
  }
  return success();
}

Result<> Reader::AddRegFiles(const ImageFile& image, uint64_t) {
  has_files_ = true;
  CKPT_TRY(auto entries, ParseEntries<pb::reg_file_entry>(image));
  for (size_t i = 0; i < entries.size(); ++i) {
    facts_.files.push_back({{FileName(image), i}, "", std::move(entries[i])});
  }
  return success();
}

Result<> Reader::AddRemaps(const ImageFile& image, uint64_t) {
  CKPT_TRY(const auto entries, ParseEntries<pb::remap_file_path_entry>(image));
  for (const auto& entry : entries) {
    // The remap id of a ghost or of a /proc file is no file's.
    if (entry.remap_type() == pb::LINKED) facts_.uses.AddOther(entry.remap_id());
  }
  return success();
}

Result<> Reader::AddFifos(const ImageFile& image, uint64_t) {
  CKPT_TRY(const auto entries, ParseEntries<pb::fifo_entry>(image));
  for (const auto& entry : entries) {
    if (entry.has_regf_id()) facts_.uses.AddOther(entry.regf_id());
  }
  return success();
}

Result<> Reader::AddTtys(const ImageFile& image, uint64_t) {
  CKPT_TRY(const auto entries, ParseEntries<pb::tty_file_entry>(image));
  for (const auto& entry : entries) {
    if (entry.has_regf_id()) facts_.uses.AddOther(entry.regf_id());
  }
  return success();
}

Result<> Reader::AddMm(const ImageFile& image, uint64_t pid) {
  CKPT_TRY(tasks_[pid].mm, ParseSingleEntry<pb::mm_entry>(image));
  return success();
}

Result<> Reader::AddVmas(const ImageFile& image, uint64_t pid) {
  CKPT_TRY(tasks_[pid].old_vmas, ParseEntries<pb::vma_entry>(image));
  return success();
}

Result<> Reader::AddFs(const ImageFile& image, uint64_t pid) {
  CKPT_TRY(tasks_[pid].fs, ParseSingleEntry<pb::fs_entry>(image));
  return success();
}

Result<> Reader::AddFdinfo(const ImageFile& image, uint64_t files_id) {
  CKPT_TRY(descriptors_[files_id], ParseEntries<pb::fdinfo_entry>(image));
  return success();
}

Result<> Reader::AddIds(const ImageFile& image, uint64_t pid) {
  CKPT_TRY(ids_[pid], ParseSingleEntry<pb::task_kobj_ids_entry>(image));
  return success();
}

// Dumps of old have the ids in the core image of a process.
Result<> Reader::AddCore(const ImageFile& image, uint64_t pid) {
  CKPT_TRY(const auto core, ParseSingleEntry<pb::core_entry>(image));
  if (core.has_ids()) ids_.try_emplace(pid, core.ids());
  return success();
}

Result<> Reader::AddPstree(const ImageFile& image, uint64_t) {
  CKPT_TRY(const auto entries, ParseEntries<pb::pstree_entry>(image));
  if (!entries.empty()) first_pid_ = entries[0].pid();
  return success();
}

Result<> Reader::AddMounts(const ImageFile& image, uint64_t mnt_ns_id) {
  CKPT_TRY(auto entries, ParseEntries<pb::mnt_entry>(image));
  auto& mounts = mounts_[static_cast<uint32_t>(mnt_ns_id)];
  for (size_t i = 0; i < entries.size(); ++i) {
    std::string mountpoint = entries[i].mountpoint();
    mounts.push_back({{FileName(image), i}, std::move(entries[i]), std::move(mountpoint)});
  }
  return success();
}

Result<> Reader::AddRawFacts(const ImageFile& image, uint64_t) {
  has_raw_facts_ = true;
  CKPT_TRY(const auto entries, ParseEntries<pb::raw_fact_entry>(image));
  for (size_t i = 0; i < entries.size(); ++i) {
    const EntryPlace place{FileName(image), i};
    if (entries[i].has_union_mount()) {
      const pb::raw_union& recorded = entries[i].union_mount();
      facts_.unions.push_back({place, recorded, recorded.mountpoint()});
    } else if (entries[i].has_mapping()) {
      facts_.mappings.push_back({place, entries[i].mapping()});
    }
  }
  return success();
}

// A descriptor table is found through the ids of its tasks; without ids its number is the pid.
void Reader::JoinDescriptors() {
  std::set<uint64_t> joined;
  for (const auto& [pid, ids] : ids_) {
    TaskImages& task = tasks_[pid];
    if (ids.has_mnt_ns_id()) task.mnt_ns_id = ids.mnt_ns_id();
    const auto found = descriptors_.find(ids.files_id());
    if (found == descriptors_.end()) continue;
    task.descriptors = found->second;
    joined.insert(found->first);
  }
  for (auto& [files_id, descriptors] : descriptors_) {
    if (joined.contains(files_id)) continue;
    TaskImages orphan;
    orphan.descriptors = std::move(descriptors);
    facts_.uses.AddTask(orphan);
  }
}

std::string Reader::RootOfFirstTask() const {
  const auto task = tasks_.find(first_pid_.value_or(0));
  if (task == tasks_.end() || !task->second.fs) return {};
  const uint32_t root_id = task->second.fs->root_id();
  const auto id_of = [](const DumpedFile& file) { return file.entry.id(); };
  const auto root = std::ranges::find(facts_.files, root_id, id_of);
  return root == facts_.files.end() ? std::string() : root->entry.name();
}

void Reader::NameMountpoints() {
  // Only ckpt-dump writes paths and mountpoints from different points of view.
  const std::string root = has_raw_facts_ ? RootOfFirstTask() : std::string();
  for (RecordedUnion& recorded : facts_.unions) {
    recorded.mountpoint = MountpointBelow(root, recorded.entry.mountpoint());
  }
  for (auto& [mnt_ns_id, mounts] : mounts_) {
    for (DumpedMount& mount : mounts) {
      mount.mountpoint = MountpointBelow(root, mount.entry.mountpoint());
    }
    facts_.mounts.AddNamespace(mnt_ns_id, std::move(mounts));
  }
}

Result<DumpFacts> Reader::Finish() && {
  if (!has_files_) {
    return MakeError(ErrorCode::kNotFound, "neither files.img nor reg-files.img is there");
  }
  JoinDescriptors();
  for (const auto& [pid, task] : tasks_) facts_.uses.AddTask(task);
  NameMountpoints();
  std::ranges::stable_sort(facts_.mappings, {}, [](const RecordedMapping& mapping) {
    return mapping.entry.reg_file_id();
  });
  return std::move(facts_);
}

}  // namespace

Result<DumpFacts> ReadDumpFacts(const std::string& directory) {
  CKPT_TRY(const auto names, ListDirectory(directory));
  Reader reader;
  for (const std::string& name : names) CKPT_TRY(reader.AddImage(directory, name));
  auto facts = std::move(reader).Finish();
  if (facts.has_error()) return std::move(facts).error().In(directory);
  return facts;
}

}  // namespace ckpt
