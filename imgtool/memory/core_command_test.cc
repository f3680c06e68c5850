#include <elf.h>
#include <gmock/gmock.h>
#include <sys/procfs.h>
#include <sys/stat.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "imgtool/directory_fixture.h"
#include "imgtool/memory/sample_process.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

using testing::ElementsAre;

template <typename T>
T At(const std::string& bytes, uint64_t offset) {
  T value{};
  EXPECT_LE(offset + sizeof(T), bytes.size());
  if (offset + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

struct Note {
  std::string name;
  uint32_t type;
  std::string content;
};

std::vector<Note> NotesOf(const std::string& bytes) {
  std::vector<Note> notes;
  const auto padded = [](size_t size) { return (size + 3) / 4 * 4; };
  for (size_t at = 0; at + sizeof(Elf64_Nhdr) <= bytes.size();) {
    const auto header = At<Elf64_Nhdr>(bytes, at);
    at += sizeof(header);
    const std::string name = bytes.substr(at, header.n_namesz - 1);
    at += padded(header.n_namesz);
    notes.push_back({name, header.n_type, bytes.substr(at, header.n_descsz)});
    at += padded(header.n_descsz);
  }
  return notes;
}

std::vector<Elf64_Phdr> HeadersOf(const std::string& core) {
  std::vector<Elf64_Phdr> headers;
  const auto file = At<Elf64_Ehdr>(core, 0);
  for (size_t i = 0; i < file.e_phnum; ++i) {
    headers.push_back(At<Elf64_Phdr>(core, file.e_phoff + i * sizeof(Elf64_Phdr)));
  }
  return headers;
}

class CoreCommandTest : public DirectoryFixture {
 protected:
  void SetUp() override {
    DirectoryFixture::SetUp();
    sample_.emplace(directory_);
  }

  ToolRun Core(const std::string& pid = "12") {
    return RunTool({"core", sample_->path(), pid, "-o", file_});
  }

  std::string CoreBytes() {
    const ToolRun run = Core();
    EXPECT_EQ(run.code, 0) << run.err;
    return ReadWholeFile(file_).value();
  }

  std::optional<SampleProcess> sample_;
  const std::string file_ = directory_ + "/core";
};

TEST_F(CoreCommandTest, IsAnElfCoreOfThisMachine) {
  const std::string core = CoreBytes();
  const auto header = At<Elf64_Ehdr>(core, 0);
  EXPECT_EQ(core.substr(0, 4),
            "\x7f"
            "ELF");
  EXPECT_EQ(header.e_type, ET_CORE);
  EXPECT_EQ(header.e_machine, EM_X86_64);
  EXPECT_EQ(header.e_phentsize, sizeof(Elf64_Phdr));
  struct stat status {};
  ASSERT_EQ(stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST_F(CoreCommandTest, HasTheBytesThatTheDumpHoldsAndNoOthers) {
  const std::string core = CoreBytes();
  std::vector<std::string> loads;
  for (const Elf64_Phdr& load : HeadersOf(core)) {
    if (load.p_type != PT_LOAD) continue;
    EXPECT_TRUE(load.p_filesz == 0 || load.p_filesz == load.p_memsz);
    loads.push_back(fmt::format("{:x}+{:x} {:x} {}", load.p_vaddr, load.p_memsz, load.p_flags,
                                load.p_filesz == 0 ? "" : core.substr(load.p_offset, 6)));
  }
  EXPECT_THAT(
      loads, ElementsAre("1000+3000 5 ", "4000+1000 6 ", "5000+1000 6 data..", "6000+3000 6 dle...",
                         "9000+1000 6 ", "10000+3000 6 shared", "20000+1000 6 notes.",
                         "7ff000+1000 6 stack.", "ffffffffff600000+1000 1 "));
}

TEST_F(CoreCommandTest, PagesOfOneMappingComeFromAllLayersAndZerosAreZeros) {
  const std::string core = CoreBytes();
  for (const Elf64_Phdr& load : HeadersOf(core)) {
    if (load.p_vaddr != 0x6000) continue;
    EXPECT_EQ(core.substr(load.p_offset + 0x1000, 12), "le in parent");
    EXPECT_EQ(core.substr(load.p_offset + 0x2000, 0x1000), std::string(0x1000, '\0'));
  }
}

TEST_F(CoreCommandTest, NotesTellOfProcessThreadsAndFiles) {
  const std::string core = CoreBytes();
  const Elf64_Phdr header = HeadersOf(core).front();
  ASSERT_EQ(header.p_type, static_cast<uint32_t>(PT_NOTE));
  const std::vector<Note> notes = NotesOf(core.substr(header.p_offset, header.p_filesz));
  std::vector<std::string> names;
  for (const Note& note : notes) names.push_back(fmt::format("{} {:x}", note.name, note.type));
  EXPECT_THAT(names, ElementsAre("CORE 1", "CORE 3", "CORE 53494749", "CORE 6", "CORE 46494c45",
                                 "CORE 2", "CORE 1", "CORE 2"));
  const auto leader = At<elf_prstatus>(notes[0].content, 0);
  EXPECT_EQ(notes[0].content.size(), sizeof(elf_prstatus));
  EXPECT_EQ(leader.pr_pid, 12);
  EXPECT_EQ(leader.pr_ppid, 1);
  EXPECT_EQ(leader.pr_sighold, 0x200u);
  for (size_t i = 0; i < ELF_NGREG; ++i) EXPECT_EQ(leader.pr_reg[i], 0x1000 + i);
  EXPECT_EQ(At<elf_prstatus>(notes[6].content, 0).pr_pid, 13);
  EXPECT_EQ(At<elf_prstatus>(notes[6].content, 0).pr_sighold, 0x400u);
  const auto info = At<elf_prpsinfo>(notes[1].content, 0);
  EXPECT_STREQ(info.pr_fname, "app");
  EXPECT_STREQ(info.pr_psargs, "app --name J\xc3\xb6rg\n ");
  EXPECT_EQ(notes[3].content.size(), 4 * sizeof(uint64_t));
  EXPECT_EQ(At<uint64_t>(notes[3].content, 0), 6u);
  EXPECT_EQ(At<uint64_t>(notes[3].content, 16), uint64_t{AT_NULL});
  EXPECT_EQ(At<uint64_t>(notes[4].content, 0), 3u);
  EXPECT_EQ(At<uint64_t>(notes[4].content, 16 + 24), 0x4000u);
  EXPECT_EQ(At<uint64_t>(notes[4].content, 16 + 40), 3u);  // in pages
  EXPECT_EQ(notes[4].content.substr(16 + 3 * 24),
            std::string("/usr/bin/app\0/usr/bin/app\0/memfd:notes\0", 39));
}

TEST_F(CoreCommandTest, ManyPiecesAreCountedInASection) {
  std::vector<pb::vma_entry> vmas;
  for (uint64_t i = 0; i < 70000; ++i) {
    vmas.push_back(SampleVma(0x10000000 + 2 * i * kPageBytes, 0x10000000 + (2 * i + 1) * kPageBytes,
                             kVmaAnonPrivate));
  }
  sample_->WriteMm(vmas);
  const std::string core = CoreBytes();
  const auto header = At<Elf64_Ehdr>(core, 0);
  EXPECT_EQ(header.e_phnum, PN_XNUM);
  EXPECT_EQ(At<Elf64_Shdr>(core, header.e_shoff).sh_info, 70001u);
  EXPECT_EQ(At<Elf64_Phdr>(core, header.e_phoff + 70000 * sizeof(Elf64_Phdr)).p_vaddr,
            0x10000000u + 2 * 69999 * kPageBytes);
}

TEST_F(CoreCommandTest, MemoryBiggerThanAnyFileIsRefusedBeforeAnythingIsWritten) {
  sample_->WriteMm({SampleVma(0x5000, 0xfffffffffffff000, kVmaAnonPrivate)});
  const ToolRun run = Core();
  EXPECT_EQ(run.code, 5);
  EXPECT_THAT(run.err, testing::HasSubstr("a core of more than 9223372036854775807 bytes"));
  EXPECT_THAT(ListDirectory(directory_).value(), ElementsAre("1", "2"));
}

TEST_F(CoreCommandTest, AnExistingFileIsLeftAloneWhenSomethingIsWrong) {
  Put("core", "precious");
  pb::core_entry damaged = SampleCore();
  damaged.mutable_thread_info()->mutable_fpregs()->add_xmm_space(1);
  sample_->dump().Write<pb::core_entry>(ImageType::kCore, 12, {damaged});
  const ToolRun run = Core();
  EXPECT_EQ(run.code, 4);
  EXPECT_EQ(run.err, "imgtool core: core-12.img: fpregs: xmm_space has 260 bytes, expected 256\n");
  EXPECT_EQ(ReadWholeFile(file_).value(), "precious");
  EXPECT_THAT(ListDirectory(directory_).value(), ElementsAre("1", "2", "core"));
}

TEST_F(CoreCommandTest, RefusesOtherMachinesAndModes) {
  pb::core_entry other = SampleCore();
  other.set_mtype(pb::core_entry::AARCH64);
  sample_->dump().Write<pb::core_entry>(ImageType::kCore, 12, {other});
  EXPECT_EQ(Core().err, "imgtool core: core-12.img: no registers of x86-64\n");
  other = SampleCore();
  other.mutable_thread_info()->mutable_gpregs()->set_mode(pb::COMPAT);
  sample_->dump().Write<pb::core_entry>(ImageType::kCore, 12, {other});
  EXPECT_EQ(Core().code, 5);
  EXPECT_EQ(Core().err, "imgtool core: core-12.img: registers of 32-bit code\n");
}

TEST_F(CoreCommandTest, RefusesZombiesAndCommandLinesWithoutAFile) {
  EXPECT_EQ(Core("14").code, 3);
  const ToolRun run = RunTool({"core", sample_->path(), "12"});
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.err, "imgtool core: no -o FILE given\n");
}

TEST_F(CoreCommandTest, DamagedImagesAreNeverMoreThanAnError) {
  for (const std::string name : {"core-12.img", "core-13.img", "mm-12.img", "pagemap-12.img"}) {
    const std::string bytes = ReadWholeFile(sample_->dump().Path(name)).value();
    const auto try_bytes = [&](const std::string& damaged) {
      sample_->Overwrite(name, damaged);
      const int code = Core().code;
      // 8: a mapping that no file system has room for.
      EXPECT_TRUE(code == 0 || code == 3 || code == 4 || code == 5 || code == 8) << name << code;
    };
    for (size_t size = 0; size < bytes.size(); size += 37) try_bytes(bytes.substr(0, size));
    for (size_t bit = 0; bit < 8 * bytes.size(); bit += 199) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      try_bytes(flipped);
    }
    sample_->Overwrite(name, bytes);
  }
}

}  // namespace
}  // namespace ckpt
