#include "imgtool/memory/process_memory.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "imgtool/directory_fixture.h"
#include "imgtool/memory/process_strings.h"
#include "imgtool/memory/sample_process.h"

namespace ckpt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ProcessMemoryTest : public DirectoryFixture {
 protected:
  void SetUp() override {
    DirectoryFixture::SetUp();
    sample_.emplace(directory_);
  }

  Result<ProcessMemory> Open(uint32_t pid = 12) {
    CKPT_TRY(chain_, OpenDumpChain(sample_->path()));
    CKPT_TRY(DumpedProcess process, ReadDumpedProcess(chain_.front(), pid));
    return ProcessMemory::Open(chain_, std::move(process));
  }

  std::string ErrorOf(uint32_t pid = 12) {
    const auto memory = Open(pid);
    return memory.has_error() ? memory.error().message : "(no error)";
  }

  // "5000-6000 stored 1:4096": pieces with their layer and offset.
  static std::vector<std::string> Pieces(const ProcessMemory& memory, AddressRange range) {
    std::vector<std::string> pieces;
    const auto add = [&](const MemoryPiece& piece) -> Result<bool> {
      std::string text =
          fmt::format("{:x}-{:x} {}", piece.range.start, piece.range.end, Name(piece.origin));
      if (piece.origin == PageOrigin::kStored) {
        text += fmt::format(" {}:{}", piece.layer, piece.file_offset);
      }
      pieces.push_back(text);
      return true;
    };
    const auto walked = memory.ForEachPiece(range, add);
    if (walked.has_error()) pieces.push_back(walked.error().message);
    return pieces;
  }

  std::optional<SampleProcess> sample_;
  std::vector<DumpDirectory> chain_;
};

TEST_F(ProcessMemoryTest, TellsWhereEachPageIs) {
  const ProcessMemory memory = Open().value();
  EXPECT_THAT(Pieces(memory, {0, 0x1000000}),
              ElementsAre("0-1000 unmapped", "1000-4000 file", "4000-5000 file",
                          "5000-6000 stored 0:0", "6000-7000 stored 0:4096",
                          "7000-8000 stored 1:8192", "8000-9000 zero", "9000-a000 lazy",
                          "a000-10000 unmapped", "10000-11000 stored 0:0", "11000-13000 zero",
                          "13000-20000 unmapped", "20000-21000 stored 0:0", "21000-7ff000 unmapped",
                          "7ff000-800000 stored 0:8192", "800000-1000000 unmapped"));
}

TEST_F(ProcessMemoryTest, PiecesOfAPartBeginAndEndWithIt) {
  const ProcessMemory memory = Open().value();
  EXPECT_THAT(Pieces(memory, {0x6ffe, 0x7002}),
              ElementsAre("6ffe-7000 stored 0:8190", "7000-7002 stored 1:8192"));
  EXPECT_THAT(Pieces(memory, {0x10fff, 0x11001}),
              ElementsAre("10fff-11000 stored 0:4095", "11000-11001 zero"));
  EXPECT_THAT(Pieces(memory, {0x8123, 0x8124}), ElementsAre("8123-8124 zero"));
  EXPECT_THAT(Pieces(memory, {5, 5}), ElementsAre());
}

TEST_F(ProcessMemoryTest, TheLastAddressesAreAddressesToo) {
  const ProcessMemory memory = Open().value();
  EXPECT_THAT(Pieces(memory, {0xffffffffff600000, ~uint64_t{0}}),
              ElementsAre("ffffffffff600000-ffffffffff601000 absent",
                          "ffffffffff601000-ffffffffffffffff unmapped"));
}

TEST_F(ProcessMemoryTest, ReadsBytesAcrossPagesMappingsAndLayers) {
  const ProcessMemory memory = Open().value();
  EXPECT_EQ(memory.Read({0x5ffd, 0x6003}, 100).value(), "needle");
  EXPECT_EQ(memory.Read({0x6ffc, 0x7002}, 100).value(), "needle");
  EXPECT_EQ(memory.Read({0x10000, 0x10006}, 100).value(), "shared");
  EXPECT_EQ(memory.Read({0x10fff, 0x11003}, 100).value(), std::string(".\0\0\0", 4));
}

