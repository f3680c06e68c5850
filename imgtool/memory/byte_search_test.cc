#include "imgtool/memory/byte_search.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace ckpt {
namespace {

std::vector<size_t> AllPlaces(const std::string& needle, const std::string& haystack) {
  const ByteSearch search(needle);
  std::vector<size_t> places;
  for (size_t at = search.Find(AsBytes(haystack), 0); at != kNoPlace;
       at = search.Find(AsBytes(haystack), at + 1)) {
    places.push_back(at);
  }
  return places;
}

std::vector<size_t> PlacesByTheStandardLibrary(const std::string& needle,
                                               const std::string& haystack) {
  std::vector<size_t> places;
  for (size_t at = haystack.find(needle); at != std::string::npos;
       at = haystack.find(needle, at + 1)) {
    places.push_back(at);
  }
  return places;
}

TEST(ByteSearch, FindsANeedleAtEveryPlaceOfAHaystackOfAnySize) {
  for (size_t size = 1; size < 200; ++size) {
    for (size_t place = 0; place + 3 <= size; ++place) {
      std::string haystack(size, '.');
      haystack.replace(place, 3, "key");
      EXPECT_EQ(AllPlaces("key", haystack), std::vector<size_t>{place}) << size;
    }
  }
}

TEST(ByteSearch, FindsWhatTheStandardLibraryFindsInBytesOfFewKinds) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::string haystack(1000, '\0');
    for (char& c : haystack) c = static_cast<char>(random() % 3);
    for (size_t size = 1; size < 12; ++size) {
      const std::string needle = haystack.substr(random() % 900, size);
      EXPECT_EQ(AllPlaces(needle, haystack), PlacesByTheStandardLibrary(needle, haystack));
    }
  }
}

TEST(ByteSearch, FindsOverlappingOccurrences) {
  EXPECT_EQ(AllPlaces("aa", "aaaa"), (std::vector<size_t>{0, 1, 2}));
}

TEST(ByteSearch, FindsNothingInLessThanTheNeedle) {
  EXPECT_EQ(AllPlaces("needle", ""), std::vector<size_t>());
  EXPECT_EQ(AllPlaces("needle", "needl"), std::vector<size_t>());
}

TEST(ByteSearch, ANeedleMayHoldAnyByte) {
  const std::string needle("\0\xff\x80", 3);
  EXPECT_EQ(AllPlaces(needle, std::string(100, '\0') + needle), std::vector<size_t>{100});
}

}  // namespace
}  // namespace ckpt
