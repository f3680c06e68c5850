#include "dumper/external_mounts.h"

#include <gmock/gmock.h>

namespace ckpt {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(ExternalMounts, BothSpellingsGiveTheSame) {
  ExternalMounts mounts;
  ASSERT_TRUE(AddExtMountMap("/etc/hosts:hosts", mounts).has_value());
  ASSERT_TRUE(AddExternal("mnt[/etc/hostname]:name:x", mounts).has_value());
  EXPECT_THAT(mounts.keys,
              ElementsAre(Pair("/etc/hostname", "name:x"), Pair("/etc/hosts", "hosts")));
  EXPECT_FALSE(mounts.automatic);
}

TEST(ExternalMounts, BothSpellingsOfAutoAreKnown) {
  for (const char* text : {"mnt[]", "mnt[]:ms"}) {
    ExternalMounts mounts;
    ASSERT_TRUE(AddExternal(text, mounts).has_value());
    EXPECT_TRUE(mounts.automatic);
  }
  ExternalMounts mounts;
  ASSERT_TRUE(AddExtMountMap("auto", mounts).has_value());
  EXPECT_TRUE(mounts.automatic);
}

std::string ErrorOf(Result<> (*add)(std::string_view, ExternalMounts&), std::string_view text) {
  ExternalMounts mounts;
  const Result<> added = add(text, mounts);
  return added.has_error() ? added.error().message : "";
}

TEST(ExternalMounts, OthersSayWhatWasExpected) {
  for (const char* text : {"", "/etc/hosts", "/etc/hosts:", "hosts:key"}) {
    EXPECT_EQ(ErrorOf(AddExtMountMap, text),
              fmt::format("--ext-mount-map {}: expected MOUNTPOINT:KEY or auto", text));
  }
  for (const char* text : {"mnt[/etc/hosts]", "mnt[/etc/hosts]:", "mnt[hosts]:key"}) {
    EXPECT_EQ(ErrorOf(AddExternal, text),
              fmt::format("--external {}: expected mnt[MOUNTPOINT]:KEY", text));
  }
  EXPECT_EQ(ErrorOf(AddExternal, "net[4026531840]:host"),
            "--external net[4026531840]:host: only mnt[MOUNTPOINT]:KEY is supported yet");
}

TEST(ExternalMounts, TwoKeysForOneMountAreAnError) {
  ExternalMounts mounts;
  ASSERT_TRUE(AddExtMountMap("/a:x", mounts).has_value());
  ASSERT_TRUE(AddExtMountMap("/a:x", mounts).has_value());
  EXPECT_EQ(AddExternal("mnt[/a]:y", mounts).error().message,
            "the mount at /a has two keys, x and y");
}

}  // namespace
}  // namespace ckpt
