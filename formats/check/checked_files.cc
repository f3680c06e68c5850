#include "formats/check/checked_files.h"

#include <fmt/format.h>

namespace ckpt {

namespace {

using google::protobuf::Message;

struct FileKind {
  pb::fd_types type;
  int field;                // of file_entry
  std::string_view prefix;  // that field's name and a dot
  ImageType old_image;      // kFiles where older dumps have none
};

constexpr FileKind kKinds[] = {
    {pb::REG, 3, "reg.", ImageType::kRegFiles},
    {pb::INETSK, 4, "isk.", ImageType::kInetsk},
    {pb::NS, 5, "nsf.", ImageType::kNsFiles},
    {pb::PACKETSK, 6, "psk.", ImageType::kPacketsk},
    {pb::NETLINKSK, 7, "nlsk.", ImageType::kNetlinkSk},
    {pb::EVENTFD, 8, "efd.", ImageType::kEventfdFile},
    {pb::EVENTPOLL, 9, "epfd.", ImageType::kEventpollFile},
    {pb::SIGNALFD, 10, "sgfd.", ImageType::kSignalfd},
    {pb::TUNF, 11, "tunf.", ImageType::kTunfile},
    {pb::TIMERFD, 12, "tfd.", ImageType::kTimerfd},
    {pb::INOTIFY, 13, "ify.", ImageType::kInotifyFile},
    {pb::FANOTIFY, 14, "ffy.", ImageType::kFanotifyFile},
    {pb::EXT, 15, "ext.", ImageType::kExtFiles},
    {pb::UNIXSK, 16, "usk.", ImageType::kUnixsk},
    {pb::FIFO, 17, "fifo.", ImageType::kFifo},
    {pb::PIPE, 18, "pipe.", ImageType::kPipes},
    {pb::TTY, 19, "tty.", ImageType::kTtyFiles},
    {pb::MEMFD, 20, "memfd.", ImageType::kFiles},
    {pb::BPFMAP, 21, "bpf.", ImageType::kBpfmapFile},
    {pb::PIDFD, 22, "pidfd.", ImageType::kPidfd},
};

// Null where the entry has not the body that its type says.
void SetBody(const pb::file_entry& entry, CheckedFile& file) {
  for (const FileKind& kind : kKinds) {
    if (kind.type != entry.type()) continue;
    const auto* field = pb::file_entry::descriptor()->FindFieldByNumber(kind.field);
    const auto* reflection = pb::file_entry::GetReflection();
    file.prefix = kind.prefix;
    if (reflection->HasField(entry, field)) file.body = &reflection->GetMessage(entry, field);
  }
}

}  // namespace

bool IsTunPair(const CheckedFile& node, const CheckedFile& tun) {
  return node.type == pb::REG && tun.type == pb::TUNF;
}

CheckedFiles::CheckedFiles(const CheckedDump& dump) {
  AddEntries(dump);
  AddOldImages(dump);
  for (size_t i = 0; i < all_.size(); ++i) {
    const auto [first, is_new] = by_id_.try_emplace(all_[i].id, i);
    if (!is_new && IsTunPair(all_[first->second], all_[i])) first->second = i;
  }
}

void CheckedFiles::AddEntries(const CheckedDump& dump) {
  are_whole_ = dump.AreWhole(ImageType::kFiles);
  dump.ForEach<pb::file_entry>(ImageType::kFiles, [&](const EntryRef<pb::file_entry>& entry) {
    CheckedFile& file = all_.emplace_back();
    file.image = entry.image;
    file.index = entry.index;
    file.id = entry.message->id();
    file.type = entry.message->type();
    SetBody(*entry.message, file);
  });
}

void CheckedFiles::AddOldImages(const CheckedDump& dump) {
  for (const FileKind& kind : kKinds) {
    if (kind.old_image == ImageType::kFiles) continue;
    are_whole_ = are_whole_ && dump.AreWhole(kind.old_image);
    dump.ForEach<Message>(kind.old_image, [&](const EntryRef<Message>& entry) {
      const auto* id = entry.message->GetDescriptor()->FindFieldByName("id");
      const uint32_t value = entry.message->GetReflection()->GetUInt32(*entry.message, id);
      all_.push_back({entry.image, entry.index, value, kind.type, entry.message, ""});
    });
  }
}

const CheckedFile* CheckedFiles::Find(uint32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &all_[found->second];
}

std::string FileTypeName(int type) {
  const auto* value = pb::fd_types_descriptor()->FindValueByNumber(type);
  return value == nullptr ? fmt::format("{}", type) : value->name();
}

}  // namespace ckpt
