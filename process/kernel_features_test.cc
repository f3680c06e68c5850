#include "process/kernel_features.h"

#include <gtest/gtest.h>
#include <sys/utsname.h>

#include <cstdio>

namespace ckpt {
namespace {

// Distributions port features back, so that a version is only a lower bound of what is there.
bool KernelIsAtLeast(int major, int minor) {
  utsname name{};
  uname(&name);
  int found_major = 0;
  int found_minor = 0;
  if (std::sscanf(name.release, "%d.%d", &found_major, &found_minor) != 2) return false;
  return found_major > major || (found_major == major && found_minor >= minor);
}

TEST(KernelFeaturesTest, WhatTheVersionPromisesIsDetected) {
  const KernelFeatures features = DetectKernelFeatures();
  EXPECT_TRUE(features.pagemap_scan || !KernelIsAtLeast(6, 7));
  EXPECT_TRUE(features.procmap_query || !KernelIsAtLeast(6, 11));
  EXPECT_TRUE(features.pagemap_guard || !KernelIsAtLeast(6, 15));
  EXPECT_TRUE(features.statmount || !KernelIsAtLeast(6, 15));
}

TEST(KernelFeaturesTest, TheFallbacksUseNothingNew) {
  constexpr KernelFeatures kNone = FallbackKernelFeatures();
  EXPECT_FALSE(kNone.procmap_query || kNone.pagemap_scan || kNone.pagemap_guard || kNone.statmount);
}

}  // namespace
}  // namespace ckpt
