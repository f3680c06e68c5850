// Prints what imgtool and crit take for the same work over the same files: seconds, peak memory,
// and how many times faster imgtool is. Inputs are made here and removed. Files are in the
// temporary directory; but images that encode makes are in memory (/dev/shm), for imgtool syncs
// them, and crit does not. The arguments
// are parts of the names of rows to be measured; without any, all are.
#include <fcntl.h>
#include <fmt/format.h>
#include <google/protobuf/message.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/image_message.h"
#include "formats/image_type.h"
#include "formats/image_writer.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/task.pb.h"
#include "tests/bench/command_cost.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr uint32_t kPagemapEntries = 1000000;
constexpr uint32_t kFiles = 100000;
constexpr size_t kGhostBytes = size_t{256} << 20;
constexpr uint32_t kTasks = 1000;
// crit takes many minutes for all of them: it is given these, and its time multiplied.
constexpr uint32_t kTasksForCrit = 20;
constexpr int kRepetitions = 5;

// Every field of a message that a crit of the distribution can show, with small values.
void Fill(Message& message, int depth) {
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (field->is_repeated() || (!field->is_required() && depth > 2)) continue;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        Fill(*reflection.MutableMessage(&message, field), depth + 1);
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        reflection.SetString(&message, field, "text");
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection.SetUInt32(&message, field, 3);
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection.SetUInt64(&message, field, uint64_t{0x7f} << 40);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection.SetInt32(&message, field, -1);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection.SetInt64(&message, field, -1);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection.SetEnum(&message, field, field->enum_type()->value(0));
        break;
      default:
        break;
    }
  }
}

void Save(const std::string& path, const ImageEncoder& image) {
  const UniqueFd fd = OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, 0644).value();
  CKPT_CHECK(WriteAll(fd.get(), AsBytes(image.bytes()), path).has_value());
}

void Append(ImageEncoder& image, const Message& message, Bytes extra = {}) {
  CKPT_CHECK(image.Append(message, extra).has_value());
}

// Runs of two pages with gaps.
void MakePagemap(const std::string& path, uint32_t entries) {
  ImageEncoder image(ImageType::kPagemap);
  pb::pagemap_head head;
  head.set_pages_id(1);
  Append(image, head);
  pb::pagemap_entry entry;
  for (uint64_t i = 0; i < entries; ++i) {
    entry.set_vaddr((uint64_t{0x7f} << 40) + (i << 14));
    entry.set_compat_nr_pages(2);
    entry.set_flags(4);
    Append(image, entry);
  }
  Save(path, image);
}

void MakeFiles(const std::string& path) {
  ImageEncoder image(ImageType::kFiles);
  pb::file_entry entry;
  entry.set_type(pb::REG);
  for (uint32_t i = 1; i <= kFiles; ++i) {
    entry.set_id(i);
    pb::reg_file_entry& file = *entry.mutable_reg();
    file.set_id(i);
    file.set_flags(0100002);
    file.set_pos(uint64_t{i} * 100);
    pb::fown_entry& owner = *file.mutable_fown();
    owner.set_uid(0);
    owner.set_euid(0);
    owner.set_signum(0);
    owner.set_pid_type(0);
    owner.set_pid(0);
    file.set_name(fmt::format("/srv/application/data/segment-{}/file-{}.bin", i % 100, i));
    file.set_mnt_id(21);
    file.set_size(uint64_t{i} * 4096);
    file.set_mode(0100644);
    Append(image, entry);
  }
  Save(path, image);
}

void MakeGhost(const std::string& path) {
  std::string content(kGhostBytes, '\0');
  uint64_t state = 7;
  for (char& c : content) c = static_cast<char>((state = state * 6364136223846793005u + 1) >> 56);
  ImageEncoder image(ImageType::kGhostFile);
  pb::ghost_file_entry ghost;
  ghost.set_uid(0);
  ghost.set_gid(0);
  ghost.set_mode(0100644);
  Append(image, ghost, AsBytes(content));
  Save(path, image);
}

// What CRIU writes for a task: five images.
void MakeTask(const std::string& directory, uint32_t pid) {
  const auto path = [&](ImageType type) { return directory + "/" + ImageFileName(type, pid); };
  for (const ImageType type : {ImageType::kCore, ImageType::kFs, ImageType::kIds}) {
    pb::core_entry core;
    pb::fs_entry fs_entry;
    pb::task_kobj_ids_entry ids;
    Message& message = type == ImageType::kCore ? static_cast<Message&>(core)
                       : type == ImageType::kFs ? static_cast<Message&>(fs_entry)
                                                : static_cast<Message&>(ids);
    Fill(message, 0);
    ImageEncoder image(type);
    Append(image, message);
    Save(path(type), image);
  }
  pb::mm_entry mm;
  Fill(mm, 0);
  for (int i = 0; i < 60; ++i) Fill(*mm.add_vmas(), 0);
  for (int i = 0; i < 40; ++i) mm.add_mm_saved_auxv(uint64_t{0x7f} << 40);
  ImageEncoder image(ImageType::kMm);
  Append(image, mm);
  Save(path(ImageType::kMm), image);
  MakePagemap(path(ImageType::kPagemap), 50);
}

// The rows of the table.
class Bench {
 public:
  Bench(std::string work, std::string memory, std::vector<std::string> wanted)
      : work_(std::move(work)), memory_(std::move(memory)), wanted_(std::move(wanted)) {}

