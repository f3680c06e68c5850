#include "imgtool/explore/dump_objects.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>

#include "formats/image_message.h"
#include "formats/proto/signals.pb.h"
#include "formats/proto/timers.pb.h"
#include "formats/vma_status.h"
#include "imgtool/explore/mappings.h"
#include "imgtool/octal_text.h"

namespace ckpt {
namespace {

std::string SortKey(uint64_t number) { return fmt::format("{:020}", number); }

void Add(Fields& fields, const char* path, std::string text) {
  if (!text.empty()) fields.push_back({path, std::move(text)});
}

// Images with one entry for a process, of old also those whose content the core has now.
constexpr ImageType kTaskImages[] = {
    ImageType::kFs,          ImageType::kMm,     ImageType::kCreds,  ImageType::kItimers,
    ImageType::kPosixTimers, ImageType::kSigact, ImageType::kRlimit, ImageType::kSignal,
};

void AppendImage(const DumpMeaning& dump, ImageType type, uint64_t id, const std::string& prefix,
                 Fields& out) {
  const auto image = dump.reader().Image(type, id);
  if (!image) return;
  for (const ImageEntry& entry : image->entries()) {
    const auto* descriptor = FindEntryDescriptor(type, entry.index);
    if (descriptor == nullptr) return;
    const auto message = ParseMessageOf(*descriptor, entry.message);
    if (!message) return dump.reader().Report(message.error());
    const bool is_single = image->entries().size() == 1;
    const std::string path = is_single ? prefix : fmt::format("{}entry {}: ", prefix, entry.index);
    AppendFields(*message.value(), path, dump, out);
    if (!entry.extra.empty()) out.push_back({path + "extra", BytesText(AsText(entry.extra))});
  }
}

void SplitCore(const pb::core_entry& core, const DumpMeaning& dump, Fields& state,
               Fields& registers) {
  Fields all;
  AppendFields(core, "", dump, all);
  // Dumpers may say it of the leader in one place or in both.
  if (core.has_tc()) {
    std::erase_if(all, [](const FieldText& field) {
      return field.path == "thread_core.blk_sigset" ||
             field.path == "thread_core.blk_sigset_extended";
    });
  }
  for (FieldText& field : all) {
    constexpr std::string_view kRegisters[] = {"thread_info.", "ti_"};
    const bool is_register = std::ranges::any_of(
        kRegisters, [&](std::string_view start) { return field.path.starts_with(start); });
    constexpr std::string_view kGeneral = "thread_info.gpregs.";
    if (field.path.starts_with(kGeneral)) field.path.erase(0, kGeneral.size());
    (is_register ? registers : state).push_back(std::move(field));
  }
}

}  // namespace

Objects TaskObjects(const DumpMeaning& dump, const DumpedTask& task) {
  Objects objects;
  const std::string pid = fmt::format("pid {}", task.pid());
  DumpedObject process{pid, CommOf(task), {}};
  AppendFields(task.place, "", dump, process.fields);
  std::erase_if(process.fields,
                [](const FieldText& field) { return field.path.starts_with("threads["); });
  Add(process.fields, "state", StateText(task));
  if (task.ids) AppendFields(*task.ids, "ids.", dump, process.fields);
  for (const ImageType type : kTaskImages) {
    const std::string_view name = GetImageType(type).file_template;
    AppendImage(dump, type, task.pid(), std::string(name.substr(0, name.find('%') - 1)) + ".",
                process.fields);
  }
  std::vector<uint32_t> tids(task.place.threads().begin(), task.place.threads().end());
  // CRIU lists a thread of a zombie by a number that means nothing.
  if (tids.empty() || StateOf(task) == TaskState::kDead) tids = {task.pid()};
  for (const uint32_t tid : tids) {
    const auto core = dump.reader().Single<pb::core_entry>(ImageType::kCore, tid);
    DumpedObject thread{fmt::format("{} thread {}", pid, tid), "", {}};
    DumpedObject registers{fmt::format("{} registers of thread {}", pid, tid), "", {}};
    if (core) SplitCore(*core, dump, thread.fields, registers.fields);
    Add(thread.fields, "core", core ? "" : "missing");
    objects[SortKey(tid) + "a"] = std::move(thread);
    if (core) objects[SortKey(tid) + "b"] = std::move(registers);
  }
  objects[""] = std::move(process);
  return objects;
}

namespace {

// The file behind a descriptor, where the descriptor is the first that refers to it.
void AppendFile(const DumpMeaning& dump, const pb::file_entry& file, Fields& out) {
  Fields fields;
  AppendFields(file, "", dump, fields);
  for (FieldText& field : fields) {
    // "reg.flags" says no more than "flags".
    const size_t dot = field.path.find('.');
    if (field.path.starts_with("type")) continue;
    if (dot != std::string::npos && field.path.find('[') > dot) field.path.erase(0, dot + 1);
    out.push_back(std::move(field));
  }
  if (dump.context().IsDeleted(file)) Add(out, "deleted", "true");
}

void AppendGhost(const DumpMeaning& dump, const pb::file_entry& file, Fields& out) {
  const auto ghost = dump.context().GhostOf(file);
  if (ghost) AppendImage(dump, ImageType::kGhostFile, *ghost, "ghost.", out);
}

bool IsFirst(const std::vector<Holder>& holders, uint32_t pid, uint32_t fd) {
  return holders.empty() || (holders.front().pid == pid && holders.front().fd == fd);
}

DumpedObject DescriptorObject(const DumpMeaning& dump, uint32_t pid,
                              const pb::fdinfo_entry& descriptor) {
  DumpedObject object{fmt::format("pid {} fd {}", pid, descriptor.fd()), "", {}};
  Add(object.fields, "type", pb::fd_types_Name(descriptor.type()));
  Add(object.fields, "fdinfo.flags",
      descriptor.flags() == 0 ? "" : fmt::to_string(descriptor.flags()));
  const auto* file = dump.files().Find(static_cast<uint32_t>(descriptor.type()), descriptor.id());
  if (file == nullptr) {
    Add(object.fields, "file", "missing");
    return object;
  }
  object.about =
      fmt::format("{} {}", pb::fd_types_Name(file->type()), dump.context().Describe(*file));
  const auto& holders = dump.tables().HoldersOf(*file);
  if (!IsFirst(holders, pid, descriptor.fd())) {
    Add(object.fields, "same_as", dump.NameOf(*file));
  } else if (!IsSocket(*file)) {
    AppendFile(dump, *file, object.fields);
    AppendGhost(dump, *file, object.fields);
    if (const auto pipe = dump.context().PipeIdOf(*file)) {
      Add(object.fields, "content", dump.context().pipes().at(*pipe).content);
    }
  }
  return object;
}

}  // namespace

Objects DescriptorObjects(const DumpMeaning& dump, const DumpedTask& task) {
  Objects objects;
  const DescriptorTable& table = dump.tables().Of(task);
  if (table.pids.front() != task.pid()) return objects;
  for (const pb::fdinfo_entry& descriptor : table.descriptors) {
    objects[SortKey(descriptor.fd())] = DescriptorObject(dump, task.pid(), descriptor);
  }
  return objects;
}

Objects SocketObjects(const DumpMeaning& dump) {
  Objects objects;
  for (const pb::file_entry& file : dump.files().all()) {
    if (!IsSocket(file)) continue;
    const auto& holders = dump.tables().HoldersOf(file);
    DumpedObject object{"socket of " + dump.NameOf(file), dump.context().Describe(file), {}};
    AppendFile(dump, file, object.fields);
    const SocketFacts facts = dump.context().DescribeSocket(file);
    Add(object.fields, "queue", facts.content);
    if (file.has_isk()) {
      AppendImage(dump, ImageType::kTcpStream, file.isk().ino(), "tcp-stream.", object.fields);
    }
    const std::string key = holders.empty()
                                ? "z" + object.name
                                : SortKey(holders.front().pid) + SortKey(holders.front().fd);
    objects.emplace(key, std::move(object));
  }
  return objects;
}

namespace {

// As a dumper has it that calls shared anonymous memory by its name.
void NormaliseMemfd(pb::vma_entry& vma) {
  vma.set_status(kVmaRegular | kVmaAnonShared);
  vma.set_flags(vma.flags() | MAP_ANONYMOUS);
  vma.clear_fdflags();
}

DumpedObject MappingObject(const DumpMeaning& dump, uint32_t pid, pb::vma_entry vma) {
  DumpedObject object{fmt::format("pid {} {:x}", pid, vma.start()), "", {}};
  std::string name = EscapeOctal(MappingName(vma, dump.context()));
  const auto shared = dump.SharedMemoryOf(vma);
  const bool is_named = (vma.status() & kVmaMemfd) != 0 && !dump.IsAnonymousMemfd(vma);
  if (shared && !is_named) name = "shared memory of " + dump.NameOfSharedMemory(*shared);
  object.about = fmt::format("{:x}-{:x} {} {}", vma.start(), vma.end(), PermissionsText(vma), name);
  if (dump.IsAnonymousMemfd(vma)) NormaliseMemfd(vma);
  vma.set_shmid(0);
  AppendFields(vma, "", dump, object.fields);
  std::erase_if(object.fields, [](const FieldText& field) {
    return field.path == "start" || field.path == "shmid";
  });
  Add(object.fields, "name", name);
  return object;
}

}  // namespace

Objects MappingObjects(const DumpMeaning& dump, const DumpedTask& task) {
  Objects objects;
  const auto mappings = ReadMappings(dump.reader(), task.pid());
  if (!mappings) return objects;
  for (const pb::vma_entry& vma : *mappings) {
    objects[SortKey(vma.start())] = MappingObject(dump, task.pid(), vma);
  }
  return objects;
}

Objects MountObjects(const DumpMeaning& dump) {
  Objects objects;
  for (const DumpImage& listed : dump.reader().dump().images()) {
    if (listed.image.type != ImageType::kMnts) continue;
    std::map<std::string, size_t> turns;
    const std::string space = dump.NameOfNamespaceImage(ImageType::kMnts, listed.image.id);
    for (const auto& mount :
         dump.reader().Entries<pb::mnt_entry>(ImageType::kMnts, listed.image.id)) {
      DumpedObject object{
          fmt::format("namespace of {}: {}", space, mount.mountpoint()), mount.source(), {}};
      AppendFields(mount, "", dump, object.fields);
      // Mounts on the same place by the order of the image.
      const std::string place = space + " " + mount.mountpoint();
      const size_t turn = turns[place]++;
      if (turn > 0) object.name += fmt::format(" ({})", turn + 1);
      objects.emplace(place + SortKey(turn), std::move(object));
    }
  }
  return objects;
}

}  // namespace ckpt
