#include "imgtool/check/staged_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "formats/check/sample_container.h"
#include "formats/proto/inventory.pb.h"
#include "formats/proto/memory.pb.h"
#include "imgtool/directory_fixture.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using testing::StartsWith;

class CheckStagedTest : public DirectoryFixture {
 protected:
  void SetUp() override {
    DirectoryFixture::SetUp();
    Write("parent", sample_.parent);
    Write("dump", sample_.dump);
    changes_.edited["inventory.img"] = {};
  }

  void Write(const std::string& name, const MemoryDump& dump) {
    fs::create_directory(directory_ + "/" + name);
    for (const auto& [file, bytes] : dump.files()) Put(name + "/" + file, bytes);
    if (name != "parent") fs::create_symlink("../parent", directory_ + "/" + name + "/parent");
  }

  void SetVersion(uint32_t version) {
    sample_.dump.Edit<pb::inventory_entry>(ImageType::kInventory, [&](auto& inventory) {
      inventory.set_img_version(version);
      return true;
    });
  }

  std::string ErrorOfStaged() {
    Write("staged", sample_.dump);
    const auto done = CheckStaged(directory_ + "/dump", directory_ + "/staged", changes_);
    return done.has_value() ? "" : done.error().message;
  }

  SampleContainer sample_ = MakeSampleContainer();
  DumpChanges changes_;
};

TEST_F(CheckStagedTest, LetsPassWhatIsAsGoodAsBefore) { EXPECT_EQ(ErrorOfStaged(), ""); }

TEST_F(CheckStagedTest, RefusesAnErrorThatTheDumpDidNotHave) {
  SetVersion(77);
  EXPECT_THAT(ErrorOfStaged(), StartsWith("nothing is written, since the changed dump could not be "
                                          "restored: error inventory-version: inventory.img: "));
}

TEST_F(CheckStagedTest, LetsPassWhatTheDumpHadBefore) {
  SetVersion(77);
  fs::remove_all(directory_ + "/dump");
  Write("dump", sample_.dump);
  SetVersion(78);
  EXPECT_EQ(ErrorOfStaged(), "");
}

TEST_F(CheckStagedTest, LooksAtTheParents) {
  changes_.edited["pagemap-1.img"] = {};
  sample_.dump.Edit<pb::pagemap_entry>(ImageType::kPagemap, [](pb::pagemap_entry& pages) {
    if (!pages.in_parent() && (pages.flags() & 1) == 0) return false;
    pages.set_vaddr(pages.vaddr() + (uint64_t{1} << 30));
    return true;
  });
  EXPECT_THAT(ErrorOfStaged(), testing::HasSubstr("error parent-gap: pagemap-1.img: "));
}

}  // namespace
}  // namespace ckpt
