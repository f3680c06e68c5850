#include "formats/json_template.h"

#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "formats/json_message.h"
#include "formats/message_scan.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/sockets_inet.pb.h"

namespace ckpt {
namespace {

struct Styles {
  JsonStyle spelling;
  JsonStyle layout;
};
constexpr Styles kAllStyles[] = {{JsonStyle::kPlain, JsonStyle::kPlain},
                                 {JsonStyle::kPretty, JsonStyle::kPlain},
                                 {JsonStyle::kPretty, JsonStyle::kPretty}};

// As an element of an array in an object, as entries are.
template <typename Write>
std::string InEntries(JsonStyle layout, Write write) {
  std::ostringstream out;
  JsonText text(out, layout);
  text.Resume("{[", /*needs_comma=*/true);
  write(text);
  text.Flush();
  return out.str();
}

// Nothing where the template leaves it to others.
std::optional<std::string> ByTemplate(const JsonMessageSchema& schema, std::string_view bytes,
                                      Styles styles) {
  const JsonTemplate entries(schema, styles.spelling, styles.layout, 3);
  bool done = false;
  std::string json = InEntries(styles.layout, [&](JsonText& text) {
    done = text.Object(
        [&](char* at, char* end) { return entries.WriteMembers(AsBytes(bytes), at, end); });
  });
  return done ? std::optional(std::move(json)) : std::nullopt;
}

std::string ByWriter(const JsonMessageSchema& schema, std::string_view bytes, Styles styles) {
  return InEntries(styles.layout, [&](JsonText& text) {
    JsonMessageWriter writer(text, styles.spelling);
    text.BeginObject();
    EXPECT_TRUE(writer.WriteFields(schema, AsBytes(bytes)));
    text.EndObject();
  });
}

pb::file_entry MakeFile() {
  pb::file_entry entry;
  entry.set_type(pb::REG);
  entry.set_id(7);
  pb::reg_file_entry& file = *entry.mutable_reg();
  file.set_id(7);
  file.set_flags(0100002);
  file.set_pos(uint64_t{1} << 63);
  file.mutable_fown()->set_uid(0);
  file.mutable_fown()->set_euid(4000000000);
  file.mutable_fown()->set_signum(0);
  file.mutable_fown()->set_pid_type(0);
  file.mutable_fown()->set_pid(0);
  file.set_name("/a name of more than one vector of characters, and a little");
  file.set_mnt_id(-5);
  return entry;
}

pb::pagemap_entry MakePages() {
  pb::pagemap_entry entry;
  entry.set_vaddr(uint64_t{0x7f} << 40);
  entry.set_compat_nr_pages(2);
  entry.set_flags(4);
  return entry;
}

template <typename Message>
const JsonMessageSchema& SchemaOf() {
  return SharedSchema(*Message::descriptor());
}

template <typename Message>
void ExpectWhatTheWriterHas(const Message& message) {
  const std::string bytes = message.SerializeAsString();
  for (const Styles styles : kAllStyles) {
    const auto json = ByTemplate(SchemaOf<Message>(), bytes, styles);
    ASSERT_TRUE(json.has_value());
    EXPECT_EQ(*json, ByWriter(SchemaOf<Message>(), bytes, styles));
  }
}

TEST(JsonTemplate, HasTheTextThatTheWriterHas) {
  ExpectWhatTheWriterHas(MakePages());
  ExpectWhatTheWriterHas(MakeFile());
  pb::file_entry no_owner = MakeFile();
  no_owner.mutable_reg()->clear_mnt_id();
  ExpectWhatTheWriterHas(no_owner);
  pb::file_entry alone;
  alone.set_type(static_cast<pb::fd_types>(65534));
  alone.set_id(0);
  ExpectWhatTheWriterHas(alone);
}

TEST(JsonTemplate, SpellsLargeValuesOfFlagsAndDevices) {
  for (uint32_t shift = 0; shift < 32; ++shift) {
    pb::pagemap_entry pages = MakePages();
    pages.set_flags(uint32_t{3} << shift);
    ExpectWhatTheWriterHas(pages);
    pb::file_entry file = MakeFile();
    file.mutable_reg()->set_flags(uint32_t{5} << shift);
    ExpectWhatTheWriterHas(file);
  }
}

TEST(JsonTemplate, WritesTextOfAnyLengthThatNeedsNoEscapes) {
  pb::file_entry file = MakeFile();
  for (size_t size = 0; size < 70; ++size) {
    file.mutable_reg()->set_name(std::string(size, '~'));
    ExpectWhatTheWriterHas(file);
  }
}

TEST(JsonTemplate, LeavesTextWithEscapesAtAnyPlaceToTheWriter) {
  pb::file_entry file = MakeFile();
  for (const char odd : {'"', '\\', '\n', '\x7f', '\x1f', '\xc3', '\0'}) {
    for (size_t at = 0; at < 40; ++at) {
      std::string name(40, 'a');
      name[at] = odd;
      file.mutable_reg()->set_name(name);
      EXPECT_FALSE(
          ByTemplate(SchemaOf<pb::file_entry>(), file.SerializePartialAsString(), kAllStyles[0]))
          << static_cast<int>(odd) << " at " << at;
    }
  }
}

TEST(JsonTemplate, LeavesWhatDoesNotFitToTheWriter) {
  pb::file_entry file = MakeFile();
  file.mutable_reg()->set_name(std::string(100000, 'a'));
  EXPECT_FALSE(ByTemplate(SchemaOf<pb::file_entry>(), file.SerializeAsString(), kAllStyles[0]));
  const std::string bytes = MakeFile().SerializeAsString();
  const JsonTemplate entries(SchemaOf<pb::file_entry>(), JsonStyle::kPretty, JsonStyle::kPretty, 3);
  char room[2000];
  const size_t size =
      static_cast<size_t>(entries.WriteMembers(AsBytes(bytes), room, room + sizeof room) - room);
  for (size_t limit = 0; limit < size; ++limit) {
    std::string small(limit + 1, '#');
    EXPECT_EQ(entries.WriteMembers(AsBytes(bytes), small.data(), small.data() + limit), nullptr);
    EXPECT_EQ(small[limit], '#') << limit;
  }
}

TEST(JsonTemplate, LeavesRepeatedFieldsToTheWriter) {
  pb::mm_entry mm;
  mm.add_mm_saved_auxv(1);
  EXPECT_FALSE(ByTemplate(SchemaOf<pb::mm_entry>(), mm.SerializePartialAsString(), kAllStyles[0]));
}

// Whatever the bytes are: what it writes is what the writer writes, and gives the bytes back.
template <typename Message>
void ExpectRightOrNothing(const std::string& bytes) {
  const auto json = ByTemplate(SchemaOf<Message>(), bytes, kAllStyles[2]);
  if (!json) return;
  const MessageScan scan = ScanMessage(SchemaOf<Message>(), AsBytes(bytes));
  EXPECT_TRUE(scan.sound && scan.ordered);
  EXPECT_EQ(scan.inexact, 0);
  EXPECT_EQ(*json, ByWriter(SchemaOf<Message>(), bytes, kAllStyles[2]));
}

template <typename Message>
void FaceDamage(const Message& message) {
  const std::string bytes = message.SerializeAsString();
  for (size_t size = 0; size < bytes.size(); ++size) {
    ExpectRightOrNothing<Message>(bytes.substr(0, size));
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[size] = static_cast<char>(flipped[size] ^ 1 << bit);
      ExpectRightOrNothing<Message>(flipped);
    }
  }
}

TEST(JsonTemplate, IsRightOrSilentForEveryPrefixAndFlippedBit) {
  FaceDamage(MakePages());
  FaceDamage(MakeFile());
}

TEST(JsonTemplate, LeavesFieldsOutOfOrderTwiceOrPaddedToTheWriter) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view bytes :
       {"\x10\x01\x08\x01"sv, "\x08\x01\x08\x01\x10\x01"sv, "\x08\x81\x00\x10\x01"sv,
        "\x08\x01\x10\x01\xf8\x07\x05"sv, "\x08\x01"sv, "\x08\x01\x10\xff\xff\xff\xff\x7f"sv}) {
    EXPECT_FALSE(ByTemplate(SchemaOf<pb::pagemap_entry>(), bytes, kAllStyles[0]));
  }
}

}  // namespace
}  // namespace ckpt
