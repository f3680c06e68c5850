// Prints what rewriting costs where it should cost little: in place in a directory with many images
// and much memory, and of a zstd archive beside what copying it through zstd takes. The programs
// take turns; the inputs are made here and removed.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/file.h"
#include "imgtool/sample_archive.h"
#include "imgtool/sample_dump.h"
#include "tests/bench/command_cost.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

constexpr size_t kImages = 10000;
constexpr size_t kFilesPerDump = 10000;
constexpr off_t kPagesBytes = off_t{8} << 30;
constexpr size_t kArchiveBytes = size_t{2} << 30;
constexpr int kRepetitions = 3;

void MakeDirectory(const std::string& path) {
  SampleDump dump(path);
  std::vector<pb::reg_file_entry> files;
  for (uint32_t id = 1; id <= kFilesPerDump; ++id) {
    files.push_back(SampleRegFile(id, fmt::format("/srv/app/lib/file-{}.so", id)));
  }
  dump.WriteFiles(files);
  for (uint32_t i = 0; i < kImages / 2; ++i) {
    // Without a sync each: there are many.
    const std::string fs_image = ImageFileName(ImageType::kFs, i);
    ImageEncoder fs_entry(ImageType::kFs);
    CKPT_CHECK(fs_entry.Append(SampleFs(1, 2)).has_value());
    ImageEncoder ids_entry(ImageType::kIds);
    CKPT_CHECK(ids_entry.Append(SampleIds(i, 7)).has_value());
    for (const auto& [name, image] : {std::pair(fs_image, &fs_entry),
                                      std::pair(ImageFileName(ImageType::kIds, i), &ids_entry)}) {
      const UniqueFd fd = OpenFile(dump.Path(name), O_WRONLY | O_CREAT, 0644).value();
      CKPT_CHECK(WriteAll(fd.get(), AsBytes(image->bytes()), name).has_value());
    }
  }
  dump.WriteFile("pages-1.img", "");
  CKPT_CHECK(truncate(dump.Path("pages-1.img").c_str(), kPagesBytes) == 0);
}

// Memory as it is: a part zeros, a part text, a part that cannot be compressed.
std::string MakePages(size_t size_bytes) {
  std::string pages(size_bytes, '\0');
  std::mt19937_64 random(7);
  for (size_t page = 0; page + 4096 <= size_bytes; page += 4096) {
    const unsigned kind = random() % 4;
    for (size_t at = page; kind > 0 && at < page + 4096; at += sizeof(uint64_t)) {
      const uint64_t word = kind == 1 ? random() : random() % 1000 * 0x0101010101;
      std::copy_n(reinterpret_cast<const char*>(&word), sizeof word, &pages[at]);
    }
  }
  return pages;
}

void MakeArchive(const std::string& path, const std::string& work) {
  SampleDump dump(work + "/images");
  dump.WriteFiles({SampleRegFile(1, "/srv/app/x")});
  const UniqueFd fd = OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, 0644).value();
  const auto writer = CreateCompressed(fd.get(), path, Compression::kZstd).value();
  const auto write = [&](const std::string& bytes) {
    CKPT_CHECK(writer->Write(AsBytes(bytes)).has_value());
  };
  write(SampleTarMember("checkpoint/files.img", ReadWholeFile(dump.Path("files.img")).value()));
  const std::string pages = MakePages(kArchiveBytes / 4);
  for (int i = 0; i < 4; ++i)
    write(SampleTarMember(fmt::format("checkpoint/pages-{}.img", i), pages));
  write(SampleTar({}));
  CKPT_CHECK(writer->Finish().has_value());
}

void Print(const char* what, const CommandCost& cost) {
  fmt::print("{:<64} {:>8.3f} s {:>8.1f} MB\n", what, cost.seconds, cost.memory_mb);
  std::fflush(stdout);
}

void MeasureDirectory(const std::string& imgtool, const std::string& work) {
  MakeDirectory(work + "/dump");
  sync();
  std::vector<CommandCost> costs;
  for (int i = 0; i < kRepetitions; ++i) {
    const std::string from = i % 2 == 0 ? "/srv" : "/opt";
    const std::string to = i % 2 == 0 ? "/opt" : "/srv";
    costs.push_back(
        RunForCost({imgtool, "rewrite", work + "/dump", "--in-place", "--path", from + "=" + to}));
    // Else the next change removes the state that this one keeps.
    RunForCost({imgtool, "undo", "--forget", work + "/dump"});
    sync();
  }
  Print("rewrite --in-place, 10,000 images, 10,000 files, 8 GB of pages", MedianCost(costs));
  fmt::print("{:<64} {:>8.3f} s {:>8.1f} MB\n", "  aim", 0.3, 64.0);
}

void MeasureArchive(const std::string& imgtool, const std::string& work) {
  const std::string archive = work + "/dump.tar.zst";
  MakeArchive(archive, work);
  sync();
  std::vector<CommandCost> ours;
  std::vector<CommandCost> theirs;
  for (int i = 0; i < kRepetitions; ++i) {
    const std::string out = work + "/out";
    theirs.push_back(
        RunForCost({"sh", "-c", fmt::format("zstd -qdc {} | zstd -q -T0 -3 > {}", archive, out)}));
    fs::remove(out);
    sync();
    ours.push_back(RunForCost({imgtool, "rewrite", archive, "-o", out, "--path", "/srv=/opt"}));
    fs::remove(out);
    sync();
  }
  Print("rewrite -o of a zstd archive, 2 GB unpacked", MedianCost(ours));
  Print("zstd -dc | zstd -T0 -3 of the same (without a sync)", MedianCost(theirs));
}

int Main() {
  const std::string imgtool = RunfilePath("imgtool/imgtool");
  const auto work = MakeTestDirectory("rewrite_bench");
  CKPT_CHECK(work.has_value());
  MeasureDirectory(imgtool, work.value());
  MeasureArchive(imgtool, work.value());
  fs::remove_all(work.value());
  return 0;
}

}  // namespace
}  // namespace ckpt

int main() { return ckpt::Main(); }
