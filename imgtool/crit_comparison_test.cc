// `imgtool show` against the installed crit, over images of every type that crit knows.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

constexpr const char* kCrit = "/usr/bin/crit";

// How many types crit 3.17.1 has; a newer one has more.
constexpr size_t kLeastTypes = 65;

class CritComparison : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (access(kCrit, X_OK) != 0) return;
    std::filesystem::remove_all(Directory());
    std::filesystem::create_directory(Directory());
    const std::string command = "/usr/bin/python3 imgtool/crit_images.py " + Directory();
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

  void SetUp() override {
    if (access(kCrit, X_OK) != 0) GTEST_SKIP() << "no " << kCrit << " to compare with";
  }

  static std::string Directory() { return testing::TempDir() + "/crit-images"; }

  std::string ReadText(const std::string& name) {
    Result<std::string> text = ReadWholeFile(Directory() + "/" + name);
    EXPECT_TRUE(text) << text.error().message;
    return text ? std::move(text).value() : "";
  }

  // The images: files without an extension.
  std::vector<std::string> Images() {
    std::vector<std::string> images;
    Result<std::vector<std::string>> names = ListDirectory(Directory());
    EXPECT_TRUE(names);
    for (const std::string& name : names.value()) {
      if (name.find('.') == std::string::npos) images.push_back(name);
    }
    return images;
  }
};

std::string TypeOf(const std::string& image) { return image.substr(0, image.rfind('-')); }

std::string WithoutLineEnd(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

// Where we differ from crit on purpose: since CRIU 4.2 field 2 of pagemap_entry has another name.
std::string Expected(const std::string& type, std::string text) {
  if (type != "PAGEMAP") return text;
  constexpr std::string_view kOld = "\"nr_pages\"";
  constexpr std::string_view kNew = "\"compat_nr_pages\"";
  for (size_t at = text.find(kOld); at != std::string::npos; at = text.find(kOld, at)) {
    text.replace(at, kOld.size(), kNew);
  }
  return text;
}

// Byte for byte but for the line end after the value, so key order and layout are compared too.
TEST_F(CritComparison, ShowPrintsWhatCritDecodePrints) {
  std::set<std::string> types;
  for (const std::string& image : Images()) {
    types.insert(TypeOf(image));
    const ToolRun run = RunTool({"show", Directory() + "/" + image});
    EXPECT_EQ(run.code, 0) << image;
    EXPECT_EQ(run.err, "") << image;
    EXPECT_EQ(WithoutLineEnd(run.out),
              WithoutLineEnd(Expected(TypeOf(image), ReadText(image + ".plain"))))
        << image;
  }
  EXPECT_GE(types.size(), kLeastTypes);
}

TEST_F(CritComparison, ShowPrettyPrintsWhatCritDecodePrettyPrints) {
  std::set<std::string> types;
  for (const std::string& image : Images()) {
    types.insert(TypeOf(image));
    const ToolRun run = RunTool({"show", "--pretty", Directory() + "/" + image});
    EXPECT_EQ(run.code, 0) << image;
    EXPECT_EQ(run.err, "") << image;
    EXPECT_EQ(WithoutLineEnd(run.out),
              WithoutLineEnd(Expected(TypeOf(image), ReadText(image + ".pretty"))))
        << image;
  }
  EXPECT_GE(types.size(), kLeastTypes);
}

// All but socket names whose line ends crit loses, too, which decode tells.
TEST_F(CritComparison, EncodeRestoresImagesFromWhatCritDecodePrints) {
  const std::string out = testing::TempDir() + "/encoded.img";
  size_t restored = 0;
  for (const std::string& image : Images()) {
    const std::string path = Directory() + "/" + image;
    if (!RunTool({"decode", path}).err.empty()) continue;
    for (const char* form : {".plain", ".pretty"}) {
      const ToolRun run = RunTool({"encode", path + form, "-o", out});
      EXPECT_EQ(run.code, 0) << image << form << ": " << run.err;
      EXPECT_TRUE(ReadWholeFile(out).value() == ReadText(image)) << image << form;
      ++restored;
    }
  }
  EXPECT_GT(restored, kLeastTypes * 20);
}

}  // namespace
}  // namespace ckpt
