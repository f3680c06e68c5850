#include "imgtool/podman_layers.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

#include "imgtool/directory_fixture.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class PodmanLayersTest : public DirectoryFixture {
 protected:
  void SetUp() override {
    DirectoryFixture::SetUp();
    fs::create_directory(directory_ + "/overlay-layers");
    fs::create_directory(directory_ + "/overlay-containers");
    list_ = Put("overlay-layers/layers.json",
                R"([{"id":"ba5e","created":"2024-01-01T00:00:00Z"},
                    {"id":"a99","parent":"ba5e","diff-size":3},
                    {"id":"c0ffee","parent":"a99","mountlabel":""},
                    {"id":"c0de","parent":"a99"}])");
    Put("overlay-layers/volatile-layers.json", R"([{"id":"7e3b","parent":"ba5e"}])");
    Put("overlay-containers/containers.json",
        R"([{"id":"9f00","names":["web"],"image":"i","layer":"c0ffee"}])");
    Put("overlay-containers/volatile-containers.json",
        R"([{"id":"9e11","names":["once"],"layer":"7e3b"}])");
  }

  // The branches, "rw" or "ro" and the id; or the error.
  std::vector<std::string> Branches(const std::string& wanted) const {
    const auto found = ReadPodmanLayers(list_, wanted);
    if (found.has_error()) return {found.error().message};
    if (!found.value()) return {"no list"};
    std::vector<std::string> branches;
    for (const Branch& branch : found.value()->at(0).branches) {
      const std::string id = fs::path(branch.path).parent_path().filename();
      EXPECT_EQ(branch.path, fmt::format("{}/overlay/{}/diff", directory_, id));
      branches.push_back((branch.permission == BranchPermission::kReadWrite ? "rw " : "ro ") + id);
    }
    return branches;
  }

  std::string list_;
};

TEST_F(PodmanLayersTest, ALayerIsFoundByItsIdAndContainersByIdAndName) {
  EXPECT_THAT(Branches("c0ffee"), ElementsAre("rw c0ffee", "ro a99", "ro ba5e"));
  EXPECT_THAT(Branches("c0f"), ElementsAre("rw c0ffee", "ro a99", "ro ba5e"));
  EXPECT_THAT(Branches("9f00"), ElementsAre("rw c0ffee", "ro a99", "ro ba5e"));
  EXPECT_THAT(Branches("web"), ElementsAre("rw c0ffee", "ro a99", "ro ba5e"));
  EXPECT_THAT(Branches("once"), ElementsAre("rw 7e3b", "ro ba5e"));
}

TEST_F(PodmanLayersTest, WhatCanBeSeveralOrIsNoneIsRefused) {
  EXPECT_THAT(Branches(""), ElementsAre(HasSubstr("3 layers can be meant, say which by " + list_ +
                                                  "#ID of a layer or a container: 7e3b, c0de, "
                                                  "c0ffee")));
  EXPECT_THAT(Branches("c0"), ElementsAre(HasSubstr("2 layers can be meant")));
  EXPECT_THAT(Branches("x"), ElementsAre(HasSubstr("no layer and no container is called x")));
}

TEST_F(PodmanLayersTest, TheOnlyLayerThatNothingBuildsOnNeedsNoName) {
  Put("overlay-layers/layers.json", R"([{"id":"b","parent":"a"},{"id":"a"}])");
  fs::remove(directory_ + "/overlay-layers/volatile-layers.json");
  EXPECT_THAT(Branches(""), ElementsAre("rw b", "ro a"));
}

TEST_F(PodmanLayersTest, ParentsThatAreMissingOrLeadBackAreNamed) {
  Put("overlay-layers/layers.json",
      R"([{"id":"b","parent":"a"},{"id":"c","parent":"d"},{"id":"d","parent":"c"}])");
  EXPECT_THAT(Branches("b"), ElementsAre(HasSubstr("the parents of layer b lead to a, which is "
                                                   "not there")));
  EXPECT_THAT(Branches("c"), ElementsAre(HasSubstr("which leads back")));
}

TEST_F(PodmanLayersTest, OtherFilesAreNone) {
  Put("overlay-layers/layers.json", R"([{"Id":"inspected"}])");
  EXPECT_THAT(Branches(""), ElementsAre("no list"));
  list_ = Put("layers.json", R"([{"id":"b"}])");
  EXPECT_THAT(Branches(""), ElementsAre(HasSubstr("not in a directory overlay-layers")));
}

}  // namespace
}  // namespace ckpt
