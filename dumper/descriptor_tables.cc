#include "dumper/descriptor_tables.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/descriptor_room.h"

namespace ckpt {

namespace {

// Each costs the kernel some 300 bytes.
constexpr size_t kMaxPreparedFiles = size_t{1} << 16;

}  // namespace

DescriptorTables::DescriptorTables() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  files_left_ = std::min<rlim_t>(limit.rlim_cur / 2, kMaxPreparedFiles);
}

void DescriptorTables::MakeRoom(std::span<const pid_t> pids) {
  // Of each a duplicate, its link and its fdinfo.
  constexpr uint64_t kOfOne = 3;
  uint64_t count = 0;
  for (const pid_t pid : pids) {
    struct stat status {};
    // Since 6.2 the size is the number of descriptors; before that it is 0.
    if (stat(fmt::format("/proc/{}/fd", pid).c_str(), &status) != 0) continue;
    count += kOfOne * static_cast<uint64_t>(status.st_size);
  }
  MakeRoomForDescriptors(std::min<uint64_t>(count, kMaxPreparedFiles));
}

Result<DescriptorTable*> DescriptorTables::Open(pid_t pid) {
  CKPT_TRY(DescriptorTable table, DescriptorTable::Open(pid));
  return &tables_.insert_or_assign(pid, std::move(table)).first->second;
}

Result<DescriptorTable*> DescriptorTables::Prepare(pid_t pid) {
  CKPT_TRY(DescriptorTable * table, Open(pid));
  CKPT_TRY(table->Prepare(files_left_));
  files_left_ -= table->prepared_files();
  return table;
}

Result<DescriptorTable*> DescriptorTables::Of(pid_t pid) {
  const auto table = tables_.find(pid);
  return table == tables_.end() ? Open(pid) : &table->second;
}

}  // namespace ckpt
