#include <gmock/gmock.h>
#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "imgtool/directory_fixture.h"
#include "imgtool/memory/sample_process.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class MemCommandTest : public DirectoryFixture {
 protected:
  void SetUp() override {
    DirectoryFixture::SetUp();
    sample_.emplace(directory_);
  }

  ToolRun Mem(std::vector<std::string> args) {
    args.insert(args.begin(), {"mem", sample_->path(), "12"});
    return RunTool(args);
  }

  std::string Out(const std::vector<std::string>& args) {
    const ToolRun run = Mem(args);
    EXPECT_EQ(run.code, 0) << run.err;
    return run.out;
  }

  void ExpectFailure(const std::vector<std::string>& args, int code, const std::string& message) {
    const ToolRun run = Mem(args);
    EXPECT_EQ(run.code, code);
    EXPECT_EQ(run.err, "imgtool mem: " + message + "\n");
    EXPECT_EQ(run.out, "");
  }

  std::optional<SampleProcess> sample_;
};

TEST_F(MemCommandTest, MapTellsWhereEachPageIs) {
  const std::string here = sample_->path() + "/";
  const std::string expected =
      "000000001000-000000004000 r-xp 00000000 /usr/bin/app\n"
      "  000000001000-000000004000        3 file\n"
      "000000004000-000000006000 rw-p 00003000 /usr/bin/app\n"
      "  000000004000-000000005000        1 file\n"
      "  000000005000-000000006000        1 stored " +
      here +
      "pages-1.img at 0\n"
      "000000006000-00000000a000 rw-p 00000000 [heap]\n"
      "  000000006000-000000007000        1 stored " +
      here +
      "pages-1.img at 4096\n"
      "  000000007000-000000008000        1 stored " +
      here +
      "../1/pages-1.img at 8192\n"
      "  000000008000-000000009000        1 zero\n"
      "  000000009000-00000000a000        1 lazy\n"
      "000000010000-000000013000 rw-s 00001000 [shared memory 5]\n"
      "  000000010000-000000011000        1 stored " +
      here +
      "pages-2.img at 0\n"
      "  000000011000-000000013000        2 zero\n"
      "000000020000-000000021000 rw-s 00000000 /memfd:notes\n"
      "  000000020000-000000021000        1 stored " +
      here +
      "pages-3.img at 0\n"
      "0000007ff000-000000800000 rw-p 00000000 [stack]\n"
      "  0000007ff000-000000800000        1 stored " +
      here +
      "pages-1.img at 8192\n"
      "ffffffffff600000-ffffffffff601000 --xp 00000000 [vsyscall]\n"
      "  ffffffffff600000-ffffffffff601000        1 absent\n"
      "pages: 6 stored 3 zero 1 lazy 4 file 1 absent\n";
  EXPECT_EQ(Out({"map"}), expected);
  EXPECT_EQ(Out({}), expected);
}

TEST_F(MemCommandTest, MapAsJsonSaysTheSame) {
  EXPECT_EQ(Out({"map", "--json", "--range", "7000-9000"}),
            R"({
    "pid": 12,
    "mappings": [
        {
            "start": "0x6000",
            "end": "0xa000",
            "permissions": "rw-p",
            "offset": 0,
            "name": "[heap]",
            "pages": [
                {
                    "start": "0x7000",
                    "end": "0x8000",
                    "page_count": 1,
                    "origin": "stored",
                    "layer": 1,
                    "image": ")" +
                sample_->path() + R"(/../1/pages-1.img",
                    "image_offset": 8192
                },
                {
                    "start": "0x8000",
                    "end": "0x9000",
                    "page_count": 1,
                    "origin": "zero"
                }
            ]
        }
    ],
    "page_counts": {
        "stored": 1,
        "zero": 1,
        "lazy": 0,
        "file": 0,
        "absent": 0
    }
}
)");
}

TEST_F(MemCommandTest, DumpWritesTheBytesOfARange) {
  EXPECT_EQ(Out({"dump", "--range", "5ffd-6003"}), "needle");
  EXPECT_EQ(Out({"dump", "--range", "0x7ffe+4"}), std::string("..\0\0", 4));
  const std::string file = directory_ + "/memory";
  EXPECT_EQ(Out({"dump", "--range", "5ffd-9000", "-o", file}), "");
  const std::string bytes = ReadWholeFile(file).value();
  EXPECT_EQ(bytes.size(), 0x3003u);
  EXPECT_EQ(bytes, Out({"dump", "--range", "5ffd-9000"}));
  struct stat status {};
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST_F(MemCommandTest, DumpRefusesWhatTheDumpDoesNotHold) {
  const std::string file = directory_ + "/memory";
  ExpectFailure({"dump", "--range", "3000-6000", "-o", file}, 3,
                "process 12: memory from 0x3000 to 0x4000 is not in the dump: it is that of a "
                "file, /usr/bin/app at offset 0x2000");
  EXPECT_FALSE(std::filesystem::exists(file));
  ExpectFailure({"dump", "--range", "8000-a000"}, 3,
                "process 12: memory from 0x9000 to 0xa000 is not in the dump: it was left with the "
                "process, to be fetched later");
}

TEST_F(MemCommandTest, DumpFillsInZerosWhenToldToAndSaysWhere) {
  const ToolRun run = Mem({"dump", "--range", "4ffe-5004", "--fill"});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out, std::string("\0\0data", 6));
  EXPECT_EQ(run.err,
            "imgtool mem: process 12: memory from 0x4ffe to 0x5000 is not in the dump: it is that "
            "of a file, /usr/bin/app at offset 0x3ffe, zeros are written\n");
}

