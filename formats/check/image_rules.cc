#include "formats/check/image_rules.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "formats/check/checked_files.h"
#include "formats/check/checked_tasks.h"
#include "formats/image_reader.h"
#include "formats/image_version.h"
#include "formats/proto/ipc.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/vma_status.h"

namespace ckpt {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool HasEntries(ImageType type) { return GetImageType(type).framing != ImageFraming::kRaw; }

template <typename Visit>
void ForEachWantedImage(CheckRun& run, Visit visit) {
  for (const ImageTypeInfo& info : ImageTypes()) {
    if (!HasEntries(info.type)) continue;
    for (const CheckedImage& image : run.dump().ImagesOf(info.type)) {
      if (run.IsWanted(image.file_name)) visit(image);
    }
  }
}

void CheckReadable(CheckRun& run) {
  ForEachWantedImage(run, [&](const CheckedImage& image) {
    const LoadedImage& loaded = run.dump().Load(image);
    if (loaded.damage.empty()) return;
    // Without the directory that the image is in, which may be one of an archive laid open.
    const std::string name = image.file_name + ": ";
    const size_t at = loaded.damage.find(name);
    const std::string what =
        at == std::string::npos ? loaded.damage : loaded.damage.substr(at + name.size());
    run.Add(CheckPlace(image.file_name), "", what, "");
  });
}

// The fields of a message that nobody knows, and those whose enum has no such value. protobuf keeps
// both apart; the depth of the message was limited when it was parsed.
class UnknownFields {
 public:
  enum class Kind { kField, kValue };
  UnknownFields(CheckRun& run, Kind kind) : run_(run), kind_(kind) {}

  void Walk(const CheckPlace& place, const Message& message, const std::string& prefix) {
    const auto* reflection = message.GetReflection();
    const auto& unknown = reflection->GetUnknownFields(message);
    for (int i = 0; i < unknown.field_count(); ++i) {
      Report(place, message, prefix, unknown.field(i));
    }
    std::vector<const FieldDescriptor*> fields;
    reflection->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
      if (!field->is_repeated()) {
        Walk(place, reflection->GetMessage(message, field), prefix + field->name() + ".");
        continue;
      }
      const int count = reflection->FieldSize(message, field);
      for (int i = 0; i < count; ++i) {
        const Message& inner = reflection->GetRepeatedMessage(message, field, i);
        if (IsPlain(inner)) continue;
        Walk(place, inner, fmt::format("{}{}[{}].", prefix, field->name(), i));
      }
    }
  }

 private:
  // Nothing to report in it: most of the many messages of a dump are flat and known.
  static bool IsPlain(const Message& message) {
    if (!message.GetReflection()->GetUnknownFields(message).empty()) return false;
    const auto* descriptor = message.GetDescriptor();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      if (descriptor->field(i)->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) return false;
    }
    return true;
  }

  void Report(const CheckPlace& place, const Message& message, const std::string& prefix,
              const google::protobuf::UnknownField& unknown) {
    const auto* field = message.GetDescriptor()->FindFieldByNumber(unknown.number());
    const bool is_value = field != nullptr && field->type() == FieldDescriptor::TYPE_ENUM &&
                          unknown.type() == google::protobuf::UnknownField::TYPE_VARINT;
    if (is_value && kind_ == Kind::kValue) {
      run_.Add(place, prefix + field->name(), fmt::format("{}", unknown.varint()),
               fmt::format("a value of {}", field->enum_type()->name()));
    } else if (!is_value && kind_ == Kind::kField) {
      run_.Add(place, prefix.empty() ? "" : prefix.substr(0, prefix.size() - 1),
               field == nullptr ? fmt::format("field {}", unknown.number())
                                : fmt::format("field {} with another wire type", unknown.number()),
               fmt::format("the fields of {}", message.GetDescriptor()->name()));
    }
  }

  CheckRun& run_;
  Kind kind_;
};

