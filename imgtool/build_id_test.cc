#include "imgtool/build_id.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <string>

#include "imgtool/directory_fixture.h"

namespace ckpt {
namespace {

template <typename T>
std::string BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

// A file with one note segment right behind its headers.
std::string ElfWithNotes(const std::string& notes) {
  Elf64_Ehdr header{};
  std::copy_n(ELFMAG, SELFMAG, header.e_ident);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_phoff = sizeof(header);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr program{};
  program.p_type = PT_NOTE;
  program.p_offset = sizeof(header) + sizeof(program);
  program.p_filesz = notes.size();
  return BytesOf(header) + BytesOf(program) + notes;
}

std::string Note(uint32_t type, const std::string& description) {
  Elf64_Nhdr note{
      .n_namesz = 4, .n_descsz = static_cast<uint32_t>(description.size()), .n_type = type};
  std::string bytes = BytesOf(note) + std::string("GNU\0", 4) + description;
  bytes.resize((bytes.size() + 3) / 4 * 4);
  return bytes;
}

TEST(BuildId, IsFoundBehindOtherNotes) {
  const std::string file =
      ElfWithNotes(Note(NT_GNU_ABI_TAG, "12345") + Note(NT_GNU_BUILD_ID, "abcdefghij"));
  EXPECT_EQ(FindBuildId(file), "abcdefghij");
}

TEST(BuildId, IsNotFoundInOtherFiles) {
  EXPECT_EQ(FindBuildId(""), std::nullopt);
  EXPECT_EQ(FindBuildId("#!/bin/sh\n"), std::nullopt);
  EXPECT_EQ(FindBuildId(ElfWithNotes(Note(NT_GNU_ABI_TAG, "1"))), std::nullopt);
}

TEST(BuildId, OfACutFileIsNotReadPastItsEnd) {
  const std::string file = ElfWithNotes(Note(NT_GNU_BUILD_ID, "abcdefgh"));
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_EQ(FindBuildId(file.substr(0, size)), std::nullopt) << size;
  }
}

TEST(BuildId, IsPaddedToWords) {
  EXPECT_EQ(BuildIdWords(std::string("\1\0\0\0\2", 5)), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(BuildIdWords("\xff\xff\xff\xff"), (std::vector<int64_t>{0xffffffff}));
}

class BuildIdOfFile : public DirectoryFixture {};

TEST_F(BuildIdOfFile, IsReadFromDisk) {
  EXPECT_EQ(ReadBuildId(Put("elf", ElfWithNotes(Note(NT_GNU_BUILD_ID, "abcd")))).value(), "abcd");
  EXPECT_EQ(ReadBuildId(directory_ + "/none").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ckpt
