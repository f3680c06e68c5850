#include "imgtool/json_sources.h"

#include <gtest/gtest.h>

namespace ckpt {
namespace {

std::optional<std::string> Move(std::string_view source) {
  if (source == "/old \"x\"") return "/new\n";
  if (source == "/old") return "/new";
  return std::nullopt;
}

TEST(JsonSourcesTest, OnlyValuesOfSourcesChange) {
  const auto changed = ChangeJsonSources(
      R"({ "mounts": [{"source":  "/old", "destination": "/old"}, {"Source": "/old \"x\""},
  {"source": "tmpfs", "type": "tmpfs"}], "a": "/old", "source": {"b": "/old"},  "n": 1.50 }
)",
      Move);
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_EQ(changed.value().count, 2U);
  EXPECT_EQ(changed.value().text,
            R"({ "mounts": [{"source":  "/new", "destination": "/old"}, {"Source": "/new\n"},
  {"source": "tmpfs", "type": "tmpfs"}], "a": "/old", "source": {"b": "/old"},  "n": 1.50 }
)");
}

TEST(JsonSourcesTest, WithoutSourcesEveryByteStays) {
  EXPECT_EQ(ChangeJsonSources(" {}\n", Move).value().text, " {}\n");
}

TEST(JsonSourcesTest, WhatIsNoJsonIsRefused) {
  for (const char* text : {"", "{", "{\"source\": \"/old", "[1,]"}) {
    EXPECT_EQ(ChangeJsonSources(text, Move).error().code, ErrorCode::kBadFormat) << text;
  }
}

}  // namespace
}  // namespace ckpt
