#include "imgtool/dump_input.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/file.h"
#include "formats/image_reader.h"
#include "formats/image_type.h"
#include "imgtool/archive_reader.h"

namespace ckpt {
namespace {

constexpr char kImageFile[] = "image";

bool IsRawImage(const std::string& path) {
  const auto image = FindImageTypeByFileName(path.substr(path.rfind('/') + 1));
  return image && GetImageType(image->type).framing == ImageFraming::kRaw;
}

bool IsRegularFile(const std::string& path) {
  struct stat status = {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

// An archive by its bytes. Images that are the bytes of another format, as those of tmpfs are, are
// known by their names alone.
Result<bool> IsArchive(InputSource& source) {
  CKPT_TRY(const Bytes head, source.Peek(kArchiveHeadBytes));
  if (IsRawImage(source.name())) return false;
  return LooksLikeArchive(head) && IdentifyImage(source.name(), head).has_error();
}

}  // namespace

bool NeedsAllFiles(std::string_view) { return true; }

bool NeedsImagesWithEntries(std::string_view file_name) {
  const auto image = FindImageTypeByFileName(file_name);
  return image && GetImageType(image->type).framing != ImageFraming::kRaw;
}

Result<DumpInput> DumpInput::Open(const std::string& operand, const Invocation& invocation,
                                  FileNeed need, OneImage one_image) {
  if (operand == kStandardInput) {
    DumpInput input("standard input");
    InputSource source = InputSource::OfStream(invocation.streams.in, input.name_);
    CKPT_TRY(input.TakeFile(source, invocation, need, one_image));
    return input;
  }
  struct stat status = {};
  if (stat(operand.c_str(), &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "stat(\"{}\")", operand);
  }
  DumpInput input(operand);
  if (S_ISDIR(status.st_mode)) {
    CKPT_TRY(ListDirectory(operand));
    return input;
  }
  CKPT_TRY(InputSource source, InputSource::OfFile(operand));
  CKPT_TRY(input.TakeFile(source, invocation, need, one_image));
  return input;
}

Result<> DumpInput::TakeFile(InputSource& source, const Invocation& invocation, FileNeed need,
                             OneImage one_image) {
  CKPT_TRY(const bool is_archive, IsArchive(source));
  const ArchiveLimits limits = ReadArchiveLimits(invocation.options);
  if (is_archive) {
    CKPT_TRY(unpacked_, TemporaryDirectory::Create(name_));
    CKPT_TRY(path_, UnpackDump(source, limits, need, unpacked_->path()));
    return success();
  }
  if (one_image == OneImage::kRefused) {
    return MakeError(ErrorCode::kBadFormat, "{}: neither a dump directory nor an archive", name_);
  }
  is_image_ = true;
  if (name_ == source.name() && IsRegularFile(path_)) return success();
  return TakeImage(source, limits.max_unpacked_bytes);
}

// What can be read once only becomes a file.
Result<> DumpInput::TakeImage(InputSource& source, uint64_t max_bytes) {
  CKPT_TRY(unpacked_, TemporaryDirectory::Create(name_));
  unpacked_->ShowFileAs(kImageFile, name_);
  path_ = unpacked_->path() + "/" + kImageFile;
  CKPT_TRY(const UniqueFd fd, OpenFile(path_, O_WRONLY | O_CREAT | O_EXCL, 0600));
  uint64_t size_bytes = 0;
  while (true) {
    CKPT_TRY(const Bytes block, source.Read());
    if (block.empty()) return success();
    size_bytes += block.size();
    if (size_bytes > max_bytes) {
      return MakeError(ErrorCode::kUnsupported,
                       "{}: more than {} bytes (--max-unpacked raises this)", name_, max_bytes);
    }
    CKPT_TRY(WriteAll(fd.get(), block, path_));
  }
}

void AddInputOptions(boost::program_options::options_description& options) {
  AddArchiveLimitOptions(options);
}

}  // namespace ckpt
