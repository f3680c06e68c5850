#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "formats/image_message.h"
#include "imgtool/explore/dump_objects.h"

namespace ckpt {
namespace {

// Images that are compared elsewhere, or by content, or that tell of the dumper.
constexpr ImageType kNotCompared[] = {
    ImageType::kPstree,       ImageType::kCore,          ImageType::kIds,
    ImageType::kMm,           ImageType::kVmas,          ImageType::kFs,
    ImageType::kCreds,        ImageType::kSigact,        ImageType::kItimers,
    ImageType::kPosixTimers,  ImageType::kRlimit,        ImageType::kSignal,
    ImageType::kPsignal,      ImageType::kFdinfo,        ImageType::kFiles,
    ImageType::kRegFiles,     ImageType::kExtFiles,      ImageType::kNsFiles,
    ImageType::kEventfdFile,  ImageType::kEventpollFile, ImageType::kEventpollTfd,
    ImageType::kSignalfd,     ImageType::kInotifyFile,   ImageType::kInotifyWd,
    ImageType::kFanotifyFile, ImageType::kFanotifyMark,  ImageType::kPipes,
    ImageType::kPipesData,    ImageType::kFifo,          ImageType::kFifoData,
    ImageType::kUnixsk,       ImageType::kInetsk,        ImageType::kPacketsk,
    ImageType::kNetlinkSk,    ImageType::kSkQueues,      ImageType::kTcpStream,
    ImageType::kTtyFiles,     ImageType::kTtyInfo,       ImageType::kTunfile,
    ImageType::kTimerfd,      ImageType::kBpfmapFile,    ImageType::kPidfd,
    ImageType::kMemfdInode,   ImageType::kRemapFpath,    ImageType::kGhostFile,
    ImageType::kMnts,         ImageType::kPagemap,       ImageType::kShmemPagemap,
    ImageType::kPages,        ImageType::kPagesOld,      ImageType::kShmPagesOld,
    ImageType::kSeccomp,      ImageType::kStats,         ImageType::kIrmapCache,
    ImageType::kCkptRaw,
};

// The name of an image without the number that the dumper gave its namespace.
std::string NameOfImage(const DumpMeaning& dump, const DumpImage& listed) {
  const ImageTypeInfo& info = GetImageType(listed.image.type);
  if (info.id != ImageId::kNamespace) return listed.file_name;
  return fmt::format("{} of {}", info.name,
                     dump.NameOfNamespaceImage(listed.image.type, listed.image.id));
}

// Of any size.
Result<std::string> HashFile(const std::string& path) {
  CKPT_TRY(const UniqueFd fd, OpenFile(path, O_RDONLY));
  std::string buffer(64 << 10, '\0');
  uint64_t hash = 0;
  uint64_t size_bytes = 0;
  while (true) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    const int saved = errno;
    if (got < 0 && saved == EINTR) continue;
    if (got < 0) return ErrnoError(saved, "read({})", path);
    if (got == 0) return fmt::format("{} bytes, hash {:016x}", size_bytes, hash);
    size_bytes += static_cast<uint64_t>(got);
    hash = HashBytes(std::string_view(buffer).substr(0, static_cast<size_t>(got)), hash);
  }
}

void AppendEntries(const DumpMeaning& dump, const ImageFile& image, Fields& out) {
  for (const ImageEntry& entry : image.entries()) {
    const std::string place = fmt::format("entry {}", entry.index);
    const auto* descriptor = FindEntryDescriptor(image.type(), entry.index);
    if (descriptor == nullptr) continue;
    const auto message = ParseMessageOf(*descriptor, entry.message);
    if (!message) return dump.reader().Report(message.error());
    out.push_back({place, descriptor->name()});
    AppendFields(*message.value(), place + ": ", dump, out);
    if (!entry.extra.empty()) out.push_back({place + ": extra", BytesText(AsText(entry.extra))});
  }
}

}  // namespace

Objects OtherObjects(const DumpMeaning& dump) {
  Objects objects;
  for (const DumpImage& listed : dump.reader().dump().images()) {
    const auto [type, id] = listed.image;
    if (std::ranges::find(kNotCompared, type) != std::end(kNotCompared)) continue;
    // CRIU's way of writing that there is no time namespace.
    if (type == ImageType::kTimens && id == 0) continue;
    DumpedObject object{NameOfImage(dump, listed), std::string(GetImageType(type).doc), {}};
    if (GetImageType(type).framing == ImageFraming::kRaw) {
      const auto text =
          dump.reader().Kept(HashFile(dump.reader().dump().PathOf(type, id)), type, id);
      if (text) object.fields.push_back({"content", *text});
    } else if (const auto image = dump.reader().Image(type, id)) {
      AppendEntries(dump, *image, object.fields);
    }
    objects.emplace(object.name, std::move(object));
  }
  return objects;
}

}  // namespace ckpt
