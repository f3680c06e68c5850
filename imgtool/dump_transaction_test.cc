#include "imgtool/dump_transaction.h"

#include <fcntl.h>

#include <filesystem>
#include <optional>

#include "imgtool/commit_journal.h"
#include "imgtool/directory_fixture.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

// A dump is a directory with one file in some tests, an archive of that text in others.
class DumpTransactionTest : public DirectoryFixture, public testing::WithParamInterface<bool> {
 protected:
  bool is_directory() const { return GetParam(); }

  void PutState(const std::string& path, std::string_view text) const {
    if (is_directory()) fs::create_directories(path);
    const std::string file = is_directory() ? path + "/file" : path;
    ASSERT_TRUE(WriteWholeFile(file, AsBytes(text), 0644));
  }
  std::string StateAt(const std::string& path) const {
    const auto text = ReadWholeFile(is_directory() ? path + "/file" : path);
    return text ? text.value() : "(none)";
  }
  DumpTransaction Build(std::string_view text) const {
    DumpTransaction begun = (is_directory() ? DumpTransaction::BeginDirectory(dump_)
                                            : DumpTransaction::BeginFile(dump_))
                                .value();
    if (is_directory()) {
      PutState(begun.staging_path(), text);
    } else {
      const UniqueFd fd = OpenFile(begun.staging_path(), O_WRONLY).value();
      EXPECT_TRUE(WriteAll(fd.get(), AsBytes(text), "staging"));
    }
    return begun;
  }
  std::vector<std::string> Names() const { return ListDirectory(directory_).value(); }
  std::string Recovered() const {
    const auto said = RecoverDump(dump_);
    if (said.has_error()) return said.error().message;
    return said.value().value_or("nothing");
  }

  using List = std::vector<std::string>;
  const std::string dump_ = directory_ + "/d";
  const DumpPlaces places_{dump_};
  const std::string finished_ = dump_ + ": a rewrite of it was cut short and is finished";
  const std::string rolled_back_ = dump_ + ": a rewrite of it was cut short and is rolled back";
};

TEST_P(DumpTransactionTest, WhatIsNotCommittedIsGone) {
  PutState(dump_, "old");
  { const DumpTransaction dropped = Build("new"); }
  EXPECT_EQ(StateAt(dump_), "old");
  EXPECT_EQ(Names(), List{"d"});
}

TEST_P(DumpTransactionTest, ANewDumpAppearsOnlyWhereNothingIs) {
  ASSERT_TRUE(Build("new").CommitNew());
  EXPECT_EQ(StateAt(dump_), "new");
  EXPECT_TRUE(Build("newer").CommitNew().has_error());
  EXPECT_EQ(StateAt(dump_), "new");
  EXPECT_EQ(Names(), List{"d"});
}

TEST_P(DumpTransactionTest, TheStateBeforeTheLastCommitIsKeptAndComesBack) {
  PutState(dump_, "1");
  ASSERT_TRUE(Build("2").CommitReplace());
  EXPECT_EQ(StateAt(dump_), "2");
  EXPECT_EQ(StateAt(places_.undo), "1");
  ASSERT_TRUE(Build("3").CommitReplace());
  EXPECT_EQ(StateAt(places_.undo), "2");
  EXPECT_EQ(Names(), (List{".d.imgtool-undo", "d"}));
  ASSERT_TRUE(UndoDump(dump_));
  EXPECT_EQ(StateAt(dump_), "2");
  ASSERT_TRUE(UndoDump(is_directory() ? dump_ + "/" : dump_));
  EXPECT_EQ(StateAt(dump_), "3");
  EXPECT_TRUE(ForgetUndo(dump_).value());
  EXPECT_EQ(Names(), List{"d"});
  EXPECT_FALSE(ForgetUndo(dump_).value());
  EXPECT_EQ(UndoDump(dump_).error().message, dump_ + ": no earlier state is kept");
}

TEST_P(DumpTransactionTest, TwoBuildersDoNotMeet) {
  PutState(dump_, "old");
  const DumpTransaction first = Build("new");
  const auto second =
      is_directory() ? DumpTransaction::BeginDirectory(dump_) : DumpTransaction::BeginFile(dump_);
  EXPECT_EQ(second.error().message, dump_ + ": another process is writing it");
}

TEST_P(DumpTransactionTest, AWriterAtWorkIsLeftAlone) {
  const DumpTransaction begun = Build("new");
  EXPECT_EQ(Recovered(), "nothing");
  EXPECT_EQ(StateAt(places_.staging), "new");
}

TEST_P(DumpTransactionTest, WhatWasBeingBuiltIsRolledBack) {
  PutState(places_.staging, "half");
  EXPECT_EQ(Recovered(), rolled_back_);
  EXPECT_EQ(Names(), List{});
  PutState(dump_, "old");
  PutState(places_.staging, "half");
  Put(".d.imgtool-journal", "imgtool-com");
  EXPECT_EQ(Recovered(), rolled_back_);
  EXPECT_EQ(Names(), List{"d"});
  EXPECT_EQ(Recovered(), "nothing");
}

TEST_P(DumpTransactionTest, AJournalTellsOnWhichSideOfTheExchangeItEnded) {
  for (const bool exchanged : {false, true}) {
    PutState(dump_, "old");
    PutState(places_.undo, "oldest");
    PutState(places_.staging, "new");
    ASSERT_TRUE(WriteCommitJournal(
        places_.journal, {IdentityOf(dump_).value(), IdentityOf(places_.staging).value()}));
    if (exchanged) {
      fs::rename(dump_, directory_ + "/x");
      fs::rename(places_.staging, dump_);
      fs::rename(directory_ + "/x", places_.staging);
    }
    EXPECT_EQ(Recovered(), exchanged ? finished_ : rolled_back_);
    EXPECT_EQ(StateAt(dump_), exchanged ? "new" : "old");
    EXPECT_EQ(StateAt(places_.undo), exchanged ? "old" : "oldest");
    EXPECT_EQ(Names(), (List{".d.imgtool-undo", "d"}));
  }
}

TEST_P(DumpTransactionTest, AJournalOfAnotherDumpIsReported) {
  PutState(dump_, "old");
  ASSERT_TRUE(WriteCommitJournal(places_.journal, {{1, 2}, {3, 4}}));
  EXPECT_EQ(Recovered(), dump_ + ": neither the old nor the new state of the rewrite that " +
                             places_.journal +
                             " tells of; remove it once you know which one it is");
  EXPECT_EQ(StateAt(dump_), "old");
}

TEST_P(DumpTransactionTest, WhatWasBeingRemovedIsRemoved) {
  PutState(dump_, "new");
  PutState(places_.old, "oldest");
  EXPECT_EQ(Recovered(), finished_);
  EXPECT_EQ(Names(), List{"d"});
}

INSTANTIATE_TEST_SUITE_P(Kinds, DumpTransactionTest, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "Directory" : "Archive"; });

}  // namespace
}  // namespace ckpt
