#include "imgtool/memory/hex_rows.h"

#include <gtest/gtest.h>

#include <sstream>

namespace ckpt {
namespace {

class HexRowsTest : public testing::Test {
 protected:
  std::string Finish() {
    rows_.Finish();
    return out_.str();
  }

  std::ostringstream out_;
  HexRows rows_{out_};
};

TEST_F(HexRowsTest, LooksLikeHexdump) {
  rows_.Add(0x7f1200001000, AsBytes("\x7f"
                                    "ELF and more ~\xff"
                                    "tail"));
  EXPECT_EQ(Finish(),
            "7f1200001000  7f 45 4c 46 20 61 6e 64  20 6d 6f 72 65 20 7e ff  |.ELF and more ~.|\n"
            "7f1200001010  74 61 69 6c                                       |tail|\n"
            "7f1200001014\n");
}

TEST_F(HexRowsTest, RowsBeginAtMultiplesOfSixteenWhereverTheRangeBegins) {
  rows_.Add(0x100e, AsBytes("abcd"));
  rows_.Add(0x1012, AsBytes("ef"));
  EXPECT_EQ(Finish(),
            "00000000100e  61 62                                             |ab|\n"
            "000000001010  63 64 65 66                                       |cdef|\n"
            "000000001014\n");
}

TEST_F(HexRowsTest, RepeatedRowsAreOneStar) {
  const std::string row = "0123456789abcdef";
  rows_.Add(0x1000, AsBytes(row + row + row + "x"));
  EXPECT_EQ(Finish(),
            "000000001000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n"
            "*\n"
            "000000001030  78                                                |x|\n"
            "000000001031\n");
}

TEST_F(HexRowsTest, AnyNumberOfZerosIsTwoLines) {
  rows_.Add(0x1000, AsBytes("a"));
  rows_.AddZeros(0x1001, uint64_t{1} << 46);
  EXPECT_EQ(Finish(),
            "000000001000  61 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |a...............|\n"
            "000000001010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
            "*\n"
            "400000001000  00                                                |.|\n"
            "400000001001\n");
}

TEST_F(HexRowsTest, FewZerosAreWhatTheyAre) {
  for (uint64_t size = 1; size < 100; ++size) {
    std::ostringstream bytes_out;
    std::ostringstream zeros_out;
    HexRows bytes(bytes_out);
    HexRows zeros(zeros_out);
    bytes.Add(0x1003, AsBytes(std::string(size, '\0')));
    bytes.Finish();
    zeros.AddZeros(0x1003, size);
    zeros.Finish();
    EXPECT_EQ(zeros_out.str(), bytes_out.str()) << size;
  }
}

TEST_F(HexRowsTest, AGapIsSaidAndEndsARepetition) {
  const std::string row = "0123456789abcdef";
  rows_.Add(0x1000, AsBytes(row));
  rows_.AddGap(0x1010, 0x3000, "it is that of a file");
  rows_.Add(0x3000, AsBytes(row));
  EXPECT_EQ(Finish(),
            "000000001000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n"
            "# 000000001010-000000003000 is not in the dump: it is that of a file\n"
            "000000003000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n"
            "000000003010\n");
}

}  // namespace
}  // namespace ckpt
