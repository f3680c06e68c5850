#include "imgtool/commit_journal.h"

#include "imgtool/directory_fixture.h"

namespace ckpt {
namespace {

class CommitJournalTest : public DirectoryFixture {
 protected:
  const std::string path_ = directory_ + "/journal";
};

TEST_F(CommitJournalTest, WhatIsWrittenIsRead) {
  ASSERT_TRUE(WriteCommitJournal(path_, {{1, 2}, {3, 4}}));
  const auto journal = ReadCommitJournal(path_).value();
  ASSERT_TRUE(journal.has_value());
  EXPECT_EQ(journal->old_state, (FileIdentity{1, 2}));
  EXPECT_EQ(journal->new_state, (FileIdentity{3, 4}));
}

TEST_F(CommitJournalTest, EveryProperPrefixIsNoJournal) {
  ASSERT_TRUE(WriteCommitJournal(path_, {{1, 2}, {3, 4}}));
  const std::string text = ReadWholeFile(path_).value();
  for (size_t length = 0; length < text.size(); ++length) {
    Put("journal", text.substr(0, length));
    EXPECT_FALSE(ReadCommitJournal(path_).value().has_value()) << length;
  }
}

TEST_F(CommitJournalTest, OneThatIsThereIsNotWrittenOver) {
  ASSERT_TRUE(WriteCommitJournal(path_, {}));
  EXPECT_EQ(WriteCommitJournal(path_, {}).error().code, ErrorCode::kSystem);
  EXPECT_TRUE(ReadCommitJournal(path_).value().has_value());
}

TEST_F(CommitJournalTest, OtherTextIsRefused) {
  Put("journal", "imgtool-commit-2 old 1 2 new 3 4 end\n");
  EXPECT_EQ(ReadCommitJournal(path_).error().message, path_ + ": not the journal of a commit");
}

TEST_F(CommitJournalTest, AnIdentityIsThatOfTheLinkItself) {
  const std::string file = Put("file", "x");
  EXPECT_EQ(IdentityOf(file).value(), IdentityOf(file).value());
  EXPECT_FALSE(IdentityOf(file).value() == IdentityOf(directory_).value());
  EXPECT_EQ(IdentityOf(file + "x").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ckpt
