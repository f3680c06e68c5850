#include "restorer/external_mounts.h"

#include <gtest/gtest.h>

namespace ckpt {
namespace {

TEST(ExternalMountsTest, BothOptionsGivePathsToKeys) {
  const auto mounts = ParseExternalMounts({"/etc/hosts:/host/a", "auto"},
                                          {"mnt[KEY]:/host/b:c", "mnt[]", "mnt[]:ms"});
  ASSERT_TRUE(mounts.has_value()) << mounts.error().message;
  EXPECT_EQ(mounts.value(), (ExternalMounts{{"/etc/hosts", "/host/a"}, {"KEY", "/host/b:c"}}));
}

TEST(ExternalMountsTest, AKeyHasOnePath) {
  EXPECT_TRUE(ParseExternalMounts({"K:/a", "K:/a"}, {}).has_value());
  EXPECT_EQ(ParseExternalMounts({"K:/a"}, {"mnt[K]:/b"}).error().message,
            "the external mount K is said to be /a and /b");
}

TEST(ExternalMountsTest, OtherFormsAreUsageErrors) {
  EXPECT_EQ(ParseExternalMounts({"hosts"}, {}).error().message,
            "\"hosts\" is not of the form KEY:PATH");
  EXPECT_EQ(ParseExternalMounts({}, {"mnt[K]"}).error().message,
            "\"mnt[K]\" is not of the form KEY:PATH");
  EXPECT_EQ(ParseExternalMounts({}, {"dev[NAME]:/dev/sda"}).error().message,
            "--external dev[NAME]:/dev/sda: only mnt[KEY]:PATH and mnt[] are supported");
  EXPECT_EQ(ParseExternalMounts({"hosts"}, {}).error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace ckpt
