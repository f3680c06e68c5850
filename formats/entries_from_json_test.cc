#include "formats/entries_from_json.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "formats/image_from_json.h"

namespace ckpt {
namespace {

constexpr size_t kWindowBytes = size_t{256} << 10;

struct Encoded {
  std::string image;
  std::string error;
  size_t pieces = 0;  // as they were given to the sink
};

Encoded Encode(std::string_view json, size_t threads) {
  MemorySource source(AsBytes(json));
  Encoded encoded;
  const auto sink = [&](Bytes bytes) -> Result<> {
    encoded.image += AsText(bytes);
    ++encoded.pieces;
    return success();
  };
  const Result<> done = WriteImageFromJson("x.json", source, sink, threads);
  if (!done) encoded.error = done.error().message;
  return encoded;
}

// By one thread and by several.
void ExpectNoDifference(const std::string& json, std::string_view what) {
  const Encoded alone = Encode(json, 1);
  const Encoded together = Encode(json, 3);
  EXPECT_EQ(together.error, alone.error) << what;
  EXPECT_TRUE(!alone.error.empty() || together.image == alone.image) << what;
}

struct Layout {
  std::string_view begin;  // of the image
  std::string_view entry;  // with places for three numbers
  std::string_view between;
  std::string_view end;
};

constexpr Layout kPlain = {R"({"magic": "PAGEMAP", "entries": [{"pages_id": 1}, )",
                           R"({{"vaddr": {}, "compat_nr_pages": {}, "flags": {}}})", ", ", "]}\n"};
constexpr Layout kPretty = {
    "{\n    \"magic\": \"PAGEMAP\",\n    \"entries\": [\n        {\n"
    "            \"pages_id\": 1\n        },\n        ",
    "{{\n            \"vaddr\": \"{:#x}\",\n            \"compat_nr_pages\": {},\n"
    "            \"flags\": {}\n        }}",
    ",\n        ", "\n    ]\n}\n"};
constexpr Layout kLines = {"{\"magic\": \"PAGEMAP\"}\n{\"pages_id\": 1}\n", kPlain.entry, "\n",
                           "\n"};
constexpr Layout kDense = {R"({"magic":"PAGEMAP","entries":[{"pages_id":1},)",
                           R"({{"vaddr":{},"compat_nr_pages":{},"flags":{}}})", ",", "]}"};
constexpr Layout kWide = {R"( { "magic" : "PAGEMAP" , "entries" : [ { "pages_id" : 1 } , )",
                          "{{ \t\"vaddr\" : {} ,\r\n\"compat_nr_pages\" : {} , \"flags\":{} }} ",
                          " , ", " ] } "};
constexpr Layout kLayouts[] = {kPlain, kPretty, kLines, kDense, kWide};

std::string Pagemap(const Layout& layout, size_t entries) {
  std::string json(layout.begin);
  for (size_t i = 0; i < entries; ++i) {
    if (i > 0) json += layout.between;
    json += fmt::format(fmt::runtime(layout.entry), (uint64_t{0x7f} << 40) + (i << 14), 2, 4);
  }
  return json += layout.end;
}

constexpr size_t kEntries = 30000;

TEST(EntriesFromJson, ReadsEveryLayoutAsOneReaderDoes) {
  for (const Layout& layout : kLayouts) {
    const std::string json = Pagemap(layout, kEntries);
    ASSERT_GT(json.size(), 4 * kWindowBytes);
    EXPECT_EQ(Encode(json, 1).error, "");
    ExpectNoDifference(json, layout.begin);
  }
}

TEST(EntriesFromJson, DividesTheTextBetweenThreads) {
  for (const Layout& layout : kLayouts) {
    const std::string json = Pagemap(layout, kEntries);
    // A piece for each part, the entries before them, and those behind.
    EXPECT_GE(Encode(json, 2).pieces, json.size() / kWindowBytes) << layout.begin;
  }
}

TEST(EntriesFromJson, ReadsAnyCountOfEntries) {
  for (size_t entries = 0; entries < 8; ++entries) {
    for (const Layout& layout : kLayouts) {
      if (entries > 0 || layout.end == "\n") {
        ExpectNoDifference(Pagemap(layout, entries), layout.begin);
      }
    }
  }
}

// At places all over the text, and at all around the ends of what is read at once.
template <typename Damage>
void DamageEverywhere(Damage damage) {
  for (const Layout& layout : {kPlain, kPretty, kLines}) {
    const std::string json = Pagemap(layout, 12000);
    for (size_t at = layout.begin.size(); at < json.size(); at += 49999) {
      ExpectNoDifference(damage(json, at), fmt::format("at {}", at));
    }
    for (size_t at = kWindowBytes - 90; at < kWindowBytes + 4; at += 3) {
      ExpectNoDifference(damage(json, at), fmt::format("at {}", at));
    }
  }
}

TEST(EntriesFromJson, NamesThePlaceOfWhatIsWrong) {
  DamageEverywhere([](std::string json, size_t at) {
    json[at] = '?';
    return json;
  });
}

TEST(EntriesFromJson, NamesThePlaceWhereTheTextEnds) {
  DamageEverywhere([](const std::string& json, size_t at) { return json.substr(0, at); });
}

TEST(EntriesFromJson, TakesALineEndAnywhereOutsideOfWords) {
  DamageEverywhere([](std::string json, size_t at) { return json.insert(at, "\n"); });
}

TEST(EntriesFromJson, SaysWhichEntryIsWrong) {
  std::string json = Pagemap(kPlain, kEntries);
  const std::string wrong = fmt::format("{}", (uint64_t{0x7f} << 40) + (uint64_t{20000} << 14));
  json.replace(json.find(wrong), wrong.size(), "-5");
  const std::string error = Encode(json, 3).error;
  EXPECT_TRUE(
      error.ends_with("entries[20001].vaddr: -5 where 0 to 18446744073709551615 is allowed"))
      << error;
  EXPECT_EQ(error, Encode(json, 1).error);
}

// A key that the fields do not have is left to the reader that knows it.
TEST(EntriesFromJson, LeavesTheBytesOfLosslessToTheCaller) {
  std::string json = Pagemap(kPlain, kEntries);
  const std::string last = "\"flags\": 4}";
  const size_t at = json.find(last, json.size() / 2);
  // The fields of this very entry, with a number that has a byte more than needed.
  json.replace(at, last.size(), "\"flags\": 4, \"raw\": \"AAAA\"}");
  const std::string error = Encode(json, 3).error;
  EXPECT_NE(error.find("raw is no pagemap_entry"), std::string::npos) << error;
  EXPECT_EQ(error, Encode(json, 1).error);
}

std::string File(size_t id, std::string_view name) {
  return fmt::format(
      R"({{"type": "REG", "id": {0}, "reg": {{"id": {0}, "flags": 1, "pos": 0, )"
      R"("fown": {{"uid": 0, "euid": 0, "signum": 0, "pid_type": 0, "pid": 0}}, "name": "{1}"}}}})",
      id, name);
}

std::string Files(const std::vector<std::string>& entries) {
  return fmt::format("{{\"magic\": \"FILES\", \"entries\": [{}]}}", fmt::join(entries, ", "));
}

TEST(EntriesFromJson, ReadsTextWithEscapesAndWhatLooksLikeTheEndOfAnEntry) {
  std::vector<std::string> entries;
  for (size_t i = 0; i < 5000; ++i) {
    entries.push_back(File(i, R"(\u00e4\ud83d\ude00 \\\"}, {\"type\": }, {)"
                              "\xc3\xa4\\udcff"));
  }
  const std::string json = Files(entries);
  EXPECT_EQ(Encode(json, 1).error, "");
  ExpectNoDifference(json, "escapes");
}

TEST(EntriesFromJson, ReadsAnEntryThatIsLongerThanAPart) {
  std::vector<std::string> entries;
  for (size_t i = 0; i < 6000; ++i) {
    entries.push_back(File(i, std::string(i % 2000 == 1500 ? 2 * kWindowBytes : 30, 'a')));
  }
  const std::string json = Files(entries);
  EXPECT_EQ(Encode(json, 1).error, "");
  ExpectNoDifference(json, "long");
}

// Its descriptors begin with the key that the entries begin with.
TEST(EntriesFromJson, ReadsEntriesThatHaveWhatLooksLikeEntries) {
  std::vector<std::string> entries;
  for (size_t i = 0; i < 3000; ++i) {
    std::vector<std::string> inside;
    for (size_t j = 0; j < 20; ++j) {
      inside.push_back(fmt::format(R"({{"id": {}, "tfd": 1, "events": 2, "data": 3}})", j));
    }
    entries.push_back(fmt::format(
        R"({{"id": {0}, "type": "EVENTPOLL", "epfd": {{"id": {0}, "flags": 2, )"
        R"("fown": {{"uid": 0, "euid": 0, "signum": 0, "pid_type": 0, "pid": 0}}, "tfd": [{1}]}}}})",
        i, fmt::join(inside, ", ")));
  }
  const std::string json = Files(entries);
  EXPECT_EQ(Encode(json, 1).error, "");
  ExpectNoDifference(json, "nested");
}

TEST(EntriesFromJson, FailsAsItsSinkDoes) {
  const std::string json = Pagemap(kPlain, kEntries);
  MemorySource source(AsBytes(json));
  size_t left = 3;
  const auto sink = [&](Bytes) -> Result<> {
    return left-- > 0 ? Result<>(success()) : MakeError(ErrorCode::kSystem, "the disk is full");
  };
  const Result<> done = WriteImageFromJson("x.json", source, sink, 3);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "the disk is full");
}

}  // namespace
}  // namespace ckpt
