#include "imgtool/memory/memory_search.h"

#include <gmock/gmock.h>

#include <random>
#include <string>
#include <vector>

#include "imgtool/directory_fixture.h"
#include "imgtool/memory/sample_process.h"

namespace ckpt {
namespace {

using testing::ElementsAre;

class MemorySearchTest : public DirectoryFixture {
 protected:
  static std::string Search(const ProcessMemory& memory, const BytePattern& pattern,
                            AddressRange range, std::vector<uint64_t>* addresses) {
    const auto add = [&](const MemoryMatch& match) -> Result<bool> {
      addresses->push_back(match.address);
      return true;
    };
    const auto searched = SearchMemory(memory, range, pattern, add, [](uint64_t) {});
    return searched.has_error() ? searched.error().message : "";
  }

  std::vector<uint64_t> Matches(const std::string& path, const BytePattern& pattern,
                                AddressRange range = kAllAddresses) {
    const auto chain = OpenDumpChain(path).value();
    const auto memory =
        ProcessMemory::Open(chain, ReadDumpedProcess(chain.front(), 12).value()).value();
    std::vector<uint64_t> addresses;
    EXPECT_EQ(Search(memory, pattern, range, &addresses), "");
    return addresses;
  }

  std::vector<uint64_t> TextMatches(const std::string& path, const std::string& text,
                                    AddressRange range = kAllAddresses) {
    return Matches(path, *MakeTextPattern(text).value(), range);
  }

  std::vector<uint64_t> RegexMatches(const std::string& path, const std::string& regex) {
    return Matches(path, *MakeRegexPattern(regex).value());
  }
};

TEST_F(MemorySearchTest, FindsTextAcrossPagesMappingsAndLayers) {
  const SampleProcess sample(directory_);
  EXPECT_THAT(TextMatches(sample.path(), "needle"), ElementsAre(0x5ffd, 0x6ffc));
  EXPECT_THAT(RegexMatches(sample.path(), "ne+dle"), ElementsAre(0x5ffd, 0x6ffc));
  EXPECT_THAT(TextMatches(sample.path(), "shared"), ElementsAre(0x10000));
  EXPECT_THAT(TextMatches(sample.path(), "not there"), ElementsAre());
}

TEST_F(MemorySearchTest, ARangeEndsWhereItSays) {
  const SampleProcess sample(directory_);
  EXPECT_THAT(TextMatches(sample.path(), "needle", {0x5ffd, 0x6003}), ElementsAre(0x5ffd));
  EXPECT_THAT(TextMatches(sample.path(), "needle", {0x5ffe, 0x6003}), ElementsAre());
  EXPECT_THAT(TextMatches(sample.path(), "needle", {0x5ffd, 0x6002}), ElementsAre());
}

TEST_F(MemorySearchTest, AMatchComesWithItsMappingAndWhatStandsBesideIt) {
  const SampleProcess sample(directory_);
  const auto chain = OpenDumpChain(sample.path()).value();
  const auto memory =
      ProcessMemory::Open(chain, ReadDumpedProcess(chain.front(), 12).value()).value();
  const auto check = [&](const MemoryMatch& match) -> Result<bool> {
    EXPECT_EQ(match.vma->start(), 0x4000u);
    EXPECT_EQ(AsText(match.before), std::string(kContextBytes, '.'));
    EXPECT_EQ(AsText(match.bytes), "needle");
    EXPECT_EQ(AsText(match.after), std::string(kContextBytes, '.'));
    return false;
  };
  ASSERT_TRUE(
      SearchMemory(memory, kAllAddresses, *MakeTextPattern("needle").value(), check, [](auto) {}));
}

// Memory of several times what is read at once, with matches at all places in a block.
class LargeMemorySearchTest : public MemorySearchTest {
 protected:
  static constexpr uint64_t kStart = 0x100000;
  static constexpr size_t kPages = 500;

