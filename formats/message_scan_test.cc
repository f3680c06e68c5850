#include "formats/message_scan.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "formats/proto/files.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/sockets_unix.pb.h"
#include "formats/proto/task.pb.h"

namespace ckpt {
namespace {

using std::string_literals::operator""s;

template <typename Message>
MessageScan Scan(std::string_view bytes) {
  return ScanMessage(SharedSchema(*Message::descriptor()), AsBytes(bytes));
}

// Of a pagemap_entry whose required fields are there besides.
std::string Causes(std::string_view bytes) {
  return DescribeInexact(Scan<pb::pagemap_entry>(bytes).inexact);
}

TEST(ScanMessage, FindsNothingInWhatProtobufWrote) {
  pb::pagemap_entry entry;
  entry.set_vaddr(1ull << 40);
  entry.set_compat_nr_pages(300);
  entry.set_in_parent(true);
  entry.set_nr_pages(0);
  const MessageScan scan = Scan<pb::pagemap_entry>(entry.SerializeAsString());
  EXPECT_TRUE(scan.sound && scan.ordered);
  EXPECT_EQ(scan.inexact, 0);
  EXPECT_EQ(scan.unknown_fields, 0u);
}

TEST(ScanMessage, NamesWhatEncodingWouldNotRestore) {
  EXPECT_EQ(Causes("\x08\x01\x10\x01"), "");
  EXPECT_EQ(Causes("\x10\x01\x08\x01"), "order of fields");
  EXPECT_EQ(Causes("\x08\x01\x10\x01\x10\x01"), "fields that are there twice");
  EXPECT_EQ(Causes("\x08\x01\x10\x01\xf8\x07\x05"), "unknown fields");
  EXPECT_EQ(Causes("\x08\x81\0\x10\x01"s), "lengths of numbers");
  EXPECT_EQ(Causes("\x08\x01\x10\xff\xff\xff\xff\x1f"), "lengths of numbers");
  EXPECT_EQ(Causes("\x08\x01\x10\x01\x18\x02"), "lengths of numbers");
  EXPECT_EQ(Causes("\x10\x01\x08\x81\0"s), "order of fields, lengths of numbers");
  std::string mm;  // with its required fields, which are the first twelve
  for (char number = 1; number <= 12; ++number) mm += {static_cast<char>(number << 3), '\1'};
  EXPECT_EQ(DescribeInexact(Scan<pb::mm_entry>(mm + "\x6a\x01\x01").inexact), "packing");
}

TEST(ScanMessage, LeavesToProtobufWhatLacksFieldsOrIsCutShort) {
  EXPECT_FALSE(Scan<pb::pagemap_entry>("").sound);
  EXPECT_FALSE(Scan<pb::pagemap_entry>("\x08\x01").sound);
  EXPECT_FALSE(Scan<pb::pagemap_entry>("\x08\x01\x10\x01\x08").sound);
  EXPECT_FALSE(Scan<pb::pagemap_entry>("\x08\x01\x10\x01\x0b").sound);  // a group
  EXPECT_FALSE(Scan<pb::pagemap_head>("\x08\x01\x7a\x05").sound);       // an unknown string
  EXPECT_TRUE(Scan<pb::pagemap_head>("\x08\x01").sound);
}

// A core whose tc is in two parts: neither has all that is required.
TEST(ScanMessage, LeavesPartsOfOneMessageToProtobuf) {
  EXPECT_FALSE(Scan<pb::core_entry>("\x08\x01\x1a\0\x1a\0"s).sound);
}

}  // namespace
}  // namespace ckpt
