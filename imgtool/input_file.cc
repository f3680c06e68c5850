#include "imgtool/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/file.h"
#include "formats/image_reader.h"
#include "formats/ordered_work.h"

namespace ckpt {
namespace {

constexpr size_t kNamesAtOnce = 128;

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
  if (lstat(path.c_str(), &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "lstat(\"{}\")", path);
  }
  InputFile file;
  file.size_bytes = static_cast<uint64_t>(status.st_size);
  if (S_ISLNK(status.st_mode)) {
    file.kind = InputKind::kLink;
    CKPT_TRY(file.link_target, ReadLink(path));
  } else if (const auto image = FindImageTypeByFileName(name); image && S_ISREG(status.st_mode)) {
    SetType(image->type, file);
  }
  file.shown_path = ShownText(path);
  file.path = std::move(path);
  file.name = std::move(name);
  return file;
}

Result<> DescribeMembers(const std::string& path, std::span<const std::string> names,
                         std::span<InputFile> files) {
  for (size_t i = 0; i < names.size(); ++i) {
    CKPT_TRY(files[i], DescribeMember(fmt::format("{}/{}", path, names[i]), names[i]));
  }
  return success();
}

// By all processors: with many tasks there are thousands of files.
Result<> DescribeMany(const std::string& path, std::span<const std::string> names,
                      std::span<InputFile> files) {
  const size_t threads = OrderedWork::DefaultThreads();
  Result<> done = success();
  OrderedWork work(threads, 2 * threads);
  for (size_t begin = 0; begin < names.size(); begin += kNamesAtOnce) {
    const size_t count = std::min(kNamesAtOnce, names.size() - begin);
    const auto some = std::make_shared<Result<>>(success());
    work.Add(
        [=, &path] {
          *some = DescribeMembers(path, names.subspan(begin, count), files.subspan(begin, count));
        },
        [&done, some] {
          if (done) done = std::move(*some);
        });
  }
  work.Finish();
  return done;
}

Result<Input> ListDump(const std::string& path) {
  Input input;
  input.is_directory = true;
  CKPT_TRY(const std::vector<std::string> names, ListDirectory(path));
  input.files.resize(names.size());
  const auto describe = names.size() > kNamesAtOnce ? DescribeMany : DescribeMembers;
  CKPT_TRY(describe(path, names, input.files));
  return input;
}

// The two magics at the start of a file; less where it is shorter.
Result<std::string> ReadMagics(const std::string& path) {
  CKPT_TRY(const UniqueFd fd, OpenFile(path, O_RDONLY));
  std::string magics(8, '\0');
  const ssize_t size = pread(fd.get(), magics.data(), magics.size(), 0);
  const int saved = errno;
  if (size < 0) return ErrnoError(saved, "pread(\"{}\", 8 bytes at 0)", path);
  magics.resize(static_cast<size_t>(size));
  return magics;
}

Result<ImageType> TypeOfFile(const InputFile& file) {
  if (const auto image = FindImageTypeByFileName(file.name)) return image->type;
  CKPT_TRY(const std::string magics, ReadMagics(file.path));
  return IdentifyImage(file.shown_path, AsBytes(magics));
}

Result<InputFile> DescribeImage(const DumpInput& opened) {
  InputFile file;
  file.path = opened.path();
  file.shown_path = opened.ShownPath();
  file.name = NameOf(opened.name());
  struct stat status = {};
  if (stat(file.path.c_str(), &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "stat(\"{}\")", file.path);
  }
  file.size_bytes = static_cast<uint64_t>(status.st_size);
  CKPT_TRY(const ImageType type, TypeOfFile(file));
  SetType(type, file);
  return file;
}

}  // namespace

Result<Input> ListInput(const DumpInput& opened) {
  if (!opened.is_image()) return ListDump(opened.path());
  CKPT_TRY(InputFile file, DescribeImage(opened));
  Input input;
  input.files.push_back(std::move(file));
  return input;
}

}  // namespace ckpt
