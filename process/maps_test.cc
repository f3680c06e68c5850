#include "process/maps.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/file.h"
#include "process/child_for_test.h"

namespace ckpt {
namespace {

constexpr size_t kPage = 4096;

const Mapping* FindAt(const std::vector<Mapping>& mappings, const void* address) {
  const auto wanted = reinterpret_cast<uint64_t>(address);
  const auto found = std::ranges::find_if(mappings, [wanted](const Mapping& mapping) {
    return mapping.start <= wanted && wanted < mapping.end;
  });
  return found == mappings.end() ? nullptr : &*found;
}

TEST(MapsTest, ALineHasRangeProtectionFileAndPath) {
  const auto mappings = ParseMaps(
      "7f0000001000-7f0000003000 r-xs 0000a000 fe:1f 4294967297                 /lib/x y.so\n");
  ASSERT_TRUE(mappings.has_value()) << mappings.error().message;
  const Mapping& mapping = mappings.value().at(0);
  EXPECT_EQ(mapping.start, 0x7f0000001000U);
  EXPECT_EQ(mapping.end, 0x7f0000003000U);
  EXPECT_EQ(mapping.size_bytes(), 0x2000U);
  EXPECT_EQ(mapping.protection(), PROT_READ | PROT_EXEC);
  EXPECT_TRUE(mapping.shared);
  EXPECT_EQ(mapping.file_offset, 0xa000U);
  EXPECT_EQ(mapping.dev_major, 0xfeU);
  EXPECT_EQ(mapping.dev_minor, 0x1fU);
  EXPECT_EQ(mapping.inode, 4294967297U);
  EXPECT_EQ(mapping.path, "/lib/x y.so");
  EXPECT_FALSE(mapping.usage);
}

TEST(MapsTest, PathsKeepTheirBytes) {
  const auto mappings = ParseMaps(
      "1000-2000 ---p 00000000 00:00 0 \n"
      "2000-3000 rw-p 00000000 00:00 0                          [heap]\n"
      "3000-4000 rw-p 00000000 08:01 5                          /tmp/new\\012line (deleted)\n"
      "4000-5000 rw-p 00000000 08:01 5                          /tmp/back\\134slash\xff \n"
      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n");
  ASSERT_TRUE(mappings.has_value()) << mappings.error().message;
  EXPECT_EQ(mappings.value().at(0).path, "");
  EXPECT_EQ(mappings.value().at(1).path, "[heap]");
  EXPECT_EQ(mappings.value().at(2).path, "/tmp/new\nline (deleted)");
  EXPECT_EQ(mappings.value().at(3).path, "/tmp/back\\134slash\xff ");
  EXPECT_EQ(mappings.value().at(4).end, 0xffffffffff601000U);
}

TEST(MapsTest, ALineThatIsNoneIsNamed) {
  EXPECT_EQ(ParseMaps("1000-2000 r--p 0 00:00 0 \n1000-2000 r-zp 0 00:00 0 \n").error().message,
            "line 2: found \"1000-2000 r-zp 0 00:00 0 \", expected \"start-end rwxs offset "
            "major:minor inode [path]\"");
  for (const char* line : {"", "\n", "2000-1000 r--p 0 00:00 0", "1000-2000 r--q 0 00:00 0",
                           "1000-2000 r--p 0 100000000:00 0", "1000-2000 r--p 0 00:00 x",
                           "1000-20000000000000000 r--p 0 00:00 0", "1000-2000 r--p 0 00:00 0x"}) {
    EXPECT_EQ(ParseMaps(line).has_error(), *line != '\0') << line;
  }
}

// Maps a file with an odd name and some memory, for the live tests.
class LiveMapsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "odd\nname \\ \xff";
    ASSERT_TRUE(WriteWholeFile(path_, AsBytes(std::string(2 * kPage, 'x')), 0600).has_value());
    const UniqueFd fd(open(path_.c_str(), O_RDWR | O_CLOEXEC));
    file_ = mmap(nullptr, kPage, PROT_READ, MAP_SHARED, fd.get(), kPage);
    anonymous_ = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(file_, MAP_FAILED);
    ASSERT_NE(anonymous_, MAP_FAILED);
  }
  void TearDown() override {
    munmap(file_, kPage);
    munmap(anonymous_, kPage);
    unlink(path_.c_str());
  }

  std::string path_;
  void* file_ = nullptr;
  void* anonymous_ = nullptr;
};

TEST_F(LiveMapsTest, TheTextShowsOurMappings) {
  const auto mappings = ReadMappings(getpid(), FallbackKernelFeatures());
  ASSERT_TRUE(mappings.has_value()) << mappings.error().message;
  const Mapping* file = FindAt(mappings.value(), file_);
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->path, path_);
  EXPECT_EQ(file->file_offset, kPage);
  EXPECT_TRUE(file->shared);
  EXPECT_EQ(file->protection(), PROT_READ);
  const auto special = [&](SpecialMapping kind) {
    return std::ranges::count(mappings.value(), kind, SpecialMappingOf);
  };
  EXPECT_EQ(special(SpecialMapping::kStack), 1);
  EXPECT_EQ(special(SpecialMapping::kVdso), 1);
}

// Of a child, which stands still: reading our own mappings would move them.
TEST_F(LiveMapsTest, TheQueryEqualsTheText) {
  if (!DetectKernelFeatures().procmap_query) GTEST_SKIP() << "the kernel has no PROCMAP_QUERY";
  const ChildForTest child([](const auto& ready) {
    ready();
    return pause();
  });
  const auto text = ReadMappings(child.pid(), FallbackKernelFeatures());
  const auto query = ReadMappings(child.pid(), {.procmap_query = true});
  ASSERT_TRUE(query.has_value()) << query.error().message;
  EXPECT_NE(FindAt(query.value(), file_), nullptr);
  ASSERT_EQ(query.value().size(), text.value().size());
  for (size_t i = 0; i < text.value().size(); ++i) {
    EXPECT_TRUE(query.value()[i] == text.value()[i]) << text.value()[i].path;
  }
}

TEST(MapsTest, AMissingProcessIsNotFoundBothWays) {
  EXPECT_EQ(ReadMappings(4194304, FallbackKernelFeatures()).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ReadMappings(4194304, {.procmap_query = true}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ckpt
