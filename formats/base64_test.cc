#include "formats/base64.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace ckpt {
namespace {

std::string Base64(std::string_view text) {
  std::string out(Base64Chars(text.size()), '\0');
  EXPECT_EQ(WriteBase64(AsBytes(text), out.data()), out.data() + out.size());
  return out;
}

std::string JsonLines(std::string_view bytes) {
  std::string out(Base64JsonChars(bytes.size()), '\0');
  EXPECT_EQ(WriteBase64JsonLines(AsBytes(bytes), out.data()), out.data() + out.size());
  return out;
}

// What a decoder makes of texts in turn; "bad at N" where it refuses one.
std::string Decoded(const std::vector<std::string>& texts) {
  Base64Decoder decoder;
  std::string bytes;
  for (const std::string& text : texts) {
    std::vector<std::byte> out(text.size() / 4 * 3 + 3);
    const size_t size = decoder.Decode(text, out);
    if (size == Base64Decoder::kBadText) return "bad at " + std::to_string(decoder.position());
    bytes += AsText(Bytes(out).first(size));
  }
  return decoder.AtEnd() ? bytes : "cut";
}

std::string RandomBytes(size_t size) {
  std::mt19937 random(static_cast<unsigned>(size));
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(random());
  return bytes;
}

TEST(Base64, PadsToFourCharacters) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("a"), "YQ==");
  EXPECT_EQ(Base64("ab"), "YWI=");
  EXPECT_EQ(Base64("abc"), "YWJj");
  EXPECT_EQ(Base64("\xfb\xff\xfe"), "+//+");
}

// The quick form for full lines is that of the slow one.
TEST(Base64, WritesLinesOf76CharactersEachEndedAsJsonSpellsIt) {
  for (size_t size = 0; size < 700; ++size) {
    const std::string bytes = RandomBytes(size);
    std::string expected;
    for (size_t at = 0; at < size; at += kBase64LineBytes) {
      expected += Base64(std::string_view(bytes).substr(at, kBase64LineBytes)) + "\\n";
    }
    EXPECT_EQ(JsonLines(bytes), expected) << size;
  }
}

TEST(Base64Decoder, RestoresBytesInWhateverPiecesTheTextComes) {
  const std::string bytes = RandomBytes(200);
  const std::string text = Base64(bytes);
  EXPECT_EQ(Decoded({text}), bytes);
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(Decoded({text.substr(0, cut), "\n", text.substr(cut)}), bytes) << cut;
  }
}

TEST(Base64Decoder, TakesFullLinesAtOnceAndLeavesTheRest) {
  const std::string bytes = RandomBytes(5 * kBase64LineBytes + 1);
  const std::string text = JsonLines(bytes);
  std::vector<std::byte> out(1024);
  Base64Decoder decoder;
  const size_t lines = decoder.DecodeJsonLines(text, out);
  EXPECT_TRUE(lines == 5 || !__builtin_cpu_supports("avx2")) << lines;
  EXPECT_EQ(AsText(Bytes(out).first(lines * kBase64LineBytes)),
            std::string_view(bytes).substr(0, lines * kBase64LineBytes));
  for (size_t at = 0; at < kBase64LineChars; ++at) {
    std::string damaged = text.substr(0, kBase64JsonLineChars);
    damaged[at] = '"';
    EXPECT_EQ(Base64Decoder().DecodeJsonLines(damaged, out), 0u) << at;
  }
}

TEST(Base64Decoder, RefusesWhatIsNoBase64) {
  EXPECT_EQ(Decoded({"YW J"}), "bad at 2");
  EXPECT_EQ(Decoded({"Y==="}), "bad at 1");
  EXPECT_EQ(Decoded({"YQ==YQ=="}), "bad at 4");
  EXPECT_EQ(Decoded({"YQ=a"}), "bad at 3");
  EXPECT_EQ(Decoded({"YQ==="}), "bad at 4");
  EXPECT_EQ(Decoded({"YWJ"}), "cut");
}

TEST(Base64Decoder, RefusesBitsThatNoByteHas) { EXPECT_EQ(Decoded({"YR=="}), "bad at 3"); }

}  // namespace
}  // namespace ckpt
