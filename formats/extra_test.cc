#include "formats/extra.h"

#include <gtest/gtest.h>

#include <string>

#include "formats/image_file.h"
#include "formats/image_writer.h"
#include "formats/proto/bpf.pb.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/ipc.pb.h"
#include "formats/proto/pipes.pb.h"
#include "formats/proto/sockets.pb.h"
#include "formats/proto/sockets_inet.pb.h"

namespace ckpt {
namespace {

// The size as text, or the error.
std::string SizeOrError(ExtraKind kind, const google::protobuf::Message& message,
                        const std::string& rest) {
  auto size = ReadExtraSize(kind, message, AsBytes(rest));
  return size.has_value() ? std::to_string(size.value()) : size.error().message;
}

const std::string kRest(100, 'r');

TEST(ExtraTest, OfAPipeIsAsLongAsItsBytesSay) {
  pb::pipe_data_entry entry;
  entry.set_bytes(100);
  entry.set_size(65536);
  EXPECT_EQ(SizeOrError(ExtraKind::kPipeData, entry, kRest), "100");
  entry.set_bytes(101);
  EXPECT_EQ(SizeOrError(ExtraKind::kPipeData, entry, kRest),
            "extra of 101 bytes runs 1 bytes past the end of the file");
}

TEST(ExtraTest, OfAPacketIsAsLongAsItsLengthSays) {
  pb::sk_packet_entry entry;
  entry.set_length(7);
  EXPECT_EQ(SizeOrError(ExtraKind::kPacket, entry, kRest), "7");
}

TEST(ExtraTest, OfATcpStreamIsBothQueues) {
  pb::tcp_stream_entry entry;
  entry.set_inq_len(3);
  entry.set_outq_len(4);
  EXPECT_EQ(SizeOrError(ExtraKind::kTcpQueues, entry, kRest), "7");
  entry.set_inq_len(0xffffffff);
  entry.set_outq_len(0xffffffff);
  EXPECT_EQ(SizeOrError(ExtraKind::kTcpQueues, entry, kRest),
            "extra of 8589934590 bytes runs 8589934490 bytes past the end of the file");
}

TEST(ExtraTest, OfABpfMapIsKeysAndValues) {
  pb::bpfmap_data_entry entry;
  entry.set_keys_bytes(8);
  entry.set_values_bytes(16);
  EXPECT_EQ(SizeOrError(ExtraKind::kBpfMap, entry, kRest), "24");
}

TEST(ExtraTest, OfSharedMemoryIsPaddedToFourAndAbsentWithPagemaps) {
  pb::ipc_shm_entry entry;
  entry.set_size(5);
  EXPECT_EQ(SizeOrError(ExtraKind::kSharedMemory, entry, kRest), "8");
  entry.set_size(UINT64_MAX);
  EXPECT_EQ(SizeOrError(ExtraKind::kSharedMemory, entry, kRest),
            "extra of 18446744073709551615 bytes runs 18446744073709551515 bytes past the end of "
            "the file");
  entry.set_in_pagemaps(true);
  EXPECT_EQ(SizeOrError(ExtraKind::kSharedMemory, entry, kRest), "0");
}

TEST(ExtraTest, OfSemaphoresIsPaddedToEight) {
  pb::ipc_sem_entry entry;
  for (auto [count, size] : {std::pair(0, "0"), {1, "8"}, {4, "8"}, {5, "16"}}) {
    entry.set_nsems(static_cast<uint32_t>(count));
    EXPECT_EQ(SizeOrError(ExtraKind::kSemaphores, entry, kRest), size) << count;
  }
  entry.set_nsems(0xffffffff);
  EXPECT_EQ(SizeOrError(ExtraKind::kSemaphores, entry, kRest),
            "extra of 8589934592 bytes runs 8589934492 bytes past the end of the file");
}

TEST(ExtraTest, OfAGhostFileIsTheRestOfTheFileUnlessInChunks) {
  pb::ghost_file_entry file;
  EXPECT_EQ(SizeOrError(ExtraKind::kGhost, file, kRest), "100");
  EXPECT_EQ(SizeOrError(ExtraKind::kGhost, file, ""), "0");
  file.set_chunks(true);
  EXPECT_EQ(SizeOrError(ExtraKind::kGhost, file, kRest), "0");
  pb::ghost_chunk_entry chunk;
  chunk.set_len(9);
  EXPECT_EQ(SizeOrError(ExtraKind::kGhost, chunk, kRest), "9");
}

TEST(ExtraTest, GhostFilesAreReadInBothForms) {
  pb::ghost_file_entry file;
  file.set_uid(0);
  file.set_gid(0);
  file.set_mode(0100644);
  ImageEncoder plain(ImageType::kGhostFile);
  ASSERT_TRUE(plain.Append(file, AsBytes("content")).has_value());
  auto image = ImageFile::Parse("ghost-file-1.img", ImageType::kGhostFile, plain.bytes());
  ASSERT_TRUE(image.has_value());
  ASSERT_EQ(image.value().entries().size(), 1U);
  EXPECT_EQ(AsText(image.value().entries()[0].extra), "content");

  file.set_chunks(true);
  ImageEncoder chunked(ImageType::kGhostFile);
  ASSERT_TRUE(chunked.Append(file).has_value());
  pb::ghost_chunk_entry chunk;
  chunk.set_len(3);
  chunk.set_off(4096);
  ASSERT_TRUE(chunked.Append(chunk, AsBytes("abc")).has_value());
  ASSERT_TRUE(chunked.Append(chunk, AsBytes("def")).has_value());
  image = ImageFile::Parse("ghost-file-1.img", ImageType::kGhostFile, chunked.bytes());
  ASSERT_TRUE(image.has_value());
  ASSERT_EQ(image.value().entries().size(), 3U);
  EXPECT_EQ(AsText(image.value().entries()[2].extra), "def");
}

std::string QueuedText(const std::string& text) {
  pb::ipc_msg message;
  message.set_mtype(1);
  message.set_msize(static_cast<uint32_t>(text.size()));
  std::string encoded = message.SerializeAsString();
  std::string padding((8 - text.size() % 8) % 8, '\0');
  return std::string{static_cast<char>(encoded.size()), 0, 0, 0} + encoded + text + padding;
}

TEST(ExtraTest, OfAMessageQueueIsItsMessages) {
  std::string two = QueuedText("hello") + QueuedText("");
  std::string rest = two + "more";
  auto queue = ReadQueuedMessages(2, AsBytes(rest));
  ASSERT_TRUE(queue.has_value()) << queue.error().message;
  EXPECT_EQ(queue.value().size_bytes, two.size());
  EXPECT_EQ(AsText(queue.value().messages[0].text), "hello");
  EXPECT_EQ(AsText(queue.value().messages[1].text), "");
}

TEST(ExtraTest, NamesTheMessageOfAQueueThatIsWrong) {
  pb::ipc_msg_entry entry;
  entry.set_qnum(2);
  std::string one = QueuedText("hello");
  EXPECT_EQ(SizeOrError(ExtraKind::kMessages, entry, one + one.substr(0, 3)),
            "message 1 of 2 at byte 16 of the extra: its ipc_msg is cut short");
  EXPECT_EQ(SizeOrError(ExtraKind::kMessages, entry, one + one.substr(0, 9)),
            "message 1 of 2 at byte 16 of the extra: msize 5 with 1 bytes left");
  entry.set_qnum(4000000);
  EXPECT_EQ(SizeOrError(ExtraKind::kMessages, entry, one),
            "qnum 4000000 does not fit into the 16 bytes left");
}

}  // namespace
}  // namespace ckpt