TEST_F(ProcessMemoryTest, WhatTheDumpDoesNotHoldIsSaidAndNotInvented) {
  const ProcessMemory memory = Open().value();
  const auto error = [&](uint64_t start, uint64_t end) {
    const auto bytes = memory.Read({start, end}, 1 << 20);
    EXPECT_EQ(bytes.has_error() ? bytes.error().code : ErrorCode::kInternal, ErrorCode::kNotFound);
    return bytes.has_error() ? bytes.error().message : "(no error)";
  };
  EXPECT_EQ(error(0x4ff0, 0x5010),
            "process 12: memory from 0x4ff0 to 0x5000 is not in the dump: it is that of a file, "
            "/usr/bin/app at offset 0x3ff0");
  EXPECT_EQ(error(0x9000, 0x9001),
            "process 12: memory from 0x9000 to 0x9001 is not in the dump: it was left with the "
            "process, to be fetched later");
  EXPECT_EQ(error(0, 1),
            "process 12: memory from 0x0 to 0x1 is not in the dump: nothing is mapped there");
  EXPECT_EQ(error(0xffffffffff600000, 0xffffffffff600001),
            "process 12: memory from 0xffffffffff600000 to 0xffffffffff600001 is not in the dump: "
            "the dump has no image of [vsyscall]");
}

TEST_F(ProcessMemoryTest, SharedMemoryWithoutItsImageIsAbsent) {
  std::filesystem::remove(sample_->dump().Path("pagemap-shmem-5.img"));
  const ProcessMemory memory = Open().value();
  EXPECT_THAT(Pieces(memory, {0x10000, 0x13000}), ElementsAre("10000-13000 absent"));
  EXPECT_EQ(memory.Read({0x10000, 0x10001}, 1).error().message,
            "process 12: memory from 0x10000 to 0x10001 is not in the dump: the dump has no image "
            "of [shared memory 5]");
}

TEST_F(ProcessMemoryTest, PagesInNoMappingAreGivenWithoutOne) {
  sample_->WriteMm({SampleVma(0x1000, 0x2000, kVmaAnonPrivate)});
  const ProcessMemory memory = Open().value();
  EXPECT_THAT(Pieces(memory, {0x1000, 0x6000}),
              ElementsAre("1000-2000 zero", "2000-5000 unmapped", "5000-6000 stored 0:0"));
}

TEST_F(ProcessMemoryTest, ThreadsZombiesAndStrangersAreNoProcesses) {
  const std::string pstree = sample_->path() + "/pstree.img: ";
  EXPECT_EQ(ErrorOf(13), pstree + "13 is a thread of process 12");
  EXPECT_EQ(ErrorOf(14),
            sample_->path() + "/core-14.img: process 14 is a zombie: it has no memory");
  EXPECT_EQ(ErrorOf(99), pstree + "no process 99, there are 2: 12, 14");
}

TEST_F(ProcessMemoryTest, MappingsThatNoAddressSpaceHasAreRefused) {
  const auto error = [&](const std::vector<pb::vma_entry>& vmas) {
    sample_->WriteMm(vmas);
    return ErrorOf();
  };
  const std::string mm = sample_->path() + "/mm-12.img: mapping ";
  const pb::vma_entry first = SampleVma(0x1000, 0x3000, kVmaAnonPrivate);
  EXPECT_EQ(error({first, SampleVma(0x2000, 0x4000, kVmaAnonPrivate)}),
            mm + "1 from 0x2000 to 0x4000 begins before 0x3000, the end of the one before");
  EXPECT_EQ(error({SampleVma(0x2000, 0x1000, kVmaAnonPrivate)}),
            mm + "0 from 0x2000 to 0x1000: not a range of whole pages");
  EXPECT_EQ(error({SampleVma(0x1000, 0x1000, kVmaAnonPrivate)}),
            mm + "0 from 0x1000 to 0x1000: not a range of whole pages");
  EXPECT_EQ(error({SampleVma(0xfffffffffffff000, 0xffffffffffffffff, kVmaAnonPrivate)}),
            mm + "0 from 0xfffffffffffff000 to 0xffffffffffffffff: not a range of whole pages");
}

TEST_F(ProcessMemoryTest, OffsetsThatLeaveASharedMemoryAreRefused) {
  sample_->WriteMm({SampleVma(0x10000, 0x12000, kVmaAnonShared, 5, 0xfffffffffffff000)});
  EXPECT_THAT(Pieces(Open().value(), {0x10000, 0x12000}),
              ElementsAre(HasSubstr("mm-12.img: mapping 0x10000-0x12000: offset "
                                    "18446744073709547520 is no multiple of 4096 that a memory "
                                    "can have")));
  sample_->WriteMm({SampleVma(0x10000, 0x12000, kVmaAnonShared, 5, 7)});
  EXPECT_THAT(Pieces(Open().value(), {0x10000, 0x12000}),
              ElementsAre(HasSubstr("offset 7 is no multiple of 4096")));
}

