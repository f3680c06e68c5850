#include "restorer/vdso_patch.h"

#include <gtest/gtest.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace ckpt {
namespace {

constexpr size_t kVdsoBytes = 2 * 4096;

Bytes OwnVdso() {
  return {reinterpret_cast<const std::byte*>(getauxval(AT_SYSINFO_EHDR)), kVdsoBytes};
}

// Code in memory that can be run.
class Executable {
 public:
  explicit Executable(Bytes code)
      : size_(code.size()),
        memory_(mmap(nullptr, size_, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    std::memcpy(memory_, code.data(), size_);
  }
  Executable(const Executable&) = delete;
  Executable& operator=(const Executable&) = delete;
  ~Executable() { munmap(memory_, size_); }

  template <typename Function>
  Function* At(uint64_t offset) const {
    return reinterpret_cast<Function*>(static_cast<char*>(memory_) + offset);
  }

 private:
  size_t size_;
  void* memory_;
};

// The copy's own code would look for the data pages in front of itself, where there is nothing.
TEST(VdsoPatchTest, FunctionsOfAPatchedCopyRunInTheKernels) {
  if (getauxval(AT_SYSINFO_EHDR) == 0) GTEST_SKIP() << "the kernel maps no vdso";
  const VdsoSymbols symbols = ParseVdsoSymbols(OwnVdso()).value();
  const auto patched = PatchVdso(OwnVdso(), symbols, symbols, getauxval(AT_SYSINFO_EHDR));
  ASSERT_TRUE(patched.has_value()) << patched.error().message;
  const Executable copy(patched.value());
  timespec before{}, now{}, after{};
  clock_gettime(CLOCK_MONOTONIC, &before);
  const auto get_time =
      copy.At<int(clockid_t, timespec*)>(symbols.at("__vdso_clock_gettime").offset);
  EXPECT_EQ(get_time(CLOCK_MONOTONIC, &now), 0);
  clock_gettime(CLOCK_MONOTONIC, &after);
  const auto nanoseconds = [](const timespec& t) { return t.tv_sec * 1'000'000'000 + t.tv_nsec; };
  EXPECT_LE(nanoseconds(before), nanoseconds(now));
  EXPECT_LE(nanoseconds(now), nanoseconds(after));
}

TEST(VdsoPatchTest, AFunctionThatTheKernelLacksSaysSo) {
  const std::vector<std::byte> image(64, std::byte{0xcc});
  const auto patched = PatchVdso(image, {{"gone", {16, 32}}}, {}, 0);
  ASSERT_TRUE(patched.has_value());
  const Executable copy(patched.value());
  EXPECT_EQ(copy.At<long()>(16)(), -ENOSYS);
}

TEST(VdsoPatchTest, OnlyTheBeginningsOfFunctionsChange) {
  const std::vector<std::byte> image(64, std::byte{0xcc});
  const VdsoSymbols symbols = {{"f", {16, 32}}, {"alias", {16, 32}}};
  const auto patched = PatchVdso(image, symbols, symbols, 0x1000);
  ASSERT_TRUE(patched.has_value());
  for (size_t i = 0; i < image.size(); ++i) {
    if (i >= 16 && i < 29) continue;
    EXPECT_EQ(patched.value()[i], std::byte{0xcc}) << i;
  }
  EXPECT_EQ(patched.value()[18], std::byte{0x10});  // 0x1010, little end first
  EXPECT_EQ(patched.value()[19], std::byte{0x10});
}

TEST(VdsoPatchTest, AFunctionWithoutRoomForTheJumpIsRefused) {
  const std::vector<std::byte> image(64);
  const VdsoSymbols symbols = {{"small", {16, 8}}, {"next", {24, 32}}};
  const auto patched = PatchVdso(image, symbols, symbols, 0x1000);
  ASSERT_TRUE(patched.has_error());
  EXPECT_EQ(patched.error().message, "vdso: function small has 8 bytes, 13 are needed");
}

}  // namespace
}  // namespace ckpt
