#include "restorer/tty_plan.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <string>

namespace ckpt {
namespace {

class TtyPlanTest : public testing::Test {
 protected:
  TtyPlanTest() {
    pb::tty_info_entry& info = images_.terminals.emplace_back();
    info.set_id(6);
    info.set_type(pb::PTY);
    info.set_sid(42);
    info.set_pgrp(43);
    info.mutable_termios()->set_c_lflag(7);
    for (const uint32_t word : {0x04030201U, 0x08070605U, 0U, 0U, 0x00131211U}) {
      info.mutable_termios()->add_c_cc(word);
    }
    pb::tty_file_entry entry;
    entry.set_id(3);
    entry.set_tty_info_id(6);
    entry.set_flags(O_RDWR);
    FilePlan file;
    file.id = 3;
    file.place = "files.img entry id 3";
    PlanTerminalFile(entry, file);
    plan_.files.emplace(3, file);
    TaskPlan& task = plan_.tasks.emplace_back();
    task.pid = 42;
    task.sid = 42;
    task.descriptors = {{.fd = 5, .file_id = 3, .close_on_exec = false}};
  }

  std::string Plan() {
    Findings findings;
    PlanTerminals(images_, plan_, findings);
    const auto result = findings.AsResult();
    return result.has_error() ? result.error().message : "";
  }

  DumpImages images_;
  RestorePlan plan_;
};

TEST_F(TtyPlanTest, WhoLedTheSessionTakesTheTerminal) {
  EXPECT_EQ(Plan(), "");
  EXPECT_EQ(plan_.files.at(3).kind, FilePlan::Kind::kTerminal);
  ASSERT_TRUE(plan_.tasks[0].terminal.has_value());
  EXPECT_EQ(plan_.tasks[0].terminal->fd, 5);
  EXPECT_EQ(plan_.tasks[0].terminal->foreground_group, 43);
}

TEST_F(TtyPlanTest, WhoIsOfASessionOutsideTakesNone) {
  images_.terminals[0].set_sid(12);
  plan_.tasks[0].sid = 0;
  EXPECT_EQ(Plan(), "");
  EXPECT_FALSE(plan_.tasks[0].terminal.has_value());
}

TEST_F(TtyPlanTest, TheCharactersOfTheSettingsAreBytes) {
  EXPECT_EQ(Plan(), "");
  const TermiosPlan& settings = *plan_.terminals.at(6).settings;
  EXPECT_EQ(settings.local_flags, 7U);
  EXPECT_EQ(settings.characters[0], 1);
  EXPECT_EQ(settings.characters[7], 8);
  EXPECT_EQ(settings.characters[18], 0x13);
}

TEST_F(TtyPlanTest, ATerminalIsNeededOfAShellJobOnly) {
  EXPECT_TRUE(CheckTerminals(plan_, false).has_value());
  Plan();
  EXPECT_TRUE(CheckTerminals(plan_, true).has_value());
  const Result<> checked = CheckTerminals(plan_, false);
  ASSERT_TRUE(checked.has_error());
  EXPECT_EQ(checked.error().message,
            "tty-info.img: a terminal from outside of the dump is needed (--shell-job gives the "
            "restorer's own)");
}

TEST_F(TtyPlanTest, MastersAreRefused) {
  images_.terminals[0].set_id(7);
  plan_.files.at(3).terminal_id = 7;
  EXPECT_EQ(Plan(), "files.img entry id 3: the master of a pseudo terminal is not supported");
}

TEST_F(TtyPlanTest, ATerminalThatIsMissingIsAnError) {
  images_.terminals.clear();
  EXPECT_EQ(Plan(), "files.img entry id 3: terminal 6 is not in tty-info.img");
}

}  // namespace
}  // namespace ckpt
