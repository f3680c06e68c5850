#include "imgtool/facts_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "formats/image_file.h"
#include "formats/image_type.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/inventory.pb.h"
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

  Result<> AddImage(const ImageSource& source, const std::string& file_name);
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
  Result<> AddInventory(const ImageFile& image, uint64_t id);
  Result<> AddTree(const ImageFile& image, uint64_t id);
  Result<> AddMounts(const ImageFile& image, uint64_t id);
  Result<> AddRawFacts(const ImageFile& image, uint64_t id);
  Result<> AddOtherNames(const ImageFile& image, uint64_t id);

  void JoinDescriptors();
  void FindRoots();

  DumpFacts facts_;
  bool has_files_ = false;
  std::optional<uint64_t> first_pid_;
  std::map<uint64_t, TaskImages> tasks_;  // by pid
  std::map<uint64_t, pb::task_kobj_ids_entry> ids_;
  std::map<uint64_t, std::vector<pb::fdinfo_entry>> descriptors_;  // by files_id
  std::vector<pb::raw_mount> origins_;
};

struct HandlerRow {
  ImageType type;
  Reader::Handler handler;
};

Reader::Handler Reader::FindHandler(ImageType type) {
  static constexpr std::array<HandlerRow, 20> kRows{{
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
      {ImageType::kInventory, &Reader::AddInventory},
      {ImageType::kPstree, &Reader::AddTree},
      {ImageType::kMnts, &Reader::AddMounts},
      {ImageType::kCkptRaw, &Reader::AddRawFacts},
      {ImageType::kUnixsk, &Reader::AddOtherNames},
      {ImageType::kInotifyWd, &Reader::AddOtherNames},
      {ImageType::kFanotifyMark, &Reader::AddOtherNames},
      {ImageType::kIrmapCache, &Reader::AddOtherNames},
      {ImageType::kGhostFile, &Reader::AddOtherNames},
  }};
  const auto row = std::ranges::find(kRows, type, &HandlerRow::type);
  return row == kRows.end() ? nullptr : row->handler;
}

// The name of an image without its directory: what an edit calls it.
std::string FileName(const ImageFile& image) {
  return image.name().substr(image.name().rfind('/') + 1);
}

Result<> Reader::AddImage(const ImageSource& source, const std::string& file_name) {
  const auto name = FindImageTypeByFileName(file_name);
  if (!name) return success();
  const Handler handler = FindHandler(name->type);
  if (handler == nullptr) return success();
  CKPT_TRY(const ImageFile image, source.Read(file_name));
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
  return AddNames(image, FileName(image), facts_.names);
}

Result<> Reader::AddOtherNames(const ImageFile& image, uint64_t) {
  return AddNames(image, FileName(image), facts_.names);
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
    facts_.remaps.push_back(entry);
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

Result<> Reader::AddInventory(const ImageFile& image, uint64_t) {
  CKPT_TRY(const auto inventory, ParseSingleEntry<pb::inventory_entry>(image));
  if (inventory.root_ids().has_mnt_ns_id()) {
    facts_.shared_mnt_ns_id = inventory.root_ids().mnt_ns_id();
  }
  return success();
}

Result<> Reader::AddMounts(const ImageFile& image, uint64_t mnt_ns_id) {
  CKPT_TRY(auto entries, ParseEntries<pb::mnt_entry>(image));
  std::vector<DumpedMount> mounts;
  for (size_t i = 0; i < entries.size(); ++i) {
    mounts.push_back({{FileName(image), i}, std::move(entries[i])});
  }
  facts_.mounts.AddNamespace(static_cast<uint32_t>(mnt_ns_id), std::move(mounts));
  return success();
}

Result<> Reader::AddRawFacts(const ImageFile& image, uint64_t) {
  CKPT_TRY(const auto entries, ParseEntries<pb::raw_fact_entry>(image));
  for (size_t i = 0; i < entries.size(); ++i) {
    const EntryPlace place{FileName(image), i};
    if (entries[i].has_union_mount()) {
      facts_.unions.push_back({place, entries[i].union_mount()});
    } else if (entries[i].has_mapping()) {
      facts_.mappings.push_back({place, entries[i].mapping()});
    } else if (entries[i].has_mount()) {
      origins_.push_back(entries[i].mount());
    }
  }
  return success();
}

Result<> Reader::AddTree(const ImageFile& image, uint64_t) {
  CKPT_TRY(const auto tasks, ParseEntries<pb::pstree_entry>(image));
  if (!tasks.empty()) first_pid_ = tasks[0].pid();
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

void Reader::FindRoots() {
  std::map<uint32_t, const std::string*> names;
  for (const DumpedFile& file : facts_.files) names[file.entry.id()] = &file.entry.name();
  for (auto& [pid, task] : tasks_) {
    const auto root = task.fs ? names.find(task.fs->root_id()) : names.end();
    if (root != names.end()) task.root = *root->second;
  }
}

Result<DumpFacts> Reader::Finish() && {
  if (!has_files_) {
    return MakeError(ErrorCode::kNotFound, "neither files.img nor reg-files.img is there");
  }
  JoinDescriptors();
  FindRoots();
  if (first_pid_ && tasks_.contains(*first_pid_)) {
    facts_.root_mnt_ns_id = tasks_[*first_pid_].mnt_ns_id;
  }
  for (const auto& [pid, task] : tasks_) facts_.uses.AddTask(task);
  for (const pb::raw_mount& origin : origins_) {
    facts_.mounts.SetOrigin(origin.mnt_ns_id(), origin.before());
  }
  std::ranges::stable_sort(facts_.mappings, {}, [](const RecordedMapping& mapping) {
    return mapping.entry.reg_file_id();
  });
  return std::move(facts_);
}

}  // namespace

Result<DumpFacts> ReadDumpFacts(const ImageSource& source) {
  Reader reader;
  for (const std::string& name : source.file_names()) CKPT_TRY(reader.AddImage(source, name));
  auto facts = std::move(reader).Finish();
  if (facts.has_error()) return std::move(facts).error().In(source.name());
  return facts;
}

Result<DumpFacts> ReadDumpFacts(const std::string& directory) {
  CKPT_TRY(const ImageSource images, ImageSource::OfDirectory(directory));
  return ReadDumpFacts(images);
}

}  // namespace ckpt
