#include "process/memory_use.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace ckpt {
namespace {

TEST(MemoryUseTest, AnonymousAndSwappedMemoryAreAdded) {
  EXPECT_EQ(ParsePrivateBytes("Name:\tx\nVmRSS:\t  900 kB\nRssAnon:\t     132 kB\nRssFile:\t 5 kB\n"
                              "VmSwap:\t       8 kB\nThreads:\t1\n")
                .value(),
            140U * 1024);
}

TEST(MemoryUseTest, AZombieHasNone) {
  EXPECT_EQ(ParsePrivateBytes("Name:\tx\nState:\tZ (zombie)\n").value(), 0U);
}

TEST(MemoryUseTest, ALineWithoutANumberIsNamed) {
  EXPECT_EQ(ParsePrivateBytes("RssAnon:\tmuch\n").error().message,
            "\"RssAnon:\tmuch\": no number of kB");
}

TEST(MemoryUseTest, ThisProcessHasSomeAndOneThatIsNotThereHasNone) {
  EXPECT_GT(ReadPrivateBytes(getpid()), 0U);
  EXPECT_EQ(ReadPrivateBytes(0x3ffffff), 0U);
}

}  // namespace
}  // namespace ckpt
