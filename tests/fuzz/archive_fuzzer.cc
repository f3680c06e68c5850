// An archive with a dump in it, as verbs that only read open it and as rewrite walks through it.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "base/file.h"
#include "imgtool/archive_input.h"
#include "imgtool/archive_limits.h"
#include "imgtool/archive_walk.h"
#include "imgtool/input_source.h"
#include "tests/fuzz/scratch_directory.h"

namespace ckpt {
namespace {

ArchiveLimits SmallLimits() {
  ArchiveLimits limits;
  limits.max_unpacked_bytes = 1 << 20;
  limits.max_members = 64;
  limits.max_image_bytes = 1 << 20;
  return limits;
}

// All members, one byte of each that has data: the rest is passed over.
void Walk(Bytes bytes) {
  const UniqueFd fd(memfd_create("fuzzed", MFD_CLOEXEC));
  CKPT_CHECK(WriteAll(fd.get(), bytes, "fuzzed").has_value());
  CKPT_CHECK(lseek(fd.get(), 0, SEEK_SET) == 0);
  auto walk = ArchiveWalk::Open(fd.get(), "fuzzed", SmallLimits());
  if (walk.has_error()) return;
  uint64_t count = 0;
  while (true) {
    const auto member = walk.value().Next();
    if (member.has_error() || !member.value().has_value()) return;
    CKPT_CHECK(!member.value()->path.starts_with('/'));
    CKPT_CHECK(++count <= SmallLimits().max_members);
    std::byte first;
    if (walk.value().tar().ReadData({&first, 1}).has_error()) return;
  }
}

// What is unpacked lies in the directory and keeps to the limits.
void Unpack(const std::string& bytes) {
  const ScratchDirectory scratch;
  std::istringstream in(bytes);
  InputSource source = InputSource::OfStream(in, "fuzzed");
  const auto unpacked = UnpackDump(
      source, SmallLimits(), [](std::string_view name) { return !name.starts_with("pages-"); },
      scratch.path());
  if (unpacked.has_value()) CKPT_CHECK(unpacked.value().starts_with(scratch.path()));
  uint64_t total = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch.path())) {
    if (entry.is_regular_file() && !entry.is_symlink()) total += entry.file_size();
  }
  CKPT_CHECK(total <= SmallLimits().max_unpacked_bytes);
}

}  // namespace
}  // namespace ckpt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  const std::string bytes(reinterpret_cast<const char*>(data), size_bytes);
  ckpt::Walk(ckpt::AsBytes(bytes));
  ckpt::Unpack(bytes);
  return 0;
}
