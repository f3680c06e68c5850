#include "imgtool/explore/open_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "formats/image_message.h"

namespace ckpt {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

struct LegacyImage {
  ImageType type;
  pb::fd_types kind;
};

constexpr LegacyImage kLegacyImages[] = {
    {ImageType::kRegFiles, pb::REG},
    {ImageType::kInetsk, pb::INETSK},
    {ImageType::kNsFiles, pb::NS},
    {ImageType::kPacketsk, pb::PACKETSK},
    {ImageType::kNetlinkSk, pb::NETLINKSK},
    {ImageType::kEventfdFile, pb::EVENTFD},
    {ImageType::kEventpollFile, pb::EVENTPOLL},
    {ImageType::kSignalfd, pb::SIGNALFD},
    {ImageType::kTunfile, pb::TUNF},
    {ImageType::kTimerfd, pb::TIMERFD},
    {ImageType::kInotifyFile, pb::INOTIFY},
    {ImageType::kFanotifyFile, pb::FANOTIFY},
    {ImageType::kExtFiles, pb::EXT},
    {ImageType::kUnixsk, pb::UNIXSK},
    {ImageType::kFifo, pb::FIFO},
    {ImageType::kPipes, pb::PIPE},
    {ImageType::kTtyFiles, pb::TTY},
    {ImageType::kBpfmapFile, pb::BPFMAP},
    {ImageType::kPidfd, pb::PIDFD},
};

// The member of file_entry that is a message; null where `file` has none.
const FieldDescriptor* BodyField(const pb::file_entry& file) {
  std::vector<const FieldDescriptor*> fields;
  file.GetReflection()->ListFields(file, &fields);
  const auto found = std::ranges::find_if(fields, [](const FieldDescriptor* field) {
    return field->type() == FieldDescriptor::TYPE_MESSAGE;
  });
  return found == fields.end() ? nullptr : *found;
}

// The member of file_entry whose type is that of entries of an image of old.
const FieldDescriptor& MemberOfType(const google::protobuf::Descriptor& type) {
  const auto& file = *pb::file_entry::descriptor();
  for (int i = 0; i < file.field_count(); ++i) {
    if (file.field(i)->message_type() == &type) return *file.field(i);
  }
  CKPT_CHECK(false && "no member of file_entry has that type");
  std::abort();
}

// A field of that name and an integer type, in the body of `file`.
std::optional<uint64_t> BodyNumber(const pb::file_entry& file, const char* name) {
  const FieldDescriptor* body = BodyField(file);
  if (body == nullptr) return std::nullopt;
  const Message& message = file.GetReflection()->GetMessage(file, body);
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr) return std::nullopt;
  const auto& reflection = *message.GetReflection();
  if (field->type() == FieldDescriptor::TYPE_UINT32) return reflection.GetUInt32(message, field);
  if (field->type() == FieldDescriptor::TYPE_UINT64) return reflection.GetUInt64(message, field);
  return std::nullopt;
}

}  // namespace

std::string HoldersText(const std::vector<Holder>& holders, size_t limit) {
  std::string text;
  for (size_t i = 0; i < std::min(limit, holders.size()); ++i) {
    text += fmt::format("{}{}/{}", i == 0 ? "" : " ", holders[i].pid, holders[i].fd);
  }
  if (holders.size() > limit) text += fmt::format(" and {} more", holders.size() - limit);
  return text;
}

FileDescriptions FileDescriptions::Read(DumpReader& reader) {
  FileDescriptions files;
  for (auto& file : reader.Entries<pb::file_entry>(ImageType::kFiles)) files.Add(std::move(file));
  files.AddLegacy(reader);
  files.AddLegacyWatches(reader);
  return files;
}

void FileDescriptions::Add(pb::file_entry file) {
  by_key_.emplace(KeyOf(static_cast<uint32_t>(file.type()), file.id()), files_.size());
  files_.push_back(std::move(file));
}

