#include "process/smaps.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace ckpt {
namespace {

constexpr size_t kPage = 4096;

constexpr std::string_view kSmaps =
    "1000-3000 rw-p 00000000 08:01 5                          /tmp/A\n"
    "Size:                  8 kB\n"
    "KernelPageSize:        4 kB\n"
    "MMUPageSize:           4 kB\n"
    "Rss:                   8 kB\n"
    "Pss:                   8 kB\n"
    "Shared_Clean:          0 kB\n"
    "Anonymous:             4 kB\n"
    "AnonHugePages:         0 kB\n"
    "Swap:                 12 kB\n"
    "SwapPss:              11 kB\n"
    "THPeligible:           0\n"
    "ProtectionKey:         3\n"
    "VmFlags: rd wr mr mw me ac \n"
    "3000-4000 ---p 00000000 00:00 0 \n"
    "Size:                  4 kB\n"
    "VmFlags: mr mw me gd \n";

TEST(SmapsTest, SmapsAddUsageToTheMapping) {
  const auto mappings = ParseSmaps(kSmaps);
  ASSERT_TRUE(mappings.has_value()) << mappings.error().message;
  ASSERT_EQ(mappings.value().size(), 2U);
  const Mapping& mapping = mappings.value()[0];
  EXPECT_EQ(mapping.path, "/tmp/A");
  EXPECT_EQ(mapping.usage->rss_bytes, 8192U);
  EXPECT_EQ(mapping.usage->anonymous_bytes, 4096U);
  EXPECT_EQ(mapping.usage->swap_bytes, 12288U);
  EXPECT_EQ(mapping.usage->protection_key, 3U);
  EXPECT_TRUE(mapping.usage->flags.Has(VmFlag::kAccount));
  EXPECT_TRUE(mappings.value()[1].usage->flags.Has(VmFlag::kGrowsDown));
  EXPECT_TRUE(mappings.value()[1].usage->HasNoPrivatePages());
}

TEST(SmapsTest, ASmapsFieldThatIsNoNumberIsNamed) {
  EXPECT_EQ(ParseSmaps("1000-2000 r--p 0 00:00 0 \nRss:   x kB\n").error().message,
            "line 2: found \"Rss:   x kB\", expected a number");
  EXPECT_TRUE(ParseSmaps("Rss: 4 kB\n").has_error());
  EXPECT_TRUE(ParseSmaps("1000-2000 r--p 0 00:00 0 \n\n").has_error());
}

TEST(SmapsTest, EveryPrefixOfSmapsIsParsedOrRefused) {
  for (size_t size = 0; size < kSmaps.size(); ++size) {
    const auto mappings = ParseSmaps(kSmaps.substr(0, size));
    EXPECT_LE(mappings.has_value() ? mappings.value().size() : 0, 2U);
  }
}

TEST(SmapsTest, PiecesMayBeCutAnywhere) {
  const std::string text = std::string(kSmaps) + std::string(kSmaps);
  const auto whole = ParseSmaps(text);
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    SmapsParser parser;
    ASSERT_TRUE(parser.Feed(text.substr(0, cut)).has_value());
    ASSERT_TRUE(parser.Feed(text.substr(cut)).has_value());
    EXPECT_TRUE(parser.Finish().value() == whole.value()) << cut;
  }
}

// The layout is learnt from the first mapping; others may be unlike it.
TEST(SmapsTest, MappingsNeedNotBePrintedAlike) {
  const std::string text = std::string(kSmaps) + std::string(kSmaps) +
                           "5000-6000 rw-p 00000000 00:00 0 \n"
                           "Size:          123456789 kB\n"
                           "KernelPageSize:        4 kB\n"
                           "MMUPageSize:           4 kB\n"
                           "Rss:           987654321 kB\n"
                           "VmFlags: rd gd \n" +
                           std::string(kSmaps);
  const auto mappings = ParseSmaps(text);
  ASSERT_TRUE(mappings.has_value()) << mappings.error().message;
  const auto once = ParseSmaps(kSmaps).value();
  ASSERT_EQ(mappings.value().size(), 7U);
  for (const size_t first : {0U, 2U, 5U}) {
    EXPECT_TRUE(mappings.value()[first] == once[0]) << first;
    EXPECT_TRUE(mappings.value()[first + 1] == once[1]) << first;
  }
  EXPECT_EQ(mappings.value()[4].usage->rss_bytes, uint64_t{987654321} * 1024);
  EXPECT_TRUE(mappings.value()[4].usage->flags.Has(VmFlag::kGrowsDown));
}

TEST(SmapsTest, ABadNumberIsNamedByItsLineBehindOthersToo) {
  std::string text = std::string(kSmaps) + std::string(kSmaps);
  text.replace(text.rfind("Swap:                 12"), 24, "Swap:                 x2");
  EXPECT_EQ(ParseSmaps(text).error().message,
            "line 27: found \"Swap:                 x2 kB\", expected a number");
}

// Pages side by side of which every second is protected, so that each is a mapping.
TEST(SmapsTest, ManyMappingsOfALiveProcessAreAllThere) {
  constexpr size_t kCount = 4000;
  void* memory =
      mmap(nullptr, kCount * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  const auto start = reinterpret_cast<uint64_t>(memory);
  for (size_t i = 0; i < kCount; i += 2) {
    auto* page = static_cast<std::byte*>(memory) + i * kPage;
    *page = std::byte{1};
    ASSERT_EQ(mprotect(page, kPage, PROT_READ), 0);
  }
  const auto mappings = ReadSmaps(getpid());
  ASSERT_TRUE(mappings.has_value()) << mappings.error().message;
  const auto first = std::ranges::find(mappings.value(), start, &Mapping::start);
  ASSERT_NE(first, mappings.value().end());
  for (size_t i = 0; i < kCount - 1; ++i) {
    const Mapping& mapping = first[static_cast<std::ptrdiff_t>(i)];
    ASSERT_EQ(mapping.start, start + i * kPage);
    ASSERT_EQ(mapping.usage->anonymous_bytes, i % 2 == 0 ? kPage : 0);
  }
  munmap(memory, kCount * kPage);
}

TEST(SmapsTest, FlagsAndPagesOfALiveMappingAreTold) {
  void* memory = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  ASSERT_EQ(madvise(memory, kPage, MADV_DONTFORK), 0);
  *static_cast<volatile char*>(memory) = 1;
  const auto mappings = ReadSmaps(getpid()).value();
  const auto found =
      std::ranges::find(mappings, reinterpret_cast<uint64_t>(memory), &Mapping::start);
  ASSERT_NE(found, mappings.end());
  EXPECT_TRUE(found->usage->flags.Has(VmFlag::kDontCopy));
  EXPECT_EQ(found->usage->anonymous_bytes, kPage);
  munmap(memory, kPage);
}

TEST(SmapsTest, ThisKernelPrintsNoFlagsThatWeDoNotKnow) {
  const auto mappings = ReadSmaps(getpid()).value();
  for (const Mapping& mapping : mappings) {
    EXPECT_FALSE(mapping.usage->flags.Has(VmFlag::kUnknown)) << mapping.path;
  }
}

TEST(SmapsTest, AMissingProcessIsNotFound) {
  EXPECT_EQ(ReadSmaps(4194304).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ckpt