  // Pages in runs of every length, so that reads begin and end anywhere.
  std::string WriteDump(const std::string& bytes) {
    SampleDump dump(directory_ + "/large");
    dump.Write<pb::pstree_entry>(ImageType::kPstree, 0, {SampleTreeEntry(12, {12})});
    dump.Write<pb::core_entry>(ImageType::kCore, 12, {SampleCore()});
    dump.Write<pb::mm_entry>(
        ImageType::kMm, 12,
        {SampleMm({SampleVma(kStart, kStart + kPages * kPageBytes, kVmaAnonPrivate)})});
    std::vector<pb::pagemap_entry> entries;
    for (size_t page = 0, run = 1; page < kPages; page += run, run = run % 17 + 1) {
      run = std::min(run, kPages - page);
      entries.push_back(MakePagemapEntry(kStart + page * kPageBytes, run, kPagesPresent));
    }
    WritePages(dump, ImageType::kPagemap, 12, 1, entries, bytes);
    return dump.directory();
  }
};

TEST_F(LargeMemorySearchTest, FindsWhatTheStandardLibraryFinds) {
  std::mt19937 random(3);
  std::string bytes(kPages * kPageBytes, '\0');
  for (char& c : bytes) c = static_cast<char>(random() % 256);
  const std::string needle = "the needle in it";
  for (size_t at = 0; at + needle.size() <= bytes.size(); at += 4093) {
    bytes.replace(at, needle.size(), needle);
  }
  const std::string path = WriteDump(bytes);
  std::vector<uint64_t> expected;
  for (size_t at = bytes.find(needle); at != std::string::npos; at = bytes.find(needle, at + 1)) {
    expected.push_back(kStart + at);
  }
  ASSERT_GT(expected.size(), 400u);
  EXPECT_EQ(TextMatches(path, needle), expected);
  EXPECT_EQ(RegexMatches(path, "the (needle|pin) in it"), expected);
}

TEST_F(LargeMemorySearchTest, LinesBeginAndEndAlikeWhereverTheyAre) {
  std::string bytes;
  std::vector<uint64_t> expected;
  while (bytes.size() + 100 < kPages * kPageBytes) {
    expected.push_back(kStart + bytes.size());
    bytes += fmt::format("line {} ends\n", bytes.size());
  }
  bytes.resize(kPages * kPageBytes, '\n');
  const std::string path = WriteDump(bytes);
  EXPECT_EQ(RegexMatches(path, "^line [0-9]+ ends$"), expected);
  EXPECT_EQ(RegexMatches(path, "\\bline\\b"), expected);
}

TEST_F(LargeMemorySearchTest, MatchesOfTheGreatestSizeAreFoundAndLongerOnesNot) {
  std::string bytes(kPages * kPageBytes, '.');
  const std::string fits = "<" + std::string(kMaxRegexMatchBytes - 2, 'x') + ">";
  const std::string exceeds = "<" + std::string(kMaxRegexMatchBytes - 1, 'x') + ">";
  bytes.replace(1000001, exceeds.size(), exceeds);
  for (const size_t at : {size_t{5}, size_t{500000}, size_t{1200000}}) {
    bytes.replace(at, fits.size(), fits);
  }
  EXPECT_THAT(RegexMatches(WriteDump(bytes), "<x*>"),
              ElementsAre(kStart + 5, kStart + 500000, kStart + 1200000));
}

TEST(MakeRegexPattern, SaysWhatIsWrong) {
  EXPECT_EQ(MakeRegexPattern("a(b").error().message,
            "'a(b' is no regular expression: missing ): a(b");
  EXPECT_EQ(MakeRegexPattern("a*").error().message,
            "'a*' matches everywhere: it matches the empty string");
  EXPECT_EQ(MakeRegexPattern("").error().code, ErrorCode::kUsage);
  EXPECT_TRUE(MakeRegexPattern("((a{1,999}){1,999}){1,999}").has_error());
}

TEST(MakeRegexPattern, ExpressionsThatTakeOthersForEverTakeLinearTime) {
  const auto pattern = MakeRegexPattern("(x+x+)+y").value();
  const std::string bytes(1 << 20, 'x');
  EXPECT_FALSE(pattern->Find(AsBytes(bytes), 0).has_value());
}

TEST(MakeRegexPattern, CharactersAreBytes) {
  const auto pattern = MakeRegexPattern("\\xff.\\x00").value();
  const auto match = pattern->Find(AsBytes(std::string_view("a\xff\xc3\0b", 5)), 0);
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->start, 1u);
  EXPECT_EQ(match->size_bytes, 3u);
}

TEST(MakeRegexPattern, MatchesOfNothingDoNotCount) {
  const auto pattern = MakeRegexPattern("\\bx*").value();
  EXPECT_EQ(pattern->Find(AsBytes(std::string_view("ab cd xx")), 0)->start, 6u);
}

TEST(MakeTextPattern, TakesTextsOfSomeSize) {
  EXPECT_EQ(MakeTextPattern("").error().message,
            "a text of 0 bytes to search for, 1 to 4096 are allowed");
  EXPECT_EQ(MakeTextPattern(std::string(4097, 'a')).error().message,
            "a text of 4097 bytes to search for, 1 to 4096 are allowed");
}

}  // namespace
}  // namespace ckpt
