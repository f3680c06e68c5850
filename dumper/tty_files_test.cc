#include "dumper/tty_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"

namespace ckpt {
namespace {

class TtyFilesTest : public testing::Test {
 protected:
  TtyFilesTest() {
    int master = -1;
    int slave = -1;
    const winsize size{.ws_row = 25, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(openpty(&master, &slave, nullptr, nullptr, &size), 0);
    master_ = UniqueFd(master);
    slave_ = UniqueFd(slave);
  }

  static OpenDescription Open(const UniqueFd& fd) {
    return DescriptorTable::Open(getpid()).value().Read(fd.get()).value();
  }

  UniqueFd master_;
  UniqueFd slave_;
};

TEST_F(TtyFilesTest, ASlaveIsTakenAsShellJobOnly) {
  const OpenDescription slave = Open(slave_);
  ASSERT_TRUE(IsTerminal(slave));
  EXPECT_EQ(ReasonToRefuseTerminal(slave, true), std::nullopt);
  EXPECT_EQ(ReasonToRefuseTerminal(slave, false),
            "a terminal from outside of the tree (see --shell-job)");
}

TEST_F(TtyFilesTest, AMasterIsRefused) {
  const OpenDescription master = Open(master_);
  ASSERT_TRUE(IsTerminal(master));
  EXPECT_EQ(ReasonToRefuseTerminal(master, true),
            "masters of pseudo terminals are not supported yet");
}

TEST_F(TtyFilesTest, OtherDevicesAreNoTerminals) {
  EXPECT_FALSE(IsTerminal(Open(OpenFile("/dev/null", O_RDONLY).value())));
}

TEST_F(TtyFilesTest, TwoDescriptionsAreOfOneTerminal) {
  termios settings{};
  ASSERT_EQ(tcgetattr(slave_.get(), &settings), 0);
  settings.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  settings.c_cc[VINTR] = 7;
  settings.c_cc[VWERASE] = 9;
  ASSERT_EQ(tcsetattr(slave_.get(), TCSANOW, &settings), 0);
  const OpenDescription first = Open(slave_);
  const UniqueFd again = OpenFile(first.file.path, O_WRONLY | O_NOCTTY).value();
  const OpenDescription second = Open(again);
  FileTable files;
  const uint32_t first_id = AddTerminal(first, files).value();
  const uint32_t second_id = AddTerminal(second, files).value();
  const auto terminals = CollectTerminals({&first, &second}).value();
  ASSERT_EQ(terminals.size(), 1U);
  const pb::tty_info_entry& info = terminals.front();
  for (const uint32_t id : {first_id, second_id}) {
    const pb::tty_file_entry& entry = files.entries()[id - 1].tty();
    EXPECT_EQ(entry.tty_info_id(), info.id());
    EXPECT_EQ(files.entries()[entry.regf_id() - 1].reg().name(), first.file.path);
  }
  EXPECT_EQ(files.entries()[second_id - 1].tty().flags() & O_ACCMODE, uint32_t{O_WRONLY});
  EXPECT_EQ(info.type(), pb::PTY);
  EXPECT_EQ(fmt::format("/dev/pts/{}", info.pty().index()), first.file.path);
  EXPECT_EQ(info.winsize().ws_col(), 80U);
  EXPECT_EQ(info.termios().c_lflag() & ECHO, 0U);
  EXPECT_EQ(info.termios().c_cc_size(), 19);
  EXPECT_EQ(info.termios().c_cc(VINTR / 4) >> (VINTR % 4 * 8) & 0xff, 7U);
  EXPECT_EQ(info.termios().c_cc(VWERASE / 4) >> (VWERASE % 4 * 8) & 0xff, 9U);
  EXPECT_EQ(info.sid(), 0U);
}

}  // namespace
}  // namespace ckpt
