// Writes inputs for fuzzers to start from: bazel run //tests/fuzz:write_seeds -- CORPUS [DUMP...]
// makes CORPUS/TARGET/seed-* of the sample images, and packs small images of whole dumps.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/compressed_stream.h"
#include "formats/dump_directory.h"
#include "formats/image_type.h"
#include "formats/image_writer.h"
#include "formats/json_image.h"
#include "formats/page_codec.h"
#include "formats/page_frames.h"
#include "formats/pagemap.h"
#include "formats/sample_image.h"
#include "imgtool/sample_archive.h"
#include "tests/fuzz/packed_dump.h"

namespace ckpt {
namespace {

constexpr size_t kMostImageBytes = 4096;

void Keep(const std::string& corpus, const std::string& target, const std::string& name,
          const std::string& bytes) {
  std::filesystem::create_directories(corpus + "/" + target);
  std::ofstream file(corpus + "/" + target + "/seed-" + name, std::ios::binary);
  file << bytes;
  CKPT_CHECK(file.flush().good());
}

void KeepImages(const std::string& corpus) {
  for (const ImageType type : TypesWithEntries()) {
    for (const HeaderVersion version : {HeaderVersion::kCurrent, HeaderVersion::kOld}) {
      const auto index = static_cast<size_t>(type);
      const char start[] = {static_cast<char>(index), static_cast<char>(index % 8)};
      const std::string name =
          std::string(GetImageType(type).name) + (version == HeaderVersion::kOld ? "-old" : "");
      Keep(corpus, "image", name, std::string(start, 2) + SampleImage(type, version));
    }
  }
}

// Both ways: an image that is decoded, and a text that is encoded.
void KeepJson(const std::string& corpus) {
  for (const ImageType type : TypesWithEntries()) {
    const auto index = static_cast<size_t>(type);
    const std::string image = SampleImage(type);
    const std::string name(GetImageType(type).name);
    const char start[] = {static_cast<char>(index % 8 * 2 + 1), static_cast<char>(index)};
    Keep(corpus, "json", name + "-image", std::string(start, 2) + image);
    std::ostringstream out;
    JsonText text(out, JsonStyle::kPlain);
    JsonImageWriter writer(text, JsonStyle::kPlain);
    CKPT_CHECK(writer.Write(name, type, AsBytes(image)).has_value());
    text.Flush();
    Keep(corpus, "json", name + "-text", std::string(1, '\0') + out.str());
  }
}

std::string PagemapImage(const std::vector<pb::pagemap_entry>& entries) {
  ImageEncoder image(ImageType::kPagemap);
  pb::pagemap_head head;
  head.set_pages_id(1);
  CKPT_CHECK(image.Append(head).has_value());
  for (const auto& entry : entries) CKPT_CHECK(image.Append(entry).has_value());
  return image.TakeBytes();
}

std::string CompressedPages(size_t page_count) {
  PageCompressor compressor(kDefaultPageLevel);
  const std::string pages(page_count * kPageBytes, 'p');
  const std::string frame(AsText(compressor.Compress(AsBytes(pages)).value()));
  PageFrame row;
  row.compressed_bytes = static_cast<uint32_t>(frame.size());
  row.size_bytes = static_cast<uint32_t>(pages.size());
  return frame + EncodeSeekTable(std::vector{row});
}

void KeepPagemaps(const std::string& corpus) {
  const std::string own = PagemapImage({MakePagemapEntry(0x10000, 2, kPagesPresent),
                                        MakePagemapEntry(0x20000, 1, kPagesInParent),
                                        MakePagemapEntry(0x30000, 1, kPagesLazy)});
  const std::string older = PagemapImage({MakePagemapEntry(0x20000, 3, kPagesPresent)});
  for (const char which : {'\0', '\1', '\2', '\3'}) {
    const char start[] = {
        static_cast<char>(own.size()), 0, static_cast<char>(older.size()), 0, 3, which};
    Keep(corpus, "pagemap", std::string(1, static_cast<char>('0' + which)),
         std::string(start, sizeof(start)) + own + older + CompressedPages(3));
  }
}

void KeepArchives(const std::string& corpus, const FuzzFiles& files) {
  FuzzFiles members = {{"checkpoint/", ""}, {"config.dump", "{}"}};
  for (const auto& [name, bytes] : files) members.emplace_back("checkpoint/" + name, bytes);
  const std::string path = corpus + "/archive.tmp";
  for (const Compression compression : {Compression::kNone, Compression::kGzip, Compression::kBzip2,
                                        Compression::kXz, Compression::kZstd}) {
    WriteCompressed(path, SampleTar(members), compression);
    Keep(corpus, "archive", std::to_string(static_cast<int>(compression)),
         ReadWholeFile(path).value());
  }
  std::filesystem::remove(path);
}

FuzzFiles SmallImages(const std::string& path) {
  FuzzFiles files;
  const DumpDirectory dump = DumpDirectory::Open(path).value();
  for (const DumpImage& image : dump.images()) {
    const bool is_raw = GetImageType(image.image.type).framing == ImageFraming::kRaw;
    std::string bytes = ReadWholeFile(path + "/" + image.file_name).value();
    if (is_raw || bytes.size() > kMostImageBytes || image.image.id > 255) continue;
    files.emplace_back(image.file_name, std::move(bytes));
  }
  return files;
}

int Main(int argc, char** argv) {
  if (argc < 2) {
    fputs("usage: write_seeds CORPUS [DUMP...]\n", stderr);
    return 2;
  }
  const std::string corpus = argv[1];
  KeepImages(corpus);
  KeepPagemaps(corpus);
  KeepJson(corpus);
  FuzzFiles samples;
  for (const ImageType type : TypesWithEntries()) {
    samples.emplace_back(ImageFileName(type, 1), SampleImage(type));
  }
  Keep(corpus, "check", "samples", PackFuzzInput(samples, "p"));
  KeepArchives(corpus, {samples.begin(), samples.begin() + 3});
  for (int i = 2; i < argc; ++i) {
    const FuzzFiles files = SmallImages(argv[i]);
    Keep(corpus, "check", "dump" + std::to_string(i), PackFuzzInput(files, ""));
    Keep(corpus, "rewrite", "dump" + std::to_string(i), PackFuzzInput(files, "/a=/b\n/work=/w\nO"));
  }
  return 0;
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) { return ckpt::Main(argc, argv); }
