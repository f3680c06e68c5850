#include "formats/json_image.h"

#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "formats/byte_source.h"
#include "formats/image_writer.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/ipc.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/pipes.pb.h"
#include "formats/proto/sockets_inet.pb.h"

namespace ckpt {
namespace {

using std::string_literals::operator""s;

struct Outcome {
  std::string json;
  std::string error;
  uint64_t unknown_fields = 0;
};

// Pretty spellings in the layout of plain.
Outcome Write(ImageType type, std::string_view bytes, JsonStyle style = JsonStyle::kPlain) {
  std::ostringstream out;
  JsonText text(out, JsonStyle::kPlain);
  JsonImageWriter writer(text, style);
  const Result<> done = writer.Write("it.img", type, AsBytes(bytes));
  text.Flush();
  return {out.str(), done ? "" : done.error().message, writer.unknown_fields()};
}

struct Part {
  const google::protobuf::Message& message;
  std::string_view extra = {};
};

std::string Encode(ImageType type, const std::vector<Part>& parts) {
  ImageEncoder encoder(type);
  for (const Part& part : parts) {
    const Result<> done = encoder.Append(part.message, AsBytes(part.extra));
    EXPECT_TRUE(done) << done.error().message;
  }
  return encoder.bytes();
}

std::string Json(ImageType type, const std::vector<Part>& parts) {
  const Outcome outcome = Write(type, Encode(type, parts));
  EXPECT_EQ(outcome.error, "");
  return outcome.json;
}

pb::ipc_desc_entry Descriptor() {
  pb::ipc_desc_entry desc;
  desc.set_key(1);
  desc.set_uid(0);
  desc.set_gid(0);
  desc.set_cuid(0);
  desc.set_cgid(0);
  desc.set_mode(0);
  desc.set_id(7);
  return desc;
}

constexpr std::string_view kDescriptorJson =
    R"({"key": 1, "uid": 0, "gid": 0, "cuid": 0, "cgid": 0, "mode": 0, "id": 7})";

TEST(JsonImageWriter, WritesHeadAndEntriesInTurn) {
  pb::pagemap_head head;
  head.set_pages_id(1);
  pb::pagemap_entry entry;
  entry.set_vaddr(4096);
  entry.set_compat_nr_pages(2);
  entry.set_flags(4);
  EXPECT_EQ(Json(ImageType::kPagemap, {{head}, {entry}}),
            R"({"magic": "PAGEMAP", "entries": [{"pages_id": 1}, )"
            R"({"vaddr": 4096, "compat_nr_pages": 2, "flags": 4}]})");
}

TEST(JsonImageWriter, NamesTheMagicOfATypeThatHasNoneOfItsOwn) {
  pb::pagemap_head head;
  head.set_pages_id(1);
  EXPECT_EQ(Json(ImageType::kShmemPagemap, {{head}}),
            R"({"magic": "PAGEMAP", "entries": [{"pages_id": 1}]})");
}

TEST(JsonImageWriter, WritesAnImageWithoutEntries) {
  EXPECT_EQ(Json(ImageType::kFiles, {}), R"({"magic": "FILES", "entries": []})");
}

TEST(JsonImageWriter, WritesPayloadsAsBase64) {
  pb::pipe_data_entry data;
  data.set_pipe_id(1);
  data.set_bytes(3);
  EXPECT_EQ(
      Json(ImageType::kPipesData, {{data, "abc"}}),
      R"({"magic": "PIPES_DATA", "entries": [{"pipe_id": 1, "bytes": 3, "extra": "YWJj\n"}]})");
}

TEST(JsonImageWriter, SplitsTheQueuesOfATcpStream) {
  pb::tcp_stream_entry stream;
  stream.set_inq_len(2);
  stream.set_inq_seq(0);
  stream.set_outq_len(3);
  stream.set_outq_seq(0);
  stream.set_opt_mask(0);
  stream.set_snd_wscale(0);
  stream.set_mss_clamp(0);
  EXPECT_EQ(Json(ImageType::kTcpStream, {{stream, "abcde"}}),
            R"({"magic": "TCP_STREAM", "entries": [{"inq_len": 2, "inq_seq": 0, "outq_len": 3, )"
            R"("outq_seq": 0, "opt_mask": 0, "snd_wscale": 0, "mss_clamp": 0, )"
            R"("extra": {"inq": "YWI=\n", "outq": "Y2Rl\n"}}]})");
}

TEST(JsonImageWriter, WritesSemaphoresAsNumbersWithoutThePadding) {
  pb::ipc_sem_entry set;
  *set.mutable_desc() = Descriptor();
  set.set_nsems(3);
  EXPECT_EQ(Json(ImageType::kIpcnsSem, {{set, "\1\0\2\0\xff\xff\t\0"s}}),
            fmt::format(R"({{"magic": "IPCNS_SEM", "entries": [{{"desc": {}, "nsems": 3, )"
                        R"("extra": [1, 2, 65535]}}]}})",
                        kDescriptorJson));
}

TEST(JsonImageWriter, WritesSharedMemoryWithoutThePaddingAndNoneThatIsElsewhere) {
  pb::ipc_shm_entry here;
  *here.mutable_desc() = Descriptor();
  here.set_size(2);
  pb::ipc_shm_entry elsewhere = here;
  elsewhere.set_in_pagemaps(true);
  EXPECT_EQ(Json(ImageType::kIpcnsShm, {{elsewhere}, {here, "ab\0\0"s}}),
            fmt::format(R"({{"magic": "IPCNS_SHM", "entries": [)"
                        R"({{"desc": {0}, "size": 2, "in_pagemaps": true}}, )"
                        R"({{"desc": {0}, "size": 2, "extra": "YWI=\n"}}]}})",
                        kDescriptorJson));
}

TEST(JsonImageWriter, WritesQueuedMessagesEachWithItsText) {
  pb::ipc_msg_entry queue;
  *queue.mutable_desc() = Descriptor();
  queue.set_qbytes(9);
  queue.set_qnum(2);
  const std::string extra =
      "\x04\0\0\0\x08\x01\x10\x01x\0\0\0\0\0\0\0"s + "\x04\0\0\0\x08\x02\x10\0"s;
  EXPECT_EQ(Json(ImageType::kIpcnsMsg, {{queue, extra}}),
            fmt::format(R"({{"magic": "IPCNS_MSG", "entries": [{{"desc": {}, "qbytes": 9, )"
                        R"("qnum": 2, "extra": [{{"mtype": 1, "msize": 1}}, "eA==\n", )"
                        R"({{"mtype": 2, "msize": 0}}, ""]}}]}})",
                        kDescriptorJson));
}

TEST(JsonImageWriter, WritesGhostFilesWholeOrInChunks) {
  pb::ghost_file_entry ghost;
  ghost.set_uid(0);
  ghost.set_gid(0);
  ghost.set_mode(33188);
  EXPECT_EQ(Json(ImageType::kGhostFile, {{ghost, "text"}}),
            R"({"magic": "GHOST_FILE", "entries": [{"uid": 0, "gid": 0, "mode": 33188, )"
            R"("extra": "dGV4dA==\n"}]})");
  ghost.set_chunks(true);
  pb::ghost_chunk_entry chunk;
  chunk.set_len(1);
  chunk.set_off(4096);
  EXPECT_EQ(Json(ImageType::kGhostFile, {{ghost}, {chunk, "x"}}),
            R"({"magic": "GHOST_FILE", "entries": [{"uid": 0, "gid": 0, "mode": 33188, )"
            R"("chunks": true}, {"len": 1, "off": 4096, "extra": "eA==\n"}]})");
}

TEST(JsonImageWriter, WritesTypesThatCritCannotRead) {
  pb::binfmt_misc_entry format;
  format.set_name("qemu");
  format.set_enabled(true);
  format.set_interpreter("/usr/bin/qemu");
  EXPECT_EQ(Json(ImageType::kBinfmtMisc, {{format}}),
            R"({"magic": "BINFMT_MISC", "entries": [{"name": "qemu", "enabled": true, )"
            R"("interpreter": "/usr/bin/qemu"}]})");
}

TEST(JsonImageWriter, WritesLegacyPagesWithTheirAddresses) {
  const std::string page(4096, '\0');
  const std::string image = "\x19\x43\x56\x54\x25\x40\x08\x56"s + "\0\x10\0\0\0\0\0\0"s + page;
  const std::string start = R"({"magic": "PAGEMAP", "entries": [{"vaddr": 4096, "extra": "AAAA)";
  EXPECT_EQ(Write(ImageType::kPagesOld, image).json.substr(0, start.size()), start);
  EXPECT_NE(Write(ImageType::kPagesOld, image, JsonStyle::kPretty).json.find(R"("0x1000")"),
            std::string::npos);
}

TEST(JsonImageWriter, DescribesRawImages) {
  EXPECT_EQ(Write(ImageType::kRoute, "12345").json,
            R"({"raw": true, "type": "ROUTE", "size_bytes": 5})");
}

TEST(JsonImageWriter, WritesADamagedImageUpToTheDamageAndSaysWhatItIs) {
  pb::pipe_data_entry data;
  data.set_pipe_id(1);
  data.set_bytes(0);
  const std::string whole = Encode(ImageType::kPipesData, {{data}});
  const Outcome cut = Write(ImageType::kPipesData, whole + "\xff\0\0\0x"s);
  const std::string message =
      "it.img: entry 1 at offset 16: length 255 runs 254 bytes past the end of the file";
  EXPECT_EQ(cut.error, message);
  EXPECT_EQ(cut.json, R"({"magic": "PIPES_DATA", "entries": [{"pipe_id": 1, "bytes": 0, )"
                      R"("extra": ""}], "error": ")" +
                          message + "\"}");
}

