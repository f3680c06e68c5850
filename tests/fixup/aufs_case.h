// What an AUFS of 2014 left in a dump: a container's mapped file has the path of its branch and the
// host's mount. The branches are directories of the test's own; the program is run as a user would.
#ifndef TESTS_FIXUP_AUFS_CASE_H_
#define TESTS_FIXUP_AUFS_CASE_H_

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/image_file.h"
#include "imgtool/sample_dump.h"
#include "tests/harness/command.h"

namespace ckpt {

class AufsCase : public testing::Test {
 protected:
  static constexpr int32_t kHostMount = 22;
  static constexpr uint32_t kUnionMount = 44;

  void SetUp() override {
    root_ =
        MakeTestDirectory(testing::UnitTest::GetInstance()->current_test_info()->name()).value();
    dump_.emplace(root_ + "/dump");
    mounts_ = {SampleMount(pb::AUFS, kUnionMount, 29, "/", "si=1f,dio"),
               SampleMount(pb::PROC, 47, kUnionMount, "/proc")};
    map_ = fmt::format(
        "branch-map 1\nunion web\ntype aufs\nbranch rw /d/ID at {0}/rw\n"
        "branch ro+wh /d/ID-init at {0}/init\nbranch ro+wh /d/base at {0}/base\n",
        root_);
    for (const char* branch : {"/rw", "/init", "/base"})
      std::filesystem::create_directory(root_ + branch);
  }

  void Put(const std::string& path, const std::string& bytes = "12345") {
    std::filesystem::create_directories(std::filesystem::path(root_ + "/" + path).parent_path());
    ASSERT_TRUE(WriteWholeFile(root_ + "/" + path, AsBytes(bytes), 0644).has_value());
  }

  // A file that is only mapped, as the dump of a raw kernel has it.
  pb::reg_file_entry& AddMapped(const std::string& name) {
    pb::reg_file_entry& file =
        files_.emplace_back(SampleRegFile(static_cast<uint32_t>(files_.size() + 1), name));
    file.set_mnt_id(kHostMount);
    file.set_size(5);
    file.set_mode(S_IFREG | 0644);
    return file;
  }

  void WriteDump() {
    dump_->WriteFiles(files_);
    std::vector<uint32_t> mapped;
    for (const pb::reg_file_entry& file : files_) mapped.push_back(file.id());
    dump_->Write(ImageType::kMm, 42, std::vector{SampleMm(999, mapped)});
    dump_->Write(ImageType::kMnts, 7, mounts_);
  }

  CommandResult Run(std::vector<std::string> more = {}) {
    if (!std::filesystem::exists(dump_->Path("files.img"))) WriteDump();
    const std::string map = map_is_a_word_ ? map_ : root_ + "/web.map";
    if (!map_is_a_word_) {
      EXPECT_TRUE(WriteWholeFile(map, AsBytes(map_), 0600).has_value());
    }
    std::vector<std::string> command = {RunfilePath("imgtool/imgtool"),
                                        "aufs-fixup",
                                        dump_->directory(),
                                        "--in-place",
                                        "--branches",
                                        map};
    command.insert(command.end(), more.begin(), more.end());
    return RunCommand(command).value();
  }

  // What the names of the files became, or the error.
  std::vector<std::string> Fix(const std::vector<std::string>& more = {}) {
    const CommandResult run = Run(more);
    report_ = run.output;
    if (run.exit_status != 0) return {run.errors};
    std::vector<std::string> names;
    for (const pb::reg_file_entry& file : Files()) names.push_back(file.name());
    return names;
  }

  std::vector<pb::reg_file_entry> Files() {
    std::vector<pb::reg_file_entry> files;
    const auto entries = ReadEntries<pb::file_entry>(dump_->Path("files.img")).value();
    for (const pb::file_entry& entry : entries) files.push_back(entry.reg());
    return files;
  }

  using Names = std::vector<std::string>;
  std::string root_;
  std::optional<SampleDump> dump_;
  std::vector<pb::reg_file_entry> files_;
  std::vector<pb::mnt_entry> mounts_;
  std::string map_;
  bool map_is_a_word_ = false;
  std::string report_;
};

}  // namespace ckpt

#endif  // TESTS_FIXUP_AUFS_CASE_H_
