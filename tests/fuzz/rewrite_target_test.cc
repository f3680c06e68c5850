// The fuzz target over dumps that are whole, and over thousands that are damaged: as much of a
// fuzzer as every run of the tests has time for.
#include "tests/fuzz/rewrite_target.h"

#include <gtest/gtest.h>

#include <random>

#include "formats/image_writer.h"
#include "imgtool/branch_map_text.h"
#include "imgtool/sample_dump.h"
#include "tests/fuzz/packed_dump.h"

namespace ckpt {
namespace {

constexpr size_t kDamagedInputs = 20000;
constexpr char kMap[] =
    "branch-map 1\n\nunion web\n  mountpoint /\n  branch rw /d/ID\n  branch ro+wh /d/ID-init\n";

template <typename M>
std::string Image(ImageType type, const std::vector<M>& entries) {
  ImageEncoder image(type);
  for (const M& entry : entries) EXPECT_TRUE(image.Append(entry));
  return image.TakeBytes();
}

FuzzFiles SampleFiles() {
  std::vector<pb::file_entry> files;
  for (const char* name : {"/bin/sh", "/d/ID-init/lib/c.so", "/srv/app"}) {
    pb::file_entry& file = files.emplace_back();
    file.set_type(pb::REG);
    file.set_id(static_cast<uint32_t>(files.size()));
    *file.mutable_reg() = SampleRegFile(file.id(), name);
    file.mutable_reg()->set_mnt_id(22);
    file.mutable_reg()->set_size(5);
  }
  return {{"files.img", Image(ImageType::kFiles, files)},
          {"mm-42.img", Image(ImageType::kMm, std::vector{SampleMm(1, {1, 2})})},
          {"fs-42.img", Image(ImageType::kFs, std::vector{SampleFs(1, 3)})},
          {"mountpoints-7.img",
           Image(ImageType::kMnts, std::vector{SampleMount(pb::AUFS, 44, 1, "/", "rw,si=1f")})},
          {"ckpt-raw.img",
           Image(ImageType::kCkptRaw,
                 std::vector{SampleUnionFact(44, "/", {{"/d/ID-init", "rw"}}),
                             SampleMappingFact(SampleMapping(2, "/d/ID-init/lib/c.so", "/c.so"))})},
          {"pages-1.img", "pages"}};
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds{PackFuzzInput(SampleFiles(), kMap)};
  // The last byte says which options are used.
  for (int kind = 0; kind < 16; ++kind) {
    seeds.push_back(PackFuzzInput(
        SampleFiles(),
        "/d/ID-init=/x\n/srv/app=/y\n" + std::string(1, static_cast<char>('@' + kind))));
    seeds.push_back(PackFuzzInput(SampleFiles(), std::string(1, static_cast<char>(kind))));
  }
  return seeds;
}

TEST(RewriteTargetTest, WholeDumpsPass) {
  EXPECT_TRUE(ParseBranchMap(kMap, "map"));
  int carried_out = 0;
  for (const std::string& seed : Seeds()) carried_out += FuzzRewrite(AsBytes(seed));
  EXPECT_GE(carried_out, 8);
  // The map as a map, and its last byte as what to rewrite.
  EXPECT_EQ(FuzzRewrite(AsBytes(Seeds().front())), 2);
}

TEST(RewriteTargetTest, DamagedDumpsAreRefusedOrPass) {
  const std::vector<std::string> seeds = Seeds();
  std::mt19937 random(20141117);  // the same inputs in every run
  int carried_out = 0;
  for (size_t i = 0; i < kDamagedInputs; ++i) {
    std::string input = seeds[random() % seeds.size()];
    for (size_t damage = random() % 6; damage > 0; --damage) {
      const size_t at = random() % input.size();
      switch (random() % 3) {
        case 0:
          input[at] = static_cast<char>(random());
          break;
        case 1:
          input.erase(at, 1 + random() % 4);
          break;
        default:
          input.insert(at, 1 + random() % 4, static_cast<char>(random()));
      }
      if (input.empty()) break;
    }
    carried_out += FuzzRewrite(AsBytes(input));
  }
  EXPECT_GE(carried_out, 500);
}

}  // namespace
}  // namespace ckpt
