// For tests: the sample container as a directory, and runs of imgtool over it.
#ifndef IMGTOOL_EXPLORE_EXPLORED_DUMP_H_
#define IMGTOOL_EXPLORE_EXPLORED_DUMP_H_

#include <filesystem>
#include <string>
#include <vector>

#include "formats/check/sample_container.h"
#include "imgtool/directory_fixture.h"
#include "imgtool/tool_run.h"

namespace ckpt {

inline constexpr const char* kViewNames[] = {"ps", "fds", "mems", "rss", "sockets", "mounts"};

class ExploredDump : public DirectoryFixture {
 protected:
  void SetUp() override {
    DirectoryFixture::SetUp();
    sample_ = MakeSampleContainer();
  }

  // The sample as it is now, with its parent beside it. Returns its path.
  std::string Write(const std::string& name) {
    WriteDump(sample_.parent, name + "-parent");
    WriteDump(sample_.dump, name);
    std::filesystem::create_symlink("../" + name + "-parent", directory_ + "/" + name + "/parent");
    return directory_ + "/" + name;
  }

  ToolRun Explore(const std::string& dump, const std::string& view,
                  const std::vector<std::string>& more = {}) {
    std::vector<std::string> args = {"x", dump, view};
    args.insert(args.end(), more.begin(), more.end());
    return RunTool(args);
  }

  SampleContainer sample_;

 private:
  void WriteDump(const MemoryDump& dump, const std::string& name) {
    std::filesystem::remove_all(directory_ + "/" + name);
    std::filesystem::create_directories(directory_ + "/" + name);
    for (const auto& [file, bytes] : dump.files()) Put(name + "/" + file, bytes);
  }
};

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_EXPLORED_DUMP_H_
