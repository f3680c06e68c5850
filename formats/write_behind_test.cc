#include "formats/write_behind.h"

#include <gtest/gtest.h>

#include <string>

namespace ckpt {
namespace {

TEST(WriteBehind, WritesAllInOrderWhateverTheSizes) {
  std::string written;
  WriteBehind out([&written](Bytes bytes) -> Result<> {
    EXPECT_LE(bytes.size(), WriteBehind::kPieceBytes);
    written += AsText(bytes);
    return success();
  });
  std::string expected;
  for (size_t size : {size_t{0}, size_t{1}, WriteBehind::kPieceBytes - 1, WriteBehind::kPieceBytes,
                      7 * WriteBehind::kPieceBytes + 3, size_t{2}}) {
    const std::string text(size, static_cast<char>('a' + size % 26));
    expected += text;
    ASSERT_TRUE(out.Write(AsBytes(text)));
  }
  ASSERT_TRUE(out.Finish());
  EXPECT_TRUE(written == expected);
  ASSERT_TRUE(out.Write(AsBytes("more")));
  ASSERT_TRUE(out.Finish());
  EXPECT_TRUE(written == expected + "more");
}

TEST(WriteBehind, TellsOfAFailureAndWritesNoMore) {
  size_t calls = 0;
  WriteBehind out([&calls](Bytes) -> Result<> {
    return ++calls < 3 ? Result<>(success()) : MakeError(ErrorCode::kSystem, "the disk is full");
  });
  const std::string piece(WriteBehind::kPieceBytes, 'x');
  size_t taken = 0;
  while (out.Write(AsBytes(piece))) ASSERT_LT(++taken, 20u);
  const Result<> done = out.Finish();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "the disk is full");
}

}  // namespace
}  // namespace ckpt
