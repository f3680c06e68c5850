#include "imgtool/memory/process_strings.h"

#include <algorithm>

namespace ckpt {
namespace {

// Only an environment that begins where the arguments end may hold the rest of a title.
uint64_t EndOfTitle(const pb::mm_entry& mm) {
  const bool adjoins = mm.mm_env_start() == mm.mm_arg_end() && mm.mm_env_end() >= mm.mm_env_start();
  return adjoins ? mm.mm_env_end() : mm.mm_arg_end();
}

Result<std::string> ReadTitle(const ProcessMemory& memory) {
  const uint64_t start = memory.process().mm.mm_arg_start();
  const uint64_t end = EndOfTitle(memory.process().mm);
  // The kernel looks no further.
  const uint64_t size_bytes = std::min(end - start, kPageBytes);
  CKPT_TRY(std::string title, memory.Read({start, start + size_bytes}, kMaxStringsBytes));
  title.resize(std::min(title.size(), title.find('\0')));
  return title;
}

}  // namespace

Result<std::string> ReadArguments(const ProcessMemory& memory) {
  const pb::mm_entry& mm = memory.process().mm;
  if (mm.mm_arg_start() == mm.mm_arg_end()) return std::string();
  CKPT_TRY(std::string bytes, memory.Read({mm.mm_arg_start(), mm.mm_arg_end()}, kMaxStringsBytes));
  return bytes.back() == '\0' ? Result<std::string>(std::move(bytes)) : ReadTitle(memory);
}

Result<std::string> ReadEnvironment(const ProcessMemory& memory) {
  const pb::mm_entry& mm = memory.process().mm;
  return memory.Read({mm.mm_env_start(), mm.mm_env_end()}, kMaxStringsBytes);
}

std::vector<std::string_view> SplitStrings(std::string_view bytes) {
  std::vector<std::string_view> strings;
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\0'), bytes.size());
    strings.push_back(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return strings;
}

}  // namespace ckpt