  void MeasureAll() {
    fmt::print("{:<40} {:>10} {:>10} {:>8} {:>9} {:>9} {:>8}\n", "work", "imgtool", "crit", "ratio",
               "imgtool", "crit", "aim");
    Conversions("pagemap of 1,000,000 entries", "pagemap-1.img", 150, 300,
                [](const std::string& path) { MakePagemap(path, kPagemapEntries); });
    Conversions("files.img of 100,000 entries", "files.img", 150, 0, MakeFiles);
    Conversions("ghost file of 256 MiB", "ghost-file-1.img", 20, 0, MakeGhost);
    ShowDump();
  }

 private:
  bool Wanted(const std::string& name) const {
    const auto in_name = [&](const std::string& part) { return name.find(part) != name.npos; };
    return wanted_.empty() || std::ranges::any_of(wanted_, in_name);
  }

  std::string Path(const std::string& name) const { return work_ + "/" + name; }

  CommandCost Imgtool(const std::vector<std::string>& arguments, const std::string& output) {
    std::vector<std::string> all = {imgtool_};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::vector<CommandCost> costs;
    for (int i = 0; i < kRepetitions; ++i) costs.push_back(RunForCost(all, output));
    return MedianCost(costs);
  }

  void Print(const std::string& name, const CommandCost& ours, const CommandCost& theirs,
             double aim) {
    fmt::print("{:<40} {:>8.3f} s {:>8.2f} s {:>7.0f}x {:>6.1f} MB {:>6.0f} MB", name, ours.seconds,
               theirs.seconds, theirs.seconds / ours.seconds, ours.memory_mb, theirs.memory_mb);
    fmt::print(" {:>7.0f}x\n{:<40} {:>8.3f} s {:>8.2f} s\n", aim, "  processor time",
               ours.processor_seconds, theirs.processor_seconds);
    std::fflush(stdout);
  }

  // `pretty_aim` is 0 where pretty is not measured.
  template <typename Make>
  void Conversions(const std::string& what, const std::string& image_name, double aim,
                   double pretty_aim, Make make) {
    const std::string decode = "decode, " + what;
    const std::string pretty = "decode --pretty, " + what;
    const std::string encode = "encode, " + what;
    if (!Wanted(decode) && !Wanted(pretty) && !Wanted(encode)) return;
    const std::string image = Path(image_name);
    make(image);
    double both_ours = 0;
    double both_theirs = 0;
    if (Wanted(decode)) {
      const CommandCost theirs = RunForCost({"crit", "decode", "-i", image}, Path("theirs"));
      const CommandCost ours = Imgtool({"decode", image}, Path("ours"));
      Print(decode, ours, theirs, aim);
      both_ours += ours.seconds;
      both_theirs += theirs.seconds;
    }
    if (pretty_aim > 0 && Wanted(pretty)) {
      const CommandCost theirs =
          RunForCost({"crit", "decode", "-i", image, "--pretty"}, Path("theirs"));
      Print(pretty, Imgtool({"decode", image, "--pretty"}, Path("ours")), theirs, pretty_aim);
    }
    if (Wanted(encode)) {
      RunForCost({"crit", "decode", "-i", image}, Path("json"));
      const CommandCost theirs = RunForCost(
          {"crit", "encode", "-i", Path("json"), "-o", memory_ + "/theirs"}, Path("nothing"));
      fs::remove(memory_ + "/theirs");
      // Each its own spelling: the distribution's crit has an old name for a field of pagemaps.
      RunForCost({imgtool_, "decode", image}, Path("json"));
      const std::string made = memory_ + "/ours";
      const CommandCost ours = Imgtool({"encode", Path("json"), "-o", made}, made);
      fs::remove(made);
      Print(encode, ours, theirs, aim);
      both_ours += ours.seconds;
      both_theirs += theirs.seconds;
    }
    if (Wanted(decode) && Wanted(encode)) {
      fmt::print("{:<40} {:>8.3f} s {:>8.2f} s {:>7.0f}x\n", "  decode and encode", both_ours,
                 both_theirs, both_theirs / both_ours);
    }
    for (const fs::directory_entry& file : fs::directory_iterator(work_)) fs::remove(file);
  }

  void ShowDump() {
    const std::string name = "show, dump of 1,000 tasks";
    if (!Wanted(name)) return;
    const std::string dump = Path("dump");
    fs::create_directory(dump);
    for (uint32_t pid = 1; pid <= kTasks; ++pid) MakeTask(dump, pid);
    const std::string some = Path("some");
    fs::create_directory(some);
    for (uint32_t pid = 1; pid <= kTasksForCrit; ++pid) MakeTask(some, pid);
    CommandCost theirs =
        RunForCost({"sh", "-c", fmt::format("for i in {}/*; do crit decode -i $i; done", some)},
                   Path("theirs"));
    theirs.seconds *= kTasks / kTasksForCrit;
    theirs.processor_seconds *= kTasks / kTasksForCrit;
    const CommandCost ours = Imgtool({"show", dump}, Path("ours"));
    Print(name, ours, theirs, 200);
    fmt::print(
        "  crit over the images of {} tasks, times {}; imgtool kept {:.2f} processors busy\n",
        kTasksForCrit, kTasks / kTasksForCrit, ours.processor_seconds / ours.seconds);
  }

  std::string work_;
  std::string memory_;
  std::vector<std::string> wanted_;
  std::string imgtool_ = RunfilePath("imgtool/imgtool");
};

int Main(const std::vector<std::string>& wanted) {
  const std::string name = fmt::format("imgtool-bench-{}", getpid());
  const std::string work = fs::temp_directory_path() / name;
  const std::string memory = "/dev/shm/" + name;
  fs::create_directory(work);
  fs::create_directory(memory);
  Bench(work, memory, wanted).MeasureAll();
  fs::remove_all(work);
  fs::remove_all(memory);
  return 0;
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) { return ckpt::Main({argv + 1, argv + argc}); }