TEST_F(MemCommandTest, HexdumpShowsBytesAndGaps) {
  EXPECT_EQ(Out({"hexdump", "--range", "4ff0-5010"}),
            "# 000000004ff0-000000005000 is not in the dump: it is that of a file, /usr/bin/app at "
            "offset 0x3ff0\n"
            "000000005000  64 61 74 61 2e 2e 2e 2e  2e 2e 2e 2e 2e 2e 2e 2e  |data............|\n"
            "000000005010\n");
  EXPECT_THAT(Out({"hexdump"}),
              AllOf(HasSubstr("\n000000010000  73 68 61 72 65 64"), Not(HasSubstr("nothing is"))));
}

TEST_F(MemCommandTest, SearchPrintsAddressMappingAndContext) {
  EXPECT_EQ(Out({"search", "needle"}),
            "000000005ffd rw-p /usr/bin/app ................needle" + std::string(48, '.') + "\n" +
                "000000006ffc rw-p [heap] ................needle in parent" + std::string(38, '.') +
                "\n");
  EXPECT_EQ(Out({"search", "--regex", "sh[a-z]+d", "--range", "10000-20000"}),
            "000000010000 rw-s [shared memory 5] shared" + std::string(48, '.') + "\n");
  EXPECT_EQ(Out({"search", "nowhere"}), "");
}

TEST_F(MemCommandTest, SearchAsJsonIsAnArray) {
  EXPECT_EQ(Out({"search", "--json", "nowhere"}), "[]\n");
  EXPECT_EQ(Out({"search", "--json", "HOME=/root"}),
            R"([
    {
        "address": "0x7ff812",
        "size_bytes": 10,
        "mapping": {
            "start": "0x7ff000",
            "end": "0x800000",
            "permissions": "rw-p",
            "name": "[stack]"
        },
        "before": "..............................app\u0000--name\u0000J\u00f6rg\n\u0000",
        "match": "HOME=/root",
        "after": "\u0000EMPTY=\u0000........................................"
    }
]
)");
}

TEST_F(MemCommandTest, ArgumentsAreALineAndTheEnvironmentOneLineEach) {
  EXPECT_EQ(Out({"args"}), "app --name J\\303\\266rg\\012\n");
  EXPECT_EQ(Out({"env"}), "HOME=/root\nEMPTY=\n");
  EXPECT_EQ(Out({"args", "--null"}), SampleProcess::kArgumentBytes);
  EXPECT_EQ(Out({"env", "--null"}), SampleProcess::kEnvironmentBytes);
  EXPECT_EQ(Out({"args", "--json"}),
            "[\n    \"app\",\n    \"--name\",\n    \"J\\u00f6rg\\n\"\n]\n");
}

TEST_F(MemCommandTest, RefusesCommandLinesThatMeanNothing) {
  ExpectFailure({"look"}, 2, "'look': expected map, dump, hexdump, search, args or env");
  ExpectFailure({"search"}, 2, "search: no TEXT given");
  ExpectFailure({"dump"}, 2, "dump: no --range given");
  ExpectFailure({"map", "x"}, 2, "map: one operand too many: 'x'");
  ExpectFailure({"map", "--regex"}, 2, "map: --regex is not for it");
  ExpectFailure({"args", "--range", "1-2"}, 2, "args: --range is not for it");
  ExpectFailure({"map", "--range", "1"}, 2,
                "'1' is no range of addresses: expected START-END or START+BYTES, hexadecimal");
  ExpectFailure({"search", "--regex", "("}, 2, "'(' is no regular expression: missing ): (");
}

TEST_F(MemCommandTest, RefusesWhatIsNoProcess) {
  const std::string& dump = sample_->path();
  const auto error = [&](const std::string& pid) { return RunTool({"mem", dump, pid}); };
  EXPECT_EQ(error("14").code, 3);
  EXPECT_EQ(error("14").err,
            "imgtool mem: " + dump + "/core-14.img: process 14 is a zombie: it has no memory\n");
  EXPECT_EQ(error("13").err,
            "imgtool mem: " + dump + "/pstree.img: 13 is a thread of process 12\n");
  EXPECT_EQ(error("x").code, 2);
  EXPECT_EQ(RunTool({"mem", directory_ + "/none", "12"}).code, 3);
}

// Whatever bytes the images are: an answer or an error, and it ends.
TEST_F(MemCommandTest, DamagedImagesAreNeverMoreThanAnError) {
  for (const std::string name : {"pstree.img", "core-12.img", "mm-12.img", "pagemap-12.img",
                                 "pagemap-shmem-5.img", "files.img", "memfd.img"}) {
    const std::string path = sample_->dump().Path(name);
    const std::string bytes = ReadWholeFile(path).value();
    const auto try_bytes = [&](const std::string& damaged, const std::string& how) {
      sample_->Overwrite(name, damaged);
      for (const char* verb : {"map", "args"}) {
        const int code = Mem({verb}).code;
        EXPECT_TRUE(code == 0 || code == 3 || code == 4 || code == 5) << name << how << code;
      }
    };
    for (size_t size = 0; size<bytes.size(); size += bytes.size()> 400 ? 7 : 1) {
      try_bytes(bytes.substr(0, size), fmt::format(" cut at {}: ", size));
    }
    for (size_t bit = 0; bit<8 * bytes.size(); bit += bytes.size()> 400 ? 29 : 3) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      try_bytes(flipped, fmt::format(" bit {}: ", bit));
    }
    sample_->Overwrite(name, bytes);
  }
}

}  // namespace
}  // namespace ckpt
