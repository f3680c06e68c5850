#include "process/text_scanner.h"

#include <gtest/gtest.h>

namespace ckpt {
namespace {

TEST(TextScannerTest, ReadsNumbersOfEachBaseUpToWhatIsNoDigit) {
  TextScanner scanner("12 ff-0755x");
  EXPECT_EQ(scanner.ReadDecimal(), 12U);
  EXPECT_TRUE(scanner.Skip(' '));
  EXPECT_EQ(scanner.ReadHex(), 255U);
  EXPECT_TRUE(scanner.Skip("-"));
  EXPECT_EQ(scanner.ReadOctal(), 0755U);
  EXPECT_EQ(scanner.rest(), "x");
}

TEST(TextScannerTest, OnlySignedNumbersHaveASign) {
  EXPECT_FALSE(TextScanner("-1").ReadDecimal());
  EXPECT_EQ(TextScanner("-1").ReadSigned(), -1);
}

TEST(TextScannerTest, ANumberOfMoreThan64BitsIsNone) {
  EXPECT_EQ(TextScanner("18446744073709551615").ReadDecimal(), UINT64_MAX);
  TextScanner scanner("18446744073709551616");
  EXPECT_FALSE(scanner.ReadDecimal());
  EXPECT_EQ(scanner.rest(), "18446744073709551616");
}

TEST(TextScannerTest, WhatDoesNotComeNextIsNotSkipped) {
  TextScanner scanner("ab");
  EXPECT_FALSE(scanner.Skip('b'));
  EXPECT_FALSE(scanner.Skip("abc"));
  EXPECT_EQ(scanner.rest(), "ab");
}

TEST(TextScannerTest, LinesEndAtANewlineOrAtTheEnd) {
  TextScanner scanner("one\n\nlast");
  EXPECT_EQ(scanner.ReadLine(), "one");
  EXPECT_EQ(scanner.ReadLine(), "");
  EXPECT_EQ(scanner.ReadLine(), "last");
  EXPECT_TRUE(scanner.AtEnd());
}

TEST(TextScannerTest, WordsStandBetweenBlanks) {
  TextScanner scanner(" \tone  two ");
  EXPECT_EQ(scanner.ReadWord(), "one");
  EXPECT_EQ(scanner.ReadWord(), "two");
  EXPECT_EQ(scanner.ReadWord(), "");
  EXPECT_TRUE(scanner.AtEnd());
}

}  // namespace
}  // namespace ckpt
