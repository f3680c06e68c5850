#include "formats/image_message.h"

#include <gtest/gtest.h>

#include "formats/proto/files.pb.h"

namespace ckpt {
namespace {

TEST(ImageMessageTest, EveryTypeOfMessagesHasItsDescriptors) {
  for (const ImageTypeInfo& row : ImageTypes()) {
    const auto* head = FindEntryDescriptor(row.type, 0);
    const auto* next = FindEntryDescriptor(row.type, 1);
    if (row.entry_message.empty()) {
      EXPECT_EQ(head, nullptr) << row.name;
      continue;
    }
    EXPECT_EQ(next->name(), row.entry_message);
    EXPECT_EQ(head->name(), row.head_message.empty() ? row.entry_message : row.head_message);
  }
}

TEST(ImageMessageTest, NamesAllMissingRequiredFields) {
  auto parsed = ParseMessageAs<pb::ghost_file_entry>(AsBytes("\x08\x01"));
  ASSERT_TRUE(parsed.has_error());
  EXPECT_EQ(parsed.error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(parsed.error().message, "ghost_file_entry without required gid, mode");
}

TEST(ImageMessageTest, NamesMissingFieldsOfInnerMessagesByTheirPath) {
  pb::file_entry entry;
  entry.set_type(pb::REG);
  entry.set_id(1);
  entry.mutable_reg()->set_id(1);
  auto parsed = ParseMessageAs<pb::file_entry>(AsBytes(entry.SerializePartialAsString()));
  ASSERT_TRUE(parsed.has_error());
  EXPECT_EQ(parsed.error().message,
            "file_entry without required reg.flags, reg.pos, reg.fown, reg.name");
  auto serialized = SerializeMessage(entry);
  ASSERT_TRUE(serialized.has_error());
  EXPECT_EQ(serialized.error().code, ErrorCode::kInternal);
}

TEST(ImageMessageTest, RefusesWhatIsNoMessage) {
  auto parsed = ParseMessageAs<pb::file_entry>(AsBytes("\xff\xff"));
  ASSERT_TRUE(parsed.has_error());
  EXPECT_EQ(parsed.error().message, "message of 2 bytes is no file_entry");
}

TEST(ImageMessageTest, TakesNamesThatAreNotUtf8WithoutAWord) {
  pb::memfd_inode_entry entry;
  entry.set_name("\xff\xfe");
  for (auto set : {&pb::memfd_inode_entry::set_uid, &pb::memfd_inode_entry::set_gid,
                   &pb::memfd_inode_entry::set_shmid, &pb::memfd_inode_entry::set_seals}) {
    (entry.*set)(0);
  }
  entry.set_size(0);
  entry.set_inode_id(1);
  testing::internal::CaptureStderr();
  auto bytes = SerializeMessage(entry);
  ASSERT_TRUE(bytes.has_value());
  auto parsed = ParseMessageAs<pb::memfd_inode_entry>(AsBytes(bytes.value()));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed.value().name(), "\xff\xfe");
}

}  // namespace
}  // namespace ckpt
