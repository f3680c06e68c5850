#include "restorer/harmless_core.h"

#include <gmock/gmock.h>

namespace ckpt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(HarmlessCore, ARelativePatternNeedsNoDirectory) {
  EXPECT_THAT(DirectoriesOfCore("core.%p\n").value(), IsEmpty());
}

TEST(HarmlessCore, AnAbsolutePatternNeedsThoseAboveIt) {
  EXPECT_THAT(DirectoriesOfCore("/var/crash/core.%e\n").value(), ElementsAre("/var", "/var/crash"));
}

TEST(HarmlessCore, WhoHearsOfCoresIsNotToldOfOne) {
  EXPECT_EQ(DirectoriesOfCore("|/usr/lib/crash %P\n").error().message,
            "cores go to \"|/usr/lib/crash %P\" here");
  EXPECT_EQ(DirectoriesOfCore("@/run/core.socket\n").error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace ckpt
