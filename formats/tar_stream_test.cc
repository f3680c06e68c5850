#include "formats/tar_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "formats/tar_header.h"

namespace ckpt {
namespace {

std::string Header(std::string_view name, char type, uint64_t size_bytes,
                   std::string_view link = "") {
  std::string block(kTarBlockBytes, '\0');
  SetTarText(block, kTarName, name);
  SetTarNumber(block, kTarMode, 0640);
  SetTarNumber(block, kTarSize, size_bytes);
  block[kTarTypeFlag.offset] = type;
  SetTarText(block, kTarLink, link);
  SetTarText(block, kTarMagic, "ustar");
  block.replace(263, 2, "00");
  SetTarChecksum(block);
  return block;
}

std::string Padded(std::string data) {
  data.resize(data.size() + TarPadding(data.size()), '\0');
  return data;
}

std::string Member(std::string_view name, char type, const std::string& data) {
  return Header(name, type, data.size()) + Padded(data);
}

TarReader Reader(std::string bytes) {
  return TarReader("a.tar",
                   [bytes = std::move(bytes),
                    at = size_t{0}](std::span<std::byte> buffer) mutable -> Result<size_t> {
                     const size_t step = std::min(buffer.size(), bytes.size() - at);
                     std::memcpy(buffer.data(), bytes.data() + at, step);
                     at += step;
                     return step;
                   });
}

// Everything as it came out: equal to what went in.
std::string Copy(TarReader& reader) {
  std::string bytes;
  while (true) {
    auto member = reader.Next();
    if (member.has_error()) return member.error().message;
    if (!member.value()) return bytes + reader.ReadTrailer().value();
    bytes += member.value()->headers + reader.ReadAllData().value();
    bytes += reader.ReadPadding().value();
  }
}

std::string ErrorOf(const std::string& bytes) {
  TarReader reader = Reader(bytes);
  while (true) {
    const auto member = reader.Next();
    if (member.has_error()) return member.error().message;
    if (!member.value()) return "fine";
  }
}

const std::string kEnd(10 * kTarBlockBytes, '\0');
const std::string kPaxRecords = "22 path=pages-\xff-1.img\n11 mtime=5\n";

std::string SampleArchive() {
  return Member("g", 'g', "13 comment=x\n") + Header("sub/", '5', 0) +
         Member("a", 'x', kPaxRecords) + Member("cut", '0', "page") +
         Member("././@LongLink", 'L', std::string("a long name\0", 12)) + Member("a lo", '0', "") +
         Header("link", '2', 0, "target") + Member("old", '\0', std::string(700, 'o')) + kEnd;
}

TEST(TarStreamTest, WhatIsReadCanBeWrittenAsItWas) {
  TarReader reader = Reader(SampleArchive());
  EXPECT_TRUE(Copy(reader) == SampleArchive());
}

TEST(TarStreamTest, ExtensionsAreUnderstood) {
  TarReader reader = Reader(SampleArchive());
  const TarMember sub = reader.Next().value().value();
  EXPECT_EQ(sub.name, "sub/");
  EXPECT_EQ(sub.type, TarType::kDirectory);
  EXPECT_EQ(sub.global_headers.size(), 2 * kTarBlockBytes);
  const TarMember pages = reader.Next().value().value();
  EXPECT_EQ(pages.name, "pages-\xff-1.img");
  EXPECT_EQ(pages.size_bytes, 4U);
  EXPECT_EQ(reader.Next().value()->name, "a long name");
  const TarMember link = reader.Next().value().value();
  EXPECT_EQ(link.link, "target");
  const TarMember old = reader.Next().value().value();
  EXPECT_EQ(old.type, TarType::kFile);
  EXPECT_EQ(reader.ReadAllData().value(), std::string(700, 'o'));
  EXPECT_FALSE(reader.Next().value().has_value());
}

TEST(TarStreamTest, NewHeadersDifferInNameAndSizeOnly) {
  TarReader reader = Reader(SampleArchive());
  const TarMember sub = reader.Next().value().value();
  const TarMember pages = reader.Next().value().value();
  const std::string name = std::string(150, 'n');
  for (const std::string& new_name : {std::string("b"), name}) {
    const std::string headers = TarHeadersLike(pages, new_name, 9).value();
    TarReader again = Reader(headers + Padded("123456789") + kEnd);
    const TarMember member = again.Next().value().value();
    EXPECT_EQ(member.name, new_name);
    EXPECT_EQ(again.ReadAllData().value(), "123456789");
    EXPECT_EQ(member.records[0], PaxRecord("mtime", "5"));
    EXPECT_EQ(TarNumber(member.headers.substr(member.headers.size() - 512), kTarMode).value(),
              0640U);
  }
  const std::string big = TarHeadersLike(sub, "x", uint64_t{9} << 33).value();
  EXPECT_EQ(TarNumber(big.substr(big.size() - 512), kTarSize).value(), uint64_t{9} << 33);
}

TEST(TarStreamTest, ASparseMemberKeepsItsMapAndIsNotChanged) {
  std::string header = Header("sparse", 'S', 3);
  header[482] = 1;
  SetTarChecksum(header);
  std::string map(kTarBlockBytes, 'm');
  map[504] = 0;
  const std::string bytes = header + map + Padded("abc") + kEnd;
  TarReader reader = Reader(bytes);
  const TarMember member = reader.Next().value().value();
  EXPECT_EQ(reader.ReadAllData().value(), "abc");
  EXPECT_EQ(TarHeadersLike(member, "x", 3).error().message,
            "sparse: a sparse member is not changed");
  TarReader copied = Reader(bytes);
  EXPECT_TRUE(Copy(copied) == bytes);
}

TEST(TarStreamTest, EveryPrefixEndsBetweenMembersOrIsAnError) {
  const std::string whole = SampleArchive();
  const size_t members = whole.size() - kEnd.size();
  for (size_t length = 1; length < members; ++length) {
    const std::string error = ErrorOf(whole.substr(0, length));
    if (error == "fine") {
      EXPECT_EQ(length % kTarBlockBytes, 0U) << length;
    } else {
      EXPECT_NE(error.find("cut short"), std::string::npos) << length << ": " << error;
    }
  }
}

TEST(TarStreamTest, DamageIsNamed) {
  std::string flipped = SampleArchive();
  flipped[3] = 'x';
  EXPECT_EQ(ErrorOf(flipped), "a.tar: at offset 512: no tar header: its checksum does not hold");
  EXPECT_EQ(ErrorOf(Header("a", 'Z', 0)), "a.tar: at offset 512: a member of type 0x5a");
  EXPECT_EQ(ErrorOf(Member("a", 'x', "99 path=x\n")),
            "a.tar: at offset 1024: a pax record whose length is wrong");
  EXPECT_EQ(ErrorOf(Member("a", 'x', "9 pathxx\n")),
            "a.tar: at offset 1024: a pax record without a value");
  EXPECT_EQ(ErrorOf(Header("a", 'L', size_t{1} << 30)),
            "a.tar: at offset 512: an extension of 1073741824 bytes, at most 1048576 allowed");
  EXPECT_EQ(ErrorOf(Member("a", 'x', "10 size=x\n") + Header("a", '0', 0)),
            "a.tar: at offset 1536: \"x\" is no size");
  std::string odd_size = Header("a", '0', 0);
  SetTarText(odd_size, kTarSize, "9");
  SetTarChecksum(odd_size);
  EXPECT_EQ(ErrorOf(odd_size), "a.tar: at offset 512: size: \"9\" is no octal number");
}

}  // namespace
}  // namespace ckpt
