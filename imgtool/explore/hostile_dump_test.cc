// Damaged images in place of sound ones: x and diff end in a message, never in a crash.
#include <set>

#include "imgtool/explore/explored_dump.h"

namespace ckpt {
namespace {

// Done, differs, and the codes of inputs that are missing, damaged or beyond us.
const std::set<int> kAllowed = {0, 1, 3, 4, 5};

class HostileDump : public ExploredDump {
 protected:
  void SetUp() override {
    ExploredDump::SetUp();
    sound_ = Write("sound");
    damaged_ = Write("damaged");
  }

  void RunAll(const std::string& what) {
    for (const char* view : kViewNames) {
      const ToolRun run = Explore(damaged_, view);
      EXPECT_TRUE(kAllowed.contains(run.code)) << what << " " << view << " " << run.code << run.err;
      EXPECT_EQ(run.code >= 3, !run.err.empty()) << what << " " << view;
    }
    const ToolRun run = RunTool({"diff", sound_, damaged_});
    EXPECT_TRUE(kAllowed.contains(run.code)) << what << " diff " << run.code << run.err;
  }

  // Every image that x and diff read entries of, without pages.
  std::vector<std::string> Images() const {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : sample_.dump.files()) {
      if (name.starts_with("pages-") || name.starts_with("tmpfs-")) continue;
      names.push_back(name);
    }
    return names;
  }

  std::string sound_;
  std::string damaged_;
};

TEST_F(HostileDump, ImagesCutAnywhereAreReportedOrTakenForShorter) {
  for (const std::string& name : Images()) {
    const std::string& bytes = sample_.dump.files().at(name);
    const size_t step = bytes.size() / 5 + 1;
    for (size_t size = 0; size < bytes.size(); size += step) {
      Put("damaged/" + name, bytes.substr(0, size));
      RunAll(fmt::format("{} cut to {}", name, size));
    }
    Put("damaged/" + name, bytes);
  }
}

TEST_F(HostileDump, FlippedBitsDoNotCrash) {
  for (const std::string& name : Images()) {
    const std::string& bytes = sample_.dump.files().at(name);
    const size_t step = bytes.size() / 8 + 1;
    for (size_t i = 0; i < bytes.size(); i += step) {
      std::string flipped = bytes;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i / step % 8)));
      Put("damaged/" + name, flipped);
      RunAll(fmt::format("{} byte {}", name, i));
    }
    Put("damaged/" + name, bytes);
  }
}

TEST_F(HostileDump, AMissingImageIsNeverACrash) {
  for (const std::string& name : Images()) {
    std::filesystem::remove(damaged_ + "/" + name);
    RunAll("without " + name);
    Put("damaged/" + name, sample_.dump.files().at(name));
  }
}

}  // namespace
}  // namespace ckpt