TEST_F(ProcessMemoryTest, HeapAndStackAreToldByTheirAddresses) {
  auto mm = SampleMm({SampleVma(0x1000, 0x2000, kVmaAnonPrivate),
                      SampleVma(0x2000, 0x4000, kVmaAnonPrivate),
                      SampleVma(0x7000, 0x8000, kVmaAnonPrivate)});
  mm.set_mm_start_brk(0x2100);
  mm.set_mm_brk(0x3100);
  mm.set_mm_start_stack(0x7fff);
  sample_->dump().Write<pb::mm_entry>(ImageType::kMm, 12, {mm});
  const ProcessMemory memory = Open().value();
  const auto name = [&](int i) {
    return NameOfMapping(memory.process().mm.vmas(i), memory.files());
  };
  EXPECT_EQ(name(0), "");
  EXPECT_EQ(name(1), "[heap]");
  EXPECT_EQ(name(2), "[stack]");
}

TEST_F(ProcessMemoryTest, AWalkEndsWhenItsVisitorSaysSo) {
  const ProcessMemory memory = Open().value();
  int visits = 0;
  ASSERT_TRUE(memory.ForEachPiece(
      kAllAddresses, [&](const MemoryPiece&) -> Result<bool> { return ++visits < 4; }));
  EXPECT_EQ(visits, 4);
}

TEST_F(ProcessMemoryTest, ReadingIsLimited) {
  const auto bytes = Open().value().Read({0x1000, 0x3000}, 0x1000);
  EXPECT_EQ(bytes.error().message, "mm-12.img: 0x1000-0x3000 is no range of at most 4096 bytes");
}

TEST_F(ProcessMemoryTest, ArgumentsAreThoseThatTheKernelWouldTell) {
  const ProcessMemory memory = Open().value();
  EXPECT_EQ(ReadArguments(memory).value(), SampleProcess::kArgumentBytes);
  EXPECT_EQ(ReadEnvironment(memory).value(), SampleProcess::kEnvironmentBytes);
  EXPECT_THAT(SplitStrings(SampleProcess::kEnvironmentBytes), ElementsAre("HOME=/root", "EMPTY="));
}

TEST_F(ProcessMemoryTest, ATitleThatWasWrittenOverTheArgumentsIsReadToItsEnd) {
  // The last byte of the arguments is no zero: they go on in the environment.
  auto mm = ReadSingleEntry<pb::mm_entry>(sample_->dump().Path("mm-12.img")).value();
  mm.set_mm_arg_end(SampleProcess::kArguments + 2);
  mm.set_mm_env_start(mm.mm_arg_end());
  sample_->dump().Write<pb::mm_entry>(ImageType::kMm, 12, {mm});
  EXPECT_EQ(ReadArguments(Open().value()).value(), "app");
}

TEST_F(ProcessMemoryTest, ArgumentsAtImpossiblePlacesAreRefused) {
  auto mm = ReadSingleEntry<pb::mm_entry>(sample_->dump().Path("mm-12.img")).value();
  mm.set_mm_arg_start(0x1000);
  mm.set_mm_arg_end(~uint64_t{0});
  sample_->dump().Write<pb::mm_entry>(ImageType::kMm, 12, {mm});
  EXPECT_EQ(ReadArguments(Open().value()).error().message,
            "mm-12.img: 0x1000-0xffffffffffffffff is no range of at most 33554432 bytes");
  mm.set_mm_arg_end(0);
  sample_->dump().Write<pb::mm_entry>(ImageType::kMm, 12, {mm});
  EXPECT_EQ(ReadArguments(Open().value()).error().message,
            "mm-12.img: 0x1000-0x0 is no range of at most 33554432 bytes");
}

TEST(SplitStrings, KeepsEmptyStringsAndOneWithoutAnEnd) {
  EXPECT_THAT(SplitStrings(std::string_view("a\0\0b", 4)), ElementsAre("a", "", "b"));
  EXPECT_THAT(SplitStrings(""), ElementsAre());
}

TEST(ParsePid, TakesNothingButPids) {
  EXPECT_EQ(ParsePid("12").value(), 12u);
  EXPECT_EQ(ParsePid("2147483647").value(), 2147483647u);
  for (const char* text : {"", "0", "-1", "12x", "2147483648", "99999999999", " 1"}) {
    EXPECT_EQ(ParsePid(text).error().message,
              fmt::format("'{}' is no pid: expected a number from 1 to 2147483647", text));
  }
}

}  // namespace
}  // namespace ckpt
