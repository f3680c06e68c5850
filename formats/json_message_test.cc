#include "formats/json_message.h"

#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <string_view>

#include "formats/proto/cgroup.pb.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/sockets_inet.pb.h"
#include "formats/proto/task.pb.h"
#include "formats/wire.h"

namespace ckpt {
namespace {

using std::string_literals::operator""s;

// What became of one message.
struct Outcome {
  std::string json;
  std::string error;
  uint64_t unknown_fields = 0;
};

Outcome Write(const google::protobuf::Descriptor& message, std::string_view bytes,
              JsonStyle style = JsonStyle::kPlain) {
  std::ostringstream out;
  // Spellings are those of pretty style, the layout that of plain: easier to read in a test.
  JsonText text(out, JsonStyle::kPlain);
  JsonMessageWriter writer(text, style);
  JsonSchemas schemas;
  text.BeginObject();
  const Result<> done = writer.WriteFields(schemas.Get(message), AsBytes(bytes));
  text.CloseTo(0);
  text.Flush();
  return {out.str(), done ? "" : done.error().message, writer.unknown_fields()};
}

template <typename Message>
Outcome Write(std::string_view bytes, JsonStyle style = JsonStyle::kPlain) {
  return Write(*Message::descriptor(), bytes, style);
}

template <typename Message>
std::string Json(const Message& message, JsonStyle style = JsonStyle::kPlain) {
  return Write<Message>(message.SerializePartialAsString(), style).json;
}

TEST(JsonMessageWriter, WritesOnlyTheFieldsThatAreThere) {
  pb::pagemap_entry entry;
  entry.set_vaddr(4096);
  entry.set_nr_pages(0);
  EXPECT_EQ(Json(entry), R"({"vaddr": 4096, "nr_pages": 0})");
  EXPECT_EQ(Json(pb::pagemap_entry()), "{}");
}

TEST(JsonMessageWriter, SpellsPrettyByTheOptionsOfTheField) {
  pb::pagemap_entry entry;
  entry.set_vaddr(4096);
  entry.set_flags(5);
  EXPECT_EQ(Json(entry, JsonStyle::kPretty),
            R"({"vaddr": "0x1000", "flags": "PE_PARENT | PE_PRESENT"})");
  EXPECT_EQ(Json(entry), R"({"vaddr": 4096, "flags": 5})");
}

TEST(JsonMessageWriter, WritesSignedNumbersAsTheyAre) {
  pb::vma_entry entry;
  entry.set_fd(-1);
  EXPECT_EQ(Json(entry), R"({"fd": -1})");
  pb::reg_file_entry file;
  file.set_mnt_id(-5);
  EXPECT_EQ(Json(file), R"({"mnt_id": -5})");
}

TEST(JsonMessageWriter, TakesHexOnAMessageForAllThatIsInside) {
  pb::core_entry core;
  core.mutable_thread_info()->mutable_gpregs()->set_r15(UINT64_MAX);
  EXPECT_EQ(Json(core, JsonStyle::kPretty),
            R"({"thread_info": {"gpregs": {"r15": "0xffffffffffffffff"}}})");
  core.Clear();
  core.mutable_thread_info()->mutable_fpregs()->set_cwd(16);
  EXPECT_EQ(Json(core, JsonStyle::kPretty), R"({"thread_info": {"fpregs": {"cwd": 16}}})");
}

TEST(JsonMessageWriter, WritesEnumsByNameAndUnknownValuesAsNumbers) {
  EXPECT_EQ(Write<pb::core_entry>("\x08\x01").json, R"({"mtype": "X86_64"})");
  EXPECT_EQ(Write<pb::core_entry>("\x08\x63").json, R"({"mtype": 99})");
  EXPECT_EQ(Write<pb::core_entry>("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").json,
            R"({"mtype": -1})");
}

TEST(JsonMessageWriter, WritesDictionariesByNameAndOtherValuesAsNumbers) {
  pb::inet_sk_entry socket;
  socket.set_family(2);
  socket.set_state(99);
  EXPECT_EQ(Json(socket, JsonStyle::kPretty), R"({"family": "INET", "state": 99})");
  EXPECT_EQ(Json(socket), R"({"family": 2, "state": 99})");
}

TEST(JsonMessageWriter, WritesAddressesAsTextAndOtherCountsOfWordsAsNumbers) {
  pb::inet_sk_entry socket;
  socket.add_src_addr(0x0100007f);
  for (const uint32_t word : {1, 2}) socket.add_dst_addr(word);
  EXPECT_EQ(Json(socket, JsonStyle::kPretty), R"({"src_addr": ["127.0.0.1"], "dst_addr": [1, 2]})");
  EXPECT_EQ(Json(socket), R"({"src_addr": [16777343], "dst_addr": [1, 2]})");
}

TEST(JsonMessageWriter, ReadsPackedAndUnpackedArraysAlike) {
  const std::string expected = R"({"build_id": [1, 150]})";
  EXPECT_EQ(Write<pb::reg_file_entry>("\x58\x01\x58\x96\x01").json, expected);
  EXPECT_EQ(Write<pb::reg_file_entry>("\x5a\x03\x01\x96\x01").json, expected);
  EXPECT_EQ(Write<pb::reg_file_entry>("\x5a\x01\x01\x58\x96\x01").json, expected);
  EXPECT_EQ(Write<pb::reg_file_entry>("\x5a\0"s).json, "{}");
}

TEST(JsonMessageWriter, SortsFieldsThatAreOutOfOrder) {
  EXPECT_EQ(Write<pb::pagemap_entry>("\x20\x04\x08\x01").json, R"({"vaddr": 1, "flags": 4})");
}

TEST(JsonMessageWriter, TakesTheLastOfASingularFieldAndMergesMessages) {
  EXPECT_EQ(Write<pb::pagemap_entry>("\x08\x01\x08\x02").json, R"({"vaddr": 2})");
  // fown {uid: 1}, fown {uid: 2, euid: 3}, id last
  EXPECT_EQ(Write<pb::reg_file_entry>("\x2a\x02\x08\x01\x2a\x04\x08\x02\x10\x03\x08\x07").json,
            R"({"id": 7, "fown": {"uid": 2, "euid": 3}})");
}

TEST(JsonMessageWriter, CountsFieldsThatTheMessageDoesNotKnow) {
  const Outcome number = Write<pb::pagemap_entry>("\x08\x01\xf8\x07\x05");
  EXPECT_EQ(number.json, R"({"vaddr": 1})");
  EXPECT_EQ(number.unknown_fields, 1u);
  // Field 1 with the wire type of a string.
  EXPECT_EQ(Write<pb::pagemap_entry>("\x0a\x01x").unknown_fields, 1u);
}

TEST(JsonMessageWriter, SaysWhereTheEncodingIsBroken) {
  EXPECT_EQ(Write<pb::pagemap_entry>("\x08\x01\x10").error,
            "pagemap_entry: field 2 at byte 2 of the message is cut short");
  EXPECT_EQ(Write<pb::reg_file_entry>("\x2a\x01\x08").error,
            "fown_entry: field 1 at byte 0 of the message is cut short");
  EXPECT_EQ(Write<pb::reg_file_entry>("\x5a\x02\x01\x96").error,
            "build_id: the packed value at offset 1 is cut short");
}

TEST(JsonMessageWriter, RefusesMessagesThatNestTooDeep) {
  std::string bytes;
  for (int depth = 0; depth < 100; ++depth) {
    bytes = WireValue::LengthDelimited(AsBytes(bytes)).Encode(2);  // children
  }
  EXPECT_EQ(Write<pb::cgroup_dir_entry>(bytes).error, "");
  bytes = WireValue::LengthDelimited(AsBytes(bytes)).Encode(2);
  EXPECT_EQ(Write<pb::cgroup_dir_entry>(bytes).error,
            "cgroup_dir_entry: messages nest deeper than 100");
}

// Whatever the bytes are, writing them ends, with an error or with JSON.
TEST(JsonMessageWriter, EndsOnEveryPrefixAndEveryFlippedBit) {
  pb::core_entry core;
  core.set_mtype(pb::core_entry::X86_64);
  core.mutable_thread_info()->mutable_gpregs()->set_r15(1);
  core.mutable_tc()->set_comm("name");
  const std::string whole = core.SerializePartialAsString();
  for (size_t size = 0; size < whole.size(); ++size) {
    const Outcome outcome = Write<pb::core_entry>(whole.substr(0, size), JsonStyle::kPretty);
    EXPECT_TRUE(!outcome.error.empty() || outcome.json.back() == '}');
  }
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const Outcome outcome = Write<pb::core_entry>(flipped, JsonStyle::kPretty);
    EXPECT_TRUE(!outcome.error.empty() || outcome.json.back() == '}');
  }
}

}  // namespace
}  // namespace ckpt
