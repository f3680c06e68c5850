#include "imgtool/storage/pack_command.h"

#include <fcntl.h>
#include <fmt/ostream.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/program_options/value_semantic.hpp>
#include <cerrno>
#include <filesystem>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/progress.h"
#include "formats/dump_directory.h"
#include "imgtool/archive_rules.h"
#include "imgtool/dump_transaction.h"
#include "imgtool/storage/archive_writer.h"

namespace ckpt {

namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

// What is to be packed, from the top down.
struct Source {
  std::string path;
  std::string member;
  struct stat status {};
  std::string link;
};

Result<struct stat> StatusOf(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0) return status;
  const int saved = errno;
  return ErrnoError(saved, "lstat(\"{}\")", path);
}

// The images are at the top, or in checkpoint/.
Result<bool> HasImagesAtTop(const std::string& directory) {
  CKPT_TRY(const DumpDirectory top, DumpDirectory::Open(directory));
  if (top.Has(ImageType::kInventory)) return true;
  const std::string inner = directory + "/" + kCheckpointFolder;
  struct stat status {};
  if (stat(inner.c_str(), &status) == 0) {
    CKPT_TRY(const DumpDirectory folder, DumpDirectory::Open(inner));
    if (folder.Has(ImageType::kInventory)) return false;
  }
  return MakeError(ErrorCode::kBadFormat, "{}: no inventory.img, neither there nor in {}/",
                   directory, kCheckpointFolder);
}

// Lists a tree and holds it to what `imgtool unpack` admits, so that nothing is packed in vain.
class SourceList {
 public:
  explicit SourceList(const std::string& archive) : rules_(archive, kNoLimits) {}

  Result<> Add(const std::string& path, const std::string& member) {
    Source source{.path = path, .member = member, .status = {}, .link = {}};
    CKPT_TRY(source.status, StatusOf(path));
    CKPT_TRY(const TarType type, TypeOf(source));
    if (type == TarType::kSymlink) {
      CKPT_TRY(source.link, ReadLink(path));
    }
    if (auto admitted = rules_.Admit(member, type, source.link); admitted.has_error()) {
      return Refuse(source, std::move(admitted).error());
    }
    if (type == TarType::kFile) total_bytes_ += static_cast<uint64_t>(source.status.st_size);
    sources_.push_back(std::move(source));
    if (type == TarType::kDirectory) return AddBelow(path, member + "/");
    return success();
  }

  Result<> AddBelow(const std::string& path, const std::string& prefix) {
    CKPT_TRY(const std::vector<std::string> names, ListDirectory(path));
    for (const std::string& name : names) CKPT_TRY(Add(path + "/" + name, prefix + name));
    return success();
  }

  const std::vector<Source>& sources() const { return sources_; }
  uint64_t total_bytes() const { return total_bytes_; }

 private:
  static constexpr ArchiveLimits kNoLimits = {};

  static Result<TarType> TypeOf(const Source& source) {
    if (S_ISREG(source.status.st_mode)) return TarType::kFile;
    if (S_ISDIR(source.status.st_mode)) return TarType::kDirectory;
    if (S_ISLNK(source.status.st_mode)) return TarType::kSymlink;
    return MakeError(ErrorCode::kUnsupported,
                     "{}: neither a file, a directory nor a symbolic link (mode {:#o})",
                     source.path, source.status.st_mode);
  }

  static Error Refuse(const Source& source, Error error) {
    const bool is_parent = fs::path(source.member).filename() == kParentLink;
    if (is_parent) error.message += "; `imgtool squash` makes a dump that needs no parent";
    return error;
  }

  ArchiveRules rules_;
  std::vector<Source> sources_;
  uint64_t total_bytes_ = 0;
};

Result<> AddTo(ArchiveWriter& writer, const Source& source) {
  if (S_ISREG(source.status.st_mode)) return writer.AddFile(source.path, source.member);
  if (S_ISDIR(source.status.st_mode)) return writer.AddDirectory(source.status, source.member);
  return writer.AddLink(source.status, source.member, source.link);
}

Result<> WriteArchive(const SourceList& list, const std::string& path) {
  CKPT_TRY(const UniqueFd fd, OpenFile(path, O_WRONLY));
  Progress progress("packing");
  const auto update = [&](uint64_t done_bytes) { progress.Update(done_bytes, list.total_bytes()); };
  CKPT_TRY(const auto writer, ArchiveWriter::Create(fd.get(), path, update));
  for (const Source& source : list.sources()) CKPT_TRY(AddTo(*writer, source));
  CKPT_TRY(writer->Finish());
  if (fsync(fd.get()) == 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "fsync({})", path);
}

Result<std::string> PlaceOfArchive(const std::string& out, const std::string& directory) {
  CKPT_TRY(std::string real_out, RealPathOfNew(out));
  struct stat status {};
  if (lstat(real_out.c_str(), &status) == 0) {
    return MakeError(ErrorCode::kUsage, "{} exists already", out);
  }
  if (real_out.starts_with(directory + "/")) {
    return MakeError(ErrorCode::kUsage, "{} lies inside the dump", out);
  }
  CKPT_TRY(RecoverDump(real_out));
  return real_out;
}

}  // namespace

void AddPackOptions(po::options_description& options) {
  options.add_options()("output,o", po::value<std::string>()->value_name("FILE"),
                        "the new archive; needed");
}

Result<int> RunPack(const Invocation& invocation) {
  if (invocation.options.count("output") == 0) {
    return MakeError(ErrorCode::kUsage, "no name for the archive given: -o FILE");
  }
  const auto out = invocation.options["output"].as<std::string>();
  CKPT_TRY(const std::string directory, RealPath(invocation.operands[0]));
  if (!fs::is_directory(directory)) {
    return MakeError(ErrorCode::kUsage, "{}: not a directory; only a dump directory can be packed",
                     invocation.operands[0]);
  }
  CKPT_TRY(const bool at_top, HasImagesAtTop(directory));
  SourceList list(out);
  CKPT_TRY(at_top ? list.Add(directory, kCheckpointFolder) : list.AddBelow(directory, ""));
  CKPT_TRY(const std::string place, PlaceOfArchive(out, directory));
  CKPT_TRY(DumpTransaction transaction, DumpTransaction::BeginFile(place));
  CKPT_TRY(WriteArchive(list, transaction.staging_path()));
  CKPT_TRY(transaction.CommitNew());
  fmt::print(invocation.streams.out, "{}: {} members, {} bytes packed\n", out,
             list.sources().size(), list.total_bytes());
  return kExitDone;
}

}  // namespace ckpt
