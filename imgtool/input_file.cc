#include "imgtool/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "base/file.h"
#include "formats/image_reader.h"

namespace ckpt {
namespace {

std::string NameOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

void SetType(ImageType type, InputFile& file) {
  const bool is_raw = GetImageType(type).framing == ImageFraming::kRaw;
  file.kind = is_raw ? InputKind::kRaw : InputKind::kImage;
  file.type = type;
}

Result<InputFile> DescribeMember(std::string path, std::string name) {
  struct stat status = {};
  if (lstat(path.c_str(), &status) != 0) return ErrnoError(errno, "lstat(\"{}\")", path);
  InputFile file;
  file.size_bytes = static_cast<uint64_t>(status.st_size);
  if (S_ISLNK(status.st_mode)) {
    file.kind = InputKind::kLink;
    CKPT_TRY(file.link_target, ReadLink(path));
  } else if (const auto image = FindImageTypeByFileName(name); image && S_ISREG(status.st_mode)) {
    SetType(image->type, file);
  }
  file.path = std::move(path);
  file.name = std::move(name);
  return file;
}

Result<Input> ListDump(const std::string& path) {
  Input input;
  input.is_directory = true;
  CKPT_TRY(const std::vector<std::string> names, ListDirectory(path));
  for (const std::string& name : names) {
    CKPT_TRY(InputFile file, DescribeMember(fmt::format("{}/{}", path, name), name));
    input.files.push_back(std::move(file));
  }
  return input;
}

// The two magics at the start of a file; less where it is shorter.
Result<std::string> ReadMagics(const std::string& path) {
  CKPT_TRY(const UniqueFd fd, OpenFile(path, O_RDONLY));
  std::string magics(8, '\0');
  const ssize_t size = pread(fd.get(), magics.data(), magics.size(), 0);
  if (size < 0) return ErrnoError(errno, "pread(\"{}\", 8 bytes at 0)", path);
  magics.resize(static_cast<size_t>(size));
  return magics;
}

Result<ImageType> TypeOfFile(const std::string& path, const std::string& name) {
  if (const auto image = FindImageTypeByFileName(name)) return image->type;
  CKPT_TRY(const std::string magics, ReadMagics(path));
  return IdentifyImage(path, AsBytes(magics));
}

}  // namespace

Result<Input> ListInput(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return ErrnoError(errno, "stat(\"{}\")", path);
  if (S_ISDIR(status.st_mode)) return ListDump(path);
  InputFile file;
  file.path = path;
  file.name = NameOf(path);
  file.size_bytes = static_cast<uint64_t>(status.st_size);
  CKPT_TRY(const ImageType type, TypeOfFile(path, file.name));
  SetType(type, file);
  Input input;
  input.files.push_back(std::move(file));
  return input;
}

}  // namespace ckpt