void FileDescriptions::AddLegacy(DumpReader& reader) {
  for (const LegacyImage& legacy : kLegacyImages) {
    const auto image = reader.Image(legacy.type);
    if (!image) continue;
    const auto& member = MemberOfType(*FindEntryDescriptor(legacy.type, 0));
    for (const ImageEntry& entry : image->entries()) {
      pb::file_entry file;
      Message* body = file.GetReflection()->MutableMessage(&file, &member);
      const Result<> parsed = ParseMessage(entry.message, *body);
      if (parsed.has_error()) {
        reader.Report(parsed.error());
        break;
      }
      file.set_type(legacy.kind);
      file.set_id(static_cast<uint32_t>(BodyNumber(file, "id").value_or(0)));
      Add(std::move(file));
    }
  }
}

// Of old, what files watch stood in images of its own.
void FileDescriptions::AddLegacyWatches(DumpReader& reader) {
  const auto find = [&](uint32_t type, uint32_t id) -> pb::file_entry* {
    const auto found = by_key_.find(KeyOf(type, id));
    return found == by_key_.end() ? nullptr : &files_[found->second];
  };
  for (const auto& watch : reader.Entries<pb::eventpoll_tfd_entry>(ImageType::kEventpollTfd)) {
    if (auto* file = find(pb::EVENTPOLL, watch.id())) *file->mutable_epfd()->add_tfd() = watch;
  }
  for (const auto& watch : reader.Entries<pb::inotify_wd_entry>(ImageType::kInotifyWd)) {
    if (auto* file = find(pb::INOTIFY, watch.id())) *file->mutable_ify()->add_wd() = watch;
  }
  for (const auto& mark : reader.Entries<pb::fanotify_mark_entry>(ImageType::kFanotifyMark)) {
    if (auto* file = find(pb::FANOTIFY, mark.id())) *file->mutable_ffy()->add_mark() = mark;
  }
}

const pb::file_entry* FileDescriptions::Find(uint32_t type, uint32_t id) const {
  const auto found = by_key_.find(KeyOf(type, id));
  return found == by_key_.end() ? nullptr : &files_[found->second];
}

const pb::file_entry* FileDescriptions::FindMappable(uint32_t id) const {
  const pb::file_entry* file = Find(pb::REG, id);
  return file != nullptr ? file : Find(pb::MEMFD, id);
}

DescriptorTables DescriptorTables::Read(DumpReader& reader, const std::vector<DumpedTask>& tasks) {
  DescriptorTables all;
  for (const DumpedTask& task : tasks) all.tables_[FilesIdOf(task)].pids.push_back(task.pid());
  for (auto& [files_id, table] : all.tables_) {
    table.has_image = reader.Has(ImageType::kFdinfo, files_id);
    table.descriptors = reader.Entries<pb::fdinfo_entry>(ImageType::kFdinfo, files_id);
    std::ranges::stable_sort(table.descriptors, {}, [](const auto& entry) { return entry.fd(); });
  }
  // In the order of the tasks, so that holders are.
  for (const DumpedTask& task : tasks) {
    const DescriptorTable& table = all.Of(task);
    if (table.pids.front() != task.pid()) continue;
    for (const auto& entry : table.descriptors) {
      all.holders_[KeyOf(static_cast<uint32_t>(entry.type()), entry.id())].push_back(
          {task.pid(), entry.fd()});
    }
  }
  return all;
}

const std::vector<Holder>& DescriptorTables::HoldersOf(const pb::file_entry& file) const {
  static const std::vector<Holder> kNobody;
  const auto found = holders_.find(KeyOf(static_cast<uint32_t>(file.type()), file.id()));
  return found == holders_.end() ? kNobody : found->second;
}

bool HasBody(const pb::file_entry& file) { return BodyField(file) != nullptr; }

std::optional<uint32_t> FlagsOf(const pb::file_entry& file) {
  const auto flags = BodyNumber(file, "flags");
  if (!flags) return std::nullopt;
  return static_cast<uint32_t>(*flags);
}

std::optional<uint64_t> PositionOf(const pb::file_entry& file) { return BodyNumber(file, "pos"); }

}  // namespace ckpt
