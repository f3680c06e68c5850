#include "formats/byte_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <initializer_list>
#include <sstream>
#include <string>

#include "base/file.h"

namespace ckpt {
namespace {

// All that a source gives, by pieces of five bytes.
std::string All(ByteSource& source) {
  std::string all;
  std::byte piece[5];
  while (true) {
    const Result<size_t> size = source.Read(piece);
    EXPECT_TRUE(size);
    if (!size || size.value() == 0) return all;
    all += AsText(Bytes(piece, size.value()));
  }
}

TEST(ByteSource, GivesWhatMemoryStreamsFilesAndPipesHold) {
  const std::string text = "some bytes";
  MemorySource memory(AsBytes(text));
  EXPECT_EQ(memory.size_bytes(), text.size());
  EXPECT_EQ(All(memory), text);

  std::istringstream in(text);
  StreamSource stream(in, "it");
  EXPECT_FALSE(stream.size_bytes());
  EXPECT_EQ(All(stream), text);

  const std::string path = testing::TempDir() + "byte-source";
  ASSERT_TRUE(WriteWholeFile(path, AsBytes(text), 0644));
  Result<UniqueFd> fd = OpenFile(path, 0);
  ASSERT_TRUE(fd);
  DescriptorSource file(fd.value().get(), path);
  EXPECT_EQ(file.size_bytes(), text.size());
  EXPECT_EQ(All(file), text);

  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  ASSERT_TRUE(WriteAll(writer.get(), AsBytes(text), "pipe"));
  writer.Reset();
  DescriptorSource pipe_source(reader.get(), "pipe");
  EXPECT_FALSE(pipe_source.size_bytes());
  EXPECT_EQ(All(pipe_source), text);
}

TEST(ByteSource, TellsOfADescriptorThatCannotBeRead) {
  DescriptorSource source(-1, "it");
  std::byte piece[5];
  const Result<size_t> size = source.Read(piece);
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().message, "read(\"it\", 5 bytes): Bad file descriptor (EBADF)");
}

TEST(ByteWindow, ShowsAsMuchAsIsAskedForAndThere) {
  std::string text;
  for (int i = 0; i < 300000; ++i) text += static_cast<char>('a' + i % 26);
  std::istringstream in(text);
  StreamSource source(in, "it");
  ByteWindow window(source);
  ASSERT_TRUE(window.Fill(10));
  EXPECT_GE(window.visible().size(), 10u);
  window.Consume(7);
  EXPECT_EQ(window.offset(), 7u);
  ASSERT_TRUE(window.Fill(290000));
  EXPECT_EQ(AsText(window.visible().first(290000)), std::string_view(text).substr(7, 290000));
  ASSERT_TRUE(window.Fill(1 << 30));
  EXPECT_EQ(window.visible().size(), text.size() - 7);
}

TEST(ByteWindow, SkipsWhatIsVisibleAndWhatIsNot) {
  const std::string path = testing::TempDir() + "byte-window";
  ASSERT_TRUE(WriteWholeFile(path, AsBytes(std::string(1000000, 'x') + "end"), 0644));
  const UniqueFd fd = OpenFile(path, 0).value();
  DescriptorSource file(fd.get(), path);
  std::istringstream in(std::string(1000000, 'x') + "end");
  StreamSource stream(in, "it");
  for (ByteSource* source : std::initializer_list<ByteSource*>{&file, &stream}) {
    ByteWindow window(*source);
    ASSERT_TRUE(window.Fill(10));
    EXPECT_EQ(window.Skip(1000000).value(), 1000000u);
    EXPECT_EQ(window.offset(), 1000000u);
    ASSERT_TRUE(window.Fill(10));
    EXPECT_EQ(AsText(window.visible()), "end");
    EXPECT_EQ(window.Skip(UINT64_MAX).value(), 3u);
    EXPECT_EQ(window.Skip(1).value(), 0u);
  }
  // The file was not read, but for what was visible.
  EXPECT_EQ(file.Skip(1), 0u);
}

TEST(ByteWindow, KnowsWhatIsLeftWhereTheSourceKnowsItsSize) {
  MemorySource source(AsBytes("12345678"));
  ByteWindow window(source);
  EXPECT_EQ(window.remaining(), 8u);
  ASSERT_TRUE(window.Fill(3));
  window.Consume(3);
  EXPECT_EQ(window.remaining(), 5u);
}

TEST(ByteWindow, ShowsAgainWhatIsPutBack) {
  for (const size_t size : {size_t{1}, size_t{1000}, size_t{400} << 10}) {
    std::string text(size_t{1} << 20, '\0');
    for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7 % 251);
    std::istringstream in(text);
    StreamSource source(in, "it");
    ByteWindow window(source);
    // So much at once that the window has to move.
    constexpr size_t kStep = 90000;
    for (size_t consumed = 0; consumed < 5 * kStep; consumed += kStep) {
      ASSERT_TRUE(window.Fill(kStep));
      window.Consume(kStep);
    }
    window.PutBack(AsBytes(std::string_view(text).substr(5 * kStep - size, size)));
    EXPECT_EQ(window.offset(), 5 * kStep - size);
    ASSERT_TRUE(window.Fill(text.size()));
    EXPECT_TRUE(AsText(window.visible()) == text.substr(5 * kStep - size));
  }
}

}  // namespace
}  // namespace ckpt