void CheckUnknown(CheckRun& run, UnknownFields::Kind kind) {
  UnknownFields fields(run, kind);
  ForEachWantedImage(run, [&](const CheckedImage& image) {
    const LoadedImage& loaded = run.dump().Load(image);
    for (size_t i = 0; i < loaded.messages.size(); ++i) {
      fields.Walk({image.file_name, i}, *loaded.messages[i], "");
    }
    for (const auto& [index, message] : loaded.odd_pages) {
      fields.Walk({image.file_name, index}, *message, "");
    }
  });
}

void CheckUnknownFields(CheckRun& run) { CheckUnknown(run, UnknownFields::Kind::kField); }
void CheckUnknownValues(CheckRun& run) { CheckUnknown(run, UnknownFields::Kind::kValue); }

// Beside images in a dump directory, and known to be none.
bool IsCompanion(std::string_view name) {
  constexpr std::string_view kNames[] = {"parent", "descriptors.json", "criu.conf", "config.dump",
                                         "spec.dump"};
  return std::ranges::find(kNames, name) != std::end(kNames) || name.ends_with(".log") ||
         name.starts_with("../");
}

template <typename Visit>
void ForEachOtherFile(CheckRun& run, Visit visit) {
  for (const std::string& name : run.dump().other_files()) {
    if (IsCompanion(name) || !run.IsWanted(name)) continue;
    if (!run.dump().FileSize(name)) continue;
    const auto start = run.dump().source().ReadStart(name, 2 * sizeof(uint32_t));
    const auto type = start.has_value() ? IdentifyImage(name, AsBytes(start.value()))
                                        : Result<ImageType>(ImageType::kInventory);
    visit(name, start.has_value() && type.has_value() ? std::optional(type.value()) : std::nullopt);
  }
}

void CheckNames(CheckRun& run) {
  ForEachOtherFile(run, [&](const std::string& name, const std::optional<ImageType>& type) {
    if (type) {
      run.Add(CheckPlace(name), "", fmt::format("an image of type {}", GetImageType(*type).name),
              fmt::format("a name like {}", GetImageType(*type).file_template));
    } else if (name.ends_with(".img")) {
      run.Add(CheckPlace(name), "", "a magic that is none of the format", "an image");
    }
  });
}

void CheckOtherFiles(CheckRun& run) {
  ForEachOtherFile(run, [&](const std::string& name, const std::optional<ImageType>& type) {
    if (type || name.ends_with(".img")) return;
    run.Add(CheckPlace(name), "", "no image, and nothing that dumpers leave beside images", "");
  });
}

void CheckVersion(CheckRun& run) {
  const auto* inventory = run.tasks().inventory();
  if (inventory == nullptr || IsKnownImageVersion(inventory->img_version())) return;
  const std::string why = inventory->img_version() == kCriuCompressedVersion
                              ? ", with pages compressed as CRIU after 4.2 does"
                              : "";
  run.Add(CheckPlace("inventory.img", 0), "img_version",
          fmt::format("{}{}", inventory->img_version(), why),
          fmt::format("{} to {}", kOldestImageVersion, kNewestImageVersion));
}

void CheckHeaders(CheckRun& run) {
  const auto* inventory = run.tasks().inventory();
  if (inventory == nullptr) return;
  const bool is_old = WithoutZstdMark(inventory->img_version()) == kOldestImageVersion;
  ForEachWantedImage(run, [&](const CheckedImage& image) {
    const LoadedImage& loaded = run.dump().Load(image);
    const ImageTypeInfo& info = GetImageType(image.name.type);
    if (info.prefix == MagicPrefix::kNone || !loaded.is_whole) return;
    if ((loaded.header == HeaderVersion::kOld) == is_old) return;
    run.Add(CheckPlace(image.file_name), "",
            is_old ? "a header of version 2" : "a header of version 1",
            fmt::format("one of version {}, as inventory.img says", is_old ? 1 : 2));
  });
}

// CRIU takes the ids of the dumper for those of a task where they are the same.
void CheckRootIds(CheckRun& run) {
  const auto* inventory = run.tasks().inventory();
  if (inventory == nullptr || !inventory->has_root_ids()) return;
  for (const CheckedTask& task : run.tasks().all()) {
    if (task.ids == nullptr || task.is_dead) continue;
    if (task.ids->files_id() != inventory->root_ids().files_id()) continue;
    run.Add(CheckPlace(task.ids_image, 0), "files_id", fmt::format("{}", task.ids->files_id()),
            "another id than root_ids.files_id of inventory.img");
  }
}

