#include "restorer/opened_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace ckpt {
namespace {

// A task with an executable, "/" and one descriptor, 30, on `path`.
RestorePlan PlanWith(const std::string& path) {
  RestorePlan plan;
  const auto add = [&](uint32_t id, const std::string& name) -> FilePlan& {
    FilePlan& file = plan.files[id];
    file.id = id;
    file.place = fmt::format("files.img entry id {}", id);
    file.path = name;
    return file;
  };
  add(1, "/bin/sh");
  add(2, "/");
  add(3, path).flags = O_RDONLY;
  TaskPlan& task = plan.tasks.emplace_back();
  task.memory.layout.exe_file_id = 1;
  task.cwd_file_id = 2;
  task.root_file_id = 2;
  task.descriptors = {{.fd = 30, .file_id = 3, .close_on_exec = false}};
  return plan;
}

TEST(OpenedFilesTest, EverythingLiesAboveTheDescriptorsOfTheTasks) {
  const auto files = OpenedFiles::Open(PlanWith("/dev/zero"), "", {});
  ASSERT_TRUE(files.has_value()) << files.error().message;
  EXPECT_EQ(files.value().floor(), 31);
  for (const int fd : {files.value().Description(3), files.value().Mapped(1, O_RDONLY),
                       files.value().Directory(2)}) {
    EXPECT_GE(fd, 31);
    EXPECT_GE(fcntl(fd, F_GETFD), 0);
  }
}

TEST(OpenedFilesTest, ADescriptionIsWhereItWas) {
  std::string name = testing::TempDir() + "opened_files.XXXXXX";
  UniqueFd file(mkstemp(name.data()));
  ASSERT_TRUE(WriteAll(file.get(), AsBytes("0123456789"), name).has_value());
  RestorePlan plan = PlanWith(name);
  plan.files.at(3).position = 4;
  const auto files = OpenedFiles::Open(plan, "", {});
  unlink(name.c_str());
  ASSERT_TRUE(files.has_value()) << files.error().message;
  EXPECT_EQ(lseek(files.value().Description(3), 0, SEEK_CUR), 4);
}

TEST(OpenedFilesTest, AllThatIsMissingIsToldOnce) {
  RestorePlan plan = PlanWith("/nowhere/data");
  plan.files.at(1).path = "/nowhere/program";
  MappingPlan mapping;
  mapping.kind = MappingPlan::Kind::kFile;
  mapping.file_id = 1;
  plan.tasks.front().memory.mappings = {mapping, mapping};
  const auto files = OpenedFiles::Open(plan, "", {});
  ASSERT_TRUE(files.has_error());
  EXPECT_EQ(files.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files.error().message,
            "files.img entry id 3: /nowhere/data: No such file or directory (ENOENT)\n"
            "files.img entry id 1: /nowhere/program: No such file or directory (ENOENT)");
}

}  // namespace
}  // namespace ckpt