TEST(JsonImageWriter, EndsTheLineOfAnEntryWhosePayloadEndsAsItIsRead) {
  pb::pipe_data_entry data;
  data.set_pipe_id(1);
  data.set_bytes(3);
  std::string image = Encode(ImageType::kPipesData, {{data, "abc"}});
  image.pop_back();
  std::istringstream in(image);  // its length is not known before
  StreamSource source(in, "it.img");
  std::ostringstream out;
  JsonText text(out, JsonStyle::kPlain);
  JsonImageWriter writer(text, {.lines = true});
  EXPECT_FALSE(writer.Write("it.img", ImageType::kPipesData, source));
  text.Flush();
  std::vector<std::string> lines;
  std::istringstream written(out.str());
  for (std::string line; std::getline(written, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], R"({"magic": "PIPES_DATA"})");
  EXPECT_TRUE(lines[1].ends_with("}")) << lines[1];
  EXPECT_TRUE(lines[2].starts_with(R"({"error": "it.img: entry 0 at offset 8: )")) << lines[2];
}

TEST(JsonImageWriter, SaysWhenTheHeaderIsWrong) {
  EXPECT_EQ(Write(ImageType::kFiles, "").json,
            R"({"magic": "FILES", "entries": [], )"
            R"("error": "it.img: empty file, a magic of 4 bytes expected"})");
}

TEST(JsonImageWriter, CountsUnknownFieldsOfAllEntries) {
  ImageEncoder encoder(ImageType::kPagemap);
  encoder.AppendOriginal(AsBytes("\x08\x01\xf8\x07\x05"), {});
  encoder.AppendOriginal(AsBytes("\x08\x01\x10\x01\xf8\x07\x05"), {});
  const Outcome outcome = Write(ImageType::kPagemap, encoder.bytes());
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.unknown_fields, 2u);
}

}  // namespace
}  // namespace ckpt