void CheckNeededImages(CheckRun& run) {
  for (const ImageType type : {ImageType::kInventory, ImageType::kPstree}) {
    if (run.dump().Has(type)) continue;
    run.Add(CheckPlace(ImageFileName(type)), "", "missing", "an image that every dump has");
  }
  const CheckedImage* tree = run.dump().Find(ImageType::kPstree);
  if (tree != nullptr && run.dump().Load(*tree).is_whole && run.tasks().all().empty()) {
    run.Add(CheckPlace(tree->file_name), "", "no entries", "a task");
  }
  for (const CheckedTask& task : run.tasks().all()) {
    if (task.is_dead || !run.files().all().empty() || !run.files().are_whole()) continue;
    run.Add(CheckPlace(ImageFileName(ImageType::kFiles)), "", "missing, or without entries",
            "the files of live tasks");
    return;
  }
}

void CheckCores(CheckRun& run) {
  for (const CheckedTask& task : run.tasks().all()) {
    const auto check = [&](uint32_t tid) {
      if (run.dump().Has(ImageType::kCore, tid)) return;
      run.Add(task.tree, "threads",
              fmt::format("{}, but there is no {}", tid, ImageFileName(ImageType::kCore, tid)),
              "the core of each thread");
    };
    check(task.pid);
    for (const uint32_t tid : task.threads()) {
      if (tid != task.pid) check(tid);
    }
  }
}

void CheckTaskImages(CheckRun& run) {
  for (const CheckedTask& task : run.tasks().all()) {
    if (task.is_dead) continue;
    const auto check = [&](ImageType type) {
      if (run.dump().Has(type, task.pid)) return;
      run.Add(task.tree, "pid",
              fmt::format("{}, but there is no {}", task.pid, ImageFileName(type, task.pid)),
              "what every live task has");
    };
    for (const ImageType type : {ImageType::kMm, ImageType::kFs, ImageType::kPagemap}) check(type);
    if (task.ids == nullptr) check(ImageType::kIds);
  }
}

// Restorers take a table without an image for an empty one.
void CheckTables(CheckRun& run) {
  std::set<uint64_t> missing;
  for (const CheckedTask& task : run.tasks().all()) {
    if (task.is_dead || !run.tasks().tables().contains(task.table)) continue;
    if (run.dump().Has(ImageType::kFdinfo, task.table) || !missing.insert(task.table).second) {
      continue;
    }
    run.Add(task.tree, "pid",
            fmt::format("{}, but there is no {}", task.pid,
                        ImageFileName(ImageType::kFdinfo, task.table)),
            "descriptors: it is restored without any");
  }
}

// Of shared memory: who maps it, or has it as a file.
std::set<uint64_t> SharedMemoryIds(CheckRun& run) {
  std::set<uint64_t> ids;
  constexpr uint32_t kShared = kVmaAnonShared | kVmaSysvIpc;
  run.dump().ForEach<pb::mm_entry>(ImageType::kMm, [&](const EntryRef<pb::mm_entry>& mm) {
    for (const pb::vma_entry& vma : mm.message->vmas()) {
      if ((vma.status() & kShared) != 0) ids.insert(vma.shmid());
    }
  });
  run.dump().ForEach<pb::vma_entry>(ImageType::kVmas, [&](const EntryRef<pb::vma_entry>& vma) {
    if ((vma.message->status() & kShared) != 0) ids.insert(vma.message->shmid());
  });
  run.dump().ForEach<pb::memfd_inode_entry>(
      ImageType::kMemfdInode,
      [&](const EntryRef<pb::memfd_inode_entry>& inode) { ids.insert(inode.message->shmid()); });
  run.dump().ForEach<pb::ipc_shm_entry>(ImageType::kIpcnsShm,
                                        [&](const EntryRef<pb::ipc_shm_entry>& segment) {
                                          ids.insert(segment.message->desc().id());
                                        });
  return ids;
}

