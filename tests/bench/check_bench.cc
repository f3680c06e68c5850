// Prints what `imgtool check` costs over dumps of more and more tasks: twice as many tasks should
// take twice as long. The dumps are made here and removed.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/check/memory_dump.h"
#include "formats/pagemap.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/inventory.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/task.pb.h"
#include "formats/vma_status.h"
#include "tests/bench/command_cost.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

constexpr uint32_t kFilesPerTask = 20;
constexpr uint64_t kMappingsPerTask = 60;
constexpr uint64_t kMappingPages = 16;

// An image that grows, with required fields filled in.
class Image {
 public:
  explicit Image(ImageType type) : encoder_(type) {}

  template <typename M>
  void Add(M message) {
    FillRequired(message);
    CKPT_CHECK(encoder_.Append(message).has_value());
  }

  void Write(const std::string& path) const {
    const UniqueFd fd = OpenFile(path, O_WRONLY | O_CREAT, 0644).value();
    CKPT_CHECK(WriteAll(fd.get(), AsBytes(encoder_.bytes()), path).has_value());
  }

 private:
  ImageEncoder encoder_;
};

class TasksDump {
 public:
  explicit TasksDump(std::string directory) : directory_(std::move(directory)) {
    std::filesystem::create_directories(directory_);
  }

  void Make(uint32_t count) {
    Image inventory(ImageType::kInventory);
    pb::inventory_entry entry;
    entry.set_img_version(2);
    entry.set_fdinfo_per_id(true);
    inventory.Add(entry);
    Write(inventory, ImageType::kInventory, 0);
    for (uint32_t pid = 1; pid <= count; ++pid) AddTask(pid);
    Write(tree_, ImageType::kPstree, 0);
    Write(files_, ImageType::kFiles, 0);
  }

 private:
  void Write(const Image& image, ImageType type, uint64_t id) const {
    image.Write(directory_ + "/" + ImageFileName(type, id));
  }
  template <typename M>
  void WriteOne(const M& message, ImageType type, uint64_t id) const {
    Image image(type);
    image.Add(message);
    Write(image, type, id);
  }

  void AddTask(uint32_t pid) {
    pb::pstree_entry task;
    task.set_pid(pid);
    task.set_ppid(pid - 1);
    task.set_pgid(1);
    task.set_sid(1);
    task.add_threads(pid);
    tree_.Add(task);
    pb::core_entry core;
    core.set_mtype(pb::core_entry::X86_64);
    core.mutable_thread_info();
    core.mutable_thread_core()->mutable_creds();
    core.mutable_tc()->set_task_state(1);
    core.mutable_tc()->mutable_rlimits();
    core.mutable_tc()->mutable_timers();
    for (int i = 0; i < 62; ++i) core.mutable_tc()->add_sigactions();
    WriteOne(core, ImageType::kCore, pid);
    pb::task_kobj_ids_entry ids;
    ids.set_files_id(pid);
    WriteOne(ids, ImageType::kIds, pid);
    AddFiles(pid);
    AddMemory(pid);
  }

  void AddFiles(uint32_t pid) {
    Image table(ImageType::kFdinfo);
    for (uint32_t fd = 0; fd < kFilesPerTask; ++fd) {
      pb::file_entry file;
      file.set_type(pb::REG);
      file.set_id(pid * kFilesPerTask + fd);
      file.mutable_reg()->set_id(file.id());
      file.mutable_reg()->set_name(fmt::format("/srv/files/of/{}/{}", pid, fd));
      files_.Add(file);
      pb::fdinfo_entry entry;
      entry.set_id(file.id());
      entry.set_type(pb::REG);
      entry.set_fd(fd);
      table.Add(entry);
    }
    Write(table, ImageType::kFdinfo, pid);
    pb::fs_entry fs;
    fs.set_cwd_id(pid * kFilesPerTask);
    fs.set_root_id(pid * kFilesPerTask);
    WriteOne(fs, ImageType::kFs, pid);
  }

  void AddMemory(uint32_t pid) const {
    pb::mm_entry mm;
    mm.set_mm_end_code(1);
    mm.set_exe_file_id(pid * kFilesPerTask);
    Image pagemap(ImageType::kPagemap);
    pb::pagemap_head head;
    head.set_pages_id(pid);
    pagemap.Add(head);
    for (uint64_t i = 1; i <= kMappingsPerTask; ++i) {
      pb::vma_entry& vma = *mm.add_vmas();
      vma.set_start(i << 24);
      vma.set_end((i << 24) + kMappingPages * kPageBytes);
      vma.set_status(kVmaRegular | kVmaAnonPrivate);
      pagemap.Add(MakePagemapEntry(i << 24, kMappingPages, kPagesPresent));
    }
    WriteOne(mm, ImageType::kMm, pid);
    Write(pagemap, ImageType::kPagemap, pid);
    const std::string pages = directory_ + "/" + ImageFileName(ImageType::kPages, pid);
    const UniqueFd fd = OpenFile(pages, O_WRONLY | O_CREAT, 0644).value();
    CKPT_CHECK(ftruncate(fd.get(), kMappingsPerTask * kMappingPages * kPageBytes) == 0);
  }

  std::string directory_;
  Image tree_{ImageType::kPstree};
  Image files_{ImageType::kFiles};
};

void Measure(const std::string& imgtool, const std::string& directory, uint32_t count) {
  TasksDump(directory).Make(count);
  std::vector<CommandCost> costs;
  for (int i = 0; i < 3; ++i) costs.push_back(RunForCost({imgtool, "check", directory}));
  const CommandCost cost = MedianCost(costs);
  fmt::print("check, {:>5} tasks {:>38.3f} s {:>8.1f} MB\n", count, cost.seconds, cost.memory_mb);
  std::fflush(stdout);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace ckpt

int main() {
  const auto work = ckpt::MakeTestDirectory("check_bench");
  CKPT_CHECK(work.has_value());
  const std::string imgtool = ckpt::RunfilePath("imgtool/imgtool");
  for (const uint32_t count : {500U, 1000U, 2000U}) {
    ckpt::Measure(imgtool, work.value() + "/dump", count);
  }
  return 0;
}
