#include "imgtool/input_source.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "imgtool/directory_fixture.h"

namespace ckpt {
namespace {

using InputSourceTest = DirectoryFixture;

std::string ReadRest(InputSource& source) {
  std::string text;
  while (true) {
    const Bytes block = source.Read().value();
    if (block.empty()) return text;
    text += AsText(block);
  }
}

TEST_F(InputSourceTest, WhatIsPeekedAtIsReadToo) {
  InputSource file = InputSource::OfFile(Put("f", "0123456789")).value();
  EXPECT_EQ(AsText(file.Peek(4).value()), "0123");
  EXPECT_EQ(AsText(file.Peek(2).value()), "01");
  EXPECT_EQ(AsText(file.Peek(20).value()), "0123456789");
  EXPECT_EQ(ReadRest(file), "0123456789");
}

TEST_F(InputSourceTest, AStreamIsReadAlike) {
  std::istringstream in(std::string(1000000, 'x'));
  InputSource source = InputSource::OfStream(in, "standard input");
  EXPECT_EQ(AsText(source.Peek(2).value()), "xx");
  EXPECT_EQ(ReadRest(source).size(), 1000000u);
  EXPECT_EQ(source.Skip(1), 0u);
}

TEST_F(InputSourceTest, AFileIsPassedOverUpToItsEnd) {
  InputSource file = InputSource::OfFile(Put("f", std::string(1000000, 'x') + "end")).value();
  EXPECT_EQ(file.Skip(1000001), 1000001u);
  EXPECT_EQ(file.Skip(10), 2u);
  EXPECT_EQ(file.Skip(10), 0u);
  EXPECT_EQ(ReadRest(file), "");
}

TEST_F(InputSourceTest, ARegularFileTellsHowMuchOfItIsDone) {
  InputSource file = InputSource::OfFile(Put("f", std::string(1000000, 'x'))).value();
  ASSERT_TRUE(file.Read());
  EXPECT_EQ(file.FindPosition()->done_bytes, 256u << 10);
  EXPECT_EQ(file.Skip(1000), 1000u);
  EXPECT_EQ(file.FindPosition()->done_bytes, (256u << 10) + 1000);
  EXPECT_EQ(file.FindPosition()->total_bytes, 1000000u);
  EXPECT_FALSE(InputSource::OfFile("/dev/zero").value().FindPosition());
}

TEST_F(InputSourceTest, WhatWasPeekedAtIsNotPassedOver) {
  InputSource file = InputSource::OfFile(Put("f", "0123456789")).value();
  ASSERT_TRUE(file.Peek(4));
  EXPECT_EQ(file.Skip(2), 0u);
  EXPECT_EQ(ReadRest(file), "0123456789");
}

TEST_F(InputSourceTest, ADirectoryCannotBeRead) {
  InputSource directory = InputSource::OfFile(directory_).value();
  const auto head = directory.Peek(4);
  ASSERT_FALSE(head);
  EXPECT_EQ(head.error().message, "read(" + directory_ + ", 4 bytes): Is a directory (EISDIR)");
}

}  // namespace
}  // namespace ckpt