class UnusedImages {
 public:
  explicit UnusedImages(CheckRun& run) : run_(run), shared_memory_(SharedMemoryIds(run)) {
    run.dump().ForEach<pb::mnt_entry>(ImageType::kMnts, [&](const EntryRef<pb::mnt_entry>& mount) {
      devices_.insert(mount.message->root_dev());
      mounts_.insert(mount.message->mnt_id());
    });
  }

  void Check() {
    const CheckedImage* tree = run_.dump().Find(ImageType::kPstree);
    if (tree == nullptr || !run_.dump().Load(*tree).is_whole) return;
    for (const ImageType type :
         {ImageType::kIds, ImageType::kCore, ImageType::kMm, ImageType::kVmas,
          ImageType::kMemfdInode, ImageType::kIpcnsShm, ImageType::kMnts}) {
      if (!run_.dump().AreWhole(type)) return;
    }
    for (const ImageTypeInfo& info : ImageTypes()) {
      for (const CheckedImage& image : run_.dump().ImagesOf(info.type)) CheckImage(info, image);
    }
  }

 private:
  void CheckImage(const ImageTypeInfo& info, const CheckedImage& image) {
    if (IsUsed(info, image.name.id)) return;
    run_.Add(CheckPlace(image.file_name), "", fmt::format("nothing refers to {}", image.name.id),
             fmt::format("an image of something in the dump: {}", info.doc));
  }

  bool IsUsed(const ImageTypeInfo& info, uint64_t id) const {
    switch (info.id) {
      case ImageId::kPid:
        return id <= UINT32_MAX && run_.tasks().HasThread(static_cast<uint32_t>(id));
      case ImageId::kFiles:
        return run_.tasks().tables().contains(id);
      case ImageId::kSharedMemory:
        return shared_memory_.contains(id);
      case ImageId::kDevice:
        return devices_.contains(id);
      case ImageId::kMount:
        return mounts_.contains(id);
      default:
        return true;  // or the matter of another rule
    }
  }

  CheckRun& run_;
  std::set<uint64_t> shared_memory_;
  std::set<uint64_t> devices_;
  std::set<uint64_t> mounts_;
};

void CheckUnusedImages(CheckRun& run) { UnusedImages(run).Check(); }

using enum CheckSeverity;

constexpr CheckRule kRules[] = {
    {"image-damaged", kError, "an image can be read to its end", "*", CheckReadable},
    {"image-name", kWarning, "an image has a name of its type, and a magic of the format", "*",
     CheckNames},
    {"image-header", kError, "all images are of the version that the inventory says", "*",
     CheckHeaders},
    {"image-needed", kError, "the images that every dump has are there",
     "INVENTORY PSTREE CORE FILES.id", CheckNeededImages},
    {"image-unused", kWarning, "something in the dump refers to each image",
     "PSTREE IDS CORE INVENTORY FDINFO MM VMAS PAGEMAP SHMEM_PAGEMAP MEMFD_INODE IPCNS_SHM "
     "MNTS.root_dev MNTS.mnt_id TMPFS_DEV TMPFS_IMG AUTOFS BINFMT_MISC_OLD FS",
     CheckUnusedImages},
    {"inventory-version", kError, "the version of the dump is known", "INVENTORY", CheckVersion},
    {"inventory-ids", kError, "the tasks do not share the dumper's descriptors",
     "INVENTORY PSTREE IDS CORE", CheckRootIds},
    {"core-missing", kError, "every thread has a core", "PSTREE CORE", CheckCores},
    {"task-image", kError, "every live task has its mm, fs, pagemap and ids",
     "PSTREE CORE MM FS PAGEMAP IDS", CheckTaskImages},
    {"fdinfo-missing", kWarning, "every live task has a table of descriptors",
     "PSTREE CORE IDS INVENTORY FDINFO", CheckTables},
    {"unknown-field", kWarning, "fields are ones that the format has", "*", CheckUnknownFields},
    {"unknown-value", kWarning, "values of enums are ones that the format has", "*",
     CheckUnknownValues},
    {"other-file", kNote, "files beside the images are ones that dumpers leave there", "*",
     CheckOtherFiles},
};

}  // namespace

std::span<const CheckRule> ImageRules() { return kRules; }

}  // namespace ckpt
