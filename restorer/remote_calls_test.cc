#include "restorer/remote_calls.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "process/child_for_test.h"
#include "process/kernel_features.h"
#include "process/maps.h"

namespace ckpt {
namespace {

// A stopped child that makes calls.
class RemoteCallsTest : public testing::Test {
 protected:
  RemoteCallsTest() {
    EXPECT_TRUE(tracee_.Interrupt().has_value());
    EXPECT_TRUE(tracee_.WaitForStop().has_value());
    std::vector<RemoteRange> executable;
    const auto mappings = ReadMappings(child_.pid(), FallbackKernelFeatures()).value();
    for (const Mapping& mapping : mappings) {
      if (mapping.executable && mapping.readable) {
        executable.push_back({mapping.start, mapping.end});
      }
    }
    engine_.emplace(RemoteSyscalls::Install(tracee_, memory_, executable, {}).value());
  }
  ~RemoteCallsTest() override { EXPECT_TRUE(engine_->Uninstall(tracee_).has_value()); }

  ChildForTest child_{[](const auto& ready) {
    ready();
    pause();
    return 0;
  }};
  Tracee tracee_ = Tracee::Seize(child_.pid(), 0).value();
  RemoteMemory memory_ = RemoteMemory::Open(child_.pid()).value();
  std::optional<RemoteSyscalls> engine_;
};

TEST_F(RemoteCallsTest, MoreCallsThanFitRunInSeveralBatches) {
  RemoteCalls calls(*engine_, tracee_, 4);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(calls.MakeRoom(1, 16).has_value());
    calls.PutString("data");
    calls.Add("getpid()", SYS_getpid, {}, child_.pid());
  }
  EXPECT_TRUE(calls.Flush().has_value());
}

TEST_F(RemoteCallsTest, TheCallThatFailsIsNamedAndThoseAfterItAreNotMade) {
  RemoteCalls calls(*engine_, tracee_);
  ASSERT_TRUE(calls.Call("close(1234)", SYS_close, {1234}).has_value());
  ASSERT_TRUE(calls.Call("umask(0123)", SYS_umask, {0123}).has_value());
  const Result<> flushed = calls.Flush();
  ASSERT_TRUE(flushed.has_error());
  EXPECT_EQ(flushed.error().message, "close(1234): Bad file descriptor (EBADF)");
  EXPECT_NE(engine_->Call(tracee_, SYS_umask, {022}).value(), 0123);
}

TEST_F(RemoteCallsTest, AnotherResultThanExpectedIsAnError) {
  RemoteCalls calls(*engine_, tracee_);
  calls.Add("getpid()", SYS_getpid, {}, 1);
  const Result<> flushed = calls.Flush();
  ASSERT_TRUE(flushed.has_error());
  EXPECT_EQ(flushed.error().message,
            fmt::format("getpid(): returned {}, expected 1", child_.pid()));
}

TEST_F(RemoteCallsTest, AWantedCallThatFailsIsAWarning) {
  RemoteCalls calls(*engine_, tracee_);
  calls.AddWanted("close(1234)", SYS_close, {1234});
  calls.AddWanted("getpid()", SYS_getpid, {});
  ASSERT_TRUE(calls.Flush().has_value());
  EXPECT_EQ(calls.warnings(), std::vector<std::string>{"close(1234): Bad file descriptor (EBADF)"});
}

TEST_F(RemoteCallsTest, DataThatNeverFitsIsAnError) {
  RemoteCalls calls(*engine_, tracee_);
  const Result<> room = calls.MakeRoom(1, size_t{1} << 30);
  ASSERT_TRUE(room.has_error());
  EXPECT_EQ(room.error().message, "1 calls with 1073741824 bytes of data do not fit in a batch");
}

}  // namespace
}  // namespace ckpt
