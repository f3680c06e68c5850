#include "imgtool/archive_dump.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>

#include "imgtool/place_file.h"

namespace ckpt {

namespace {

namespace fs = std::filesystem;

// What is kept in memory beside images, so that the big members alone are worth a frame each.
constexpr uint64_t kSmallMemberBytes = uint64_t{1} << 20;
constexpr uint64_t kMaxSmallBytes = uint64_t{128} << 20;
constexpr size_t kCopyBytes = size_t{1} << 20;

constexpr std::string_view kFolderPrefix = "checkpoint/";

bool IsFile(const TarMember& member) {
  return member.type == TarType::kFile || member.type == TarType::kSparseFile;
}

Result<std::string> WholeContent(const FileContent& content) {
  std::string bytes = content.bytes;
  if (!content.source.empty()) {
    CKPT_TRY(const std::string more, ReadWholeFile(content.source));
    bytes += more;
  }
  return bytes;
}

uint64_t SizeOf(const FileContent& content, const std::string& bytes) {
  return bytes.size() + content.hole_bytes;
}

Result<> WriteZeros(uint64_t count, CompressedWriter& writer) {
  const std::string zeros(static_cast<size_t>(std::min<uint64_t>(count, kCopyBytes)), '\0');
  while (count > 0) {
    const size_t step = static_cast<size_t>(std::min<uint64_t>(count, zeros.size()));
    CKPT_TRY(writer.Write(AsBytes(zeros).first(step)));
    count -= step;
  }
  return success();
}

}  // namespace

Result<ArchiveDump> ArchiveDump::Open(const std::string& path, const ArchiveLimits& limits,
                                      std::optional<DumpTransaction> transaction) {
  CKPT_TRY(UniqueFd fd, OpenFile(path, O_RDONLY));
  ArchiveDump dump(path, std::move(fd), limits);
  if (transaction) {
    dump.transaction_.emplace(std::move(*transaction));
    CKPT_TRY(dump.staging_fd_, OpenFile(dump.transaction_->staging_path(), O_WRONLY));
  }
  CKPT_TRY(dump.Scan());
  return dump;
}

Result<> ArchiveDump::Scan() {
  CKPT_TRY(ArchiveWalk walk, ArchiveWalk::Open(fd_.get(), path_, limits_));
  compression_ = walk.compression();
  if (transaction_ && compression_ == Compression::kZstd) {
    CKPT_TRY(stage_, ArchiveStage::Create(staging_fd_.get(), transaction_->staging_path()));
  }
  std::map<std::string, std::optional<std::string>> contents;
  while (true) {
    CKPT_TRY(auto member, walk.Next());
    if (!member) break;
    CKPT_TRY(ScanMember(walk, std::move(*member), contents));
  }
  CKPT_TRY(trailer_, walk.tar().ReadTrailer());
  return FindImages(std::move(contents));
}

bool ArchiveDump::IsKept(const ArchiveWalk::Member& member) const {
  if (!IsFile(member.header) || ImagePlace::HasEntries(member.path)) return true;
  const uint64_t size_bytes = member.header.size_bytes;
  return size_bytes <= kSmallMemberBytes && kept_bytes_ + size_bytes <= kMaxSmallBytes;
}

Result<> ArchiveDump::ScanMember(ArchiveWalk& walk, ArchiveWalk::Member member,
                                 std::map<std::string, std::optional<std::string>>& contents) {
  const bool is_kept = IsKept(member);
  const uint64_t size_bytes = member.header.size_bytes;
  const ArchiveItem& item =
      items_.emplace_back(ArchiveItem{std::move(member.header), std::move(member.path), is_kept});
  if (is_kept) {
    kept_bytes_ += size_bytes;
    if (kept_bytes_ > limits_.max_image_bytes) {
      return MakeError(ErrorCode::kUnsupported,
                       "{}: images of more than {} bytes (--max-images raises this)", path_,
                       limits_.max_image_bytes);
    }
    CKPT_TRY(std::string data, walk.tar().ReadAllData());
    if (IsFile(item.header)) contents[item.path] = std::move(data);
    if (stage_) {
      stage_->LeaveRoom(item.header.headers.size() + size_bytes + TarPadding(size_bytes));
    }
    return success();
  }
  contents[item.path] = std::nullopt;
  if (!stage_) return success();
  CKPT_TRY(stage_->BeginBig());
  CKPT_TRY(stage_->Write(AsBytes(item.header.headers)));
  std::vector<std::byte> buffer(kCopyBytes);
  while (true) {
    CKPT_TRY(const size_t got, walk.tar().ReadData(buffer));
    if (got == 0) break;
    CKPT_TRY(stage_->Write(Bytes(buffer).first(got)));
  }
  CKPT_TRY(const std::string padding, walk.tar().ReadPadding());
  CKPT_TRY(stage_->Write(AsBytes(padding)));
  return stage_->EndBig();
}

Result<> ArchiveDump::FindImages(std::map<std::string, std::optional<std::string>> contents) {
  ImagePlace place;
  for (const auto& [path, bytes] : contents) place.Add(path);
  CKPT_TRY(is_in_folder_, place.IsInFolder(path_));
  ImageSource::Members members;
  for (auto& [path, bytes] : contents) members[ImageName(path)] = std::move(bytes);
  ImageSource::Sizes sizes;
  for (const ArchiveItem& item : items_) {
    if (!item.is_kept) sizes[ImageName(item.path)] = item.header.size_bytes;
  }
  images_ = ImageSource::OfMembers(path_, std::move(members), std::move(sizes));
  return success();
}

std::string ArchiveDump::ImageName(const std::string& path) const {
  if (!is_in_folder_) return path;
  return path.starts_with(kFolderPrefix) ? path.substr(kFolderPrefix.size()) : "../" + path;
}

// As the other members are spelt: with "./" in front if the first one is.
std::string ArchiveDump::MemberName(const std::string& image_name) const {
  const bool has_dot = !items_.empty() && items_.front().header.name.starts_with("./");
  return fmt::format("{}{}{}", has_dot ? "./" : "", is_in_folder_ ? kFolderPrefix : "", image_name);
}

Result<std::string> ArchiveDump::HeadersOf(const ArchiveItem& item, const DumpChanges& changes,
                                           uint64_t size_bytes) const {
  const std::string old_name = ImageName(item.path);
  const std::string& new_name = changes.NameOf(old_name);
  if (new_name == old_name && size_bytes == item.header.size_bytes) return item.header.headers;
  const std::string name = new_name == old_name ? item.header.name : MemberName(new_name);
  auto headers = TarHeadersLike(item.header, name, size_bytes);
  if (headers.has_error()) return std::move(headers).error().In(path_);
  return headers;
}

// Of a kept one, whole.
Result<std::string> ArchiveDump::MemberBytes(const ArchiveItem& item,
                                             const DumpChanges& changes) const {
  if (!IsFile(item.header)) return item.header.headers;
  const std::string name = ImageName(item.path);
  const auto edited = changes.edited.find(name);
  std::string data;
  if (edited != changes.edited.end()) {
    CKPT_TRY(data, WholeContent(edited->second));
    data.resize(data.size() + static_cast<size_t>(edited->second.hole_bytes), '\0');
  } else {
    CKPT_TRY(data, images_.ReadBytes(name, SIZE_MAX));
  }
  CKPT_TRY(std::string bytes, HeadersOf(item, changes, data.size()));
  const size_t padding = TarPadding(data.size());
  bytes += data;
  bytes.resize(bytes.size() + padding, '\0');
  return bytes;
}

Result<std::string> ArchiveDump::NewMembers(const DumpChanges& changes) const {
  const auto model = std::ranges::find_if(
      items_, [](const ArchiveItem& item) { return ImagePlace::HasEntries(item.path); });
  std::string bytes;
  for (const auto& [name, content] : changes.new_files) {
    CKPT_TRY(std::string data, WholeContent(content));
    data.resize(data.size() + static_cast<size_t>(content.hole_bytes), '\0');
    CKPT_TRY(const std::string headers,
             TarHeadersLike(model->header, MemberName(name), data.size()));
    bytes += headers + data;
    bytes.resize(bytes.size() + TarPadding(data.size()), '\0');
  }
  return bytes;
}

Result<bool> ArchiveDump::FinishPrepared(const DumpChanges& changes) {
  std::string run;
  for (const ArchiveItem& item : items_) {
    if (item.is_kept) {
      CKPT_TRY(const std::string bytes, MemberBytes(item, changes));
      run += bytes;
      continue;
    }
    const std::string name = ImageName(item.path);
    if (changes.edited.contains(name) || changes.renames.contains(name)) return false;
    CKPT_TRY(const bool fits, stage_->FillRoom(run));
    if (!fits) return false;
    run.clear();
  }
  CKPT_TRY(const std::string more, NewMembers(changes));
  return stage_->FillRoom(run + more + trailer_);
}

Result<> ArchiveDump::StreamMember(ArchiveWalk& walk, const ArchiveItem& item,
                                   const DumpChanges& changes, CompressedWriter& writer) {
  const auto edited = changes.edited.find(ImageName(item.path));
  if (edited != changes.edited.end()) {
    CKPT_TRY(const std::string bytes, WholeContent(edited->second));
    const uint64_t size_bytes = SizeOf(edited->second, bytes);
    CKPT_TRY(const std::string headers, HeadersOf(item, changes, size_bytes));
    CKPT_TRY(writer.Write(AsBytes(headers)));
    CKPT_TRY(writer.Write(AsBytes(bytes)));
    return WriteZeros(edited->second.hole_bytes + TarPadding(size_bytes), writer);
  }
  CKPT_TRY(const std::string headers, HeadersOf(item, changes, item.header.size_bytes));
  CKPT_TRY(writer.Write(AsBytes(headers)));
  std::vector<std::byte> buffer(kCopyBytes);
  while (true) {
    CKPT_TRY(const size_t got, walk.tar().ReadData(buffer));
    if (got == 0) break;
    CKPT_TRY(writer.Write(Bytes(buffer).first(got)));
  }
  CKPT_TRY(const std::string padding, walk.tar().ReadPadding());
  return writer.Write(AsBytes(padding));
}

// The archive once more from its start, as it was when it was scanned: its lock, or at least its
// length and names, say so.
Result<> ArchiveDump::Stream(const DumpChanges& changes) {
  if (ftruncate(staging_fd_.get(), 0) != 0 || lseek(staging_fd_.get(), 0, SEEK_SET) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "ftruncate({}, 0)", transaction_->staging_path());
  }
  CKPT_TRY(ArchiveWalk walk, ArchiveWalk::Open(fd_.get(), path_, limits_));
  CKPT_TRY(const auto writer,
           CreateCompressed(staging_fd_.get(), transaction_->staging_path(), compression_));
  for (const ArchiveItem& item : items_) {
    CKPT_TRY(const auto member, walk.Next());
    if (!member || member->path != item.path ||
        member->header.size_bytes != item.header.size_bytes) {
      return MakeError(ErrorCode::kSystem, "{}: it was changed while it was read", path_);
    }
    CKPT_TRY(StreamMember(walk, item, changes, *writer));
  }
  CKPT_TRY(const std::string more, NewMembers(changes));
  CKPT_TRY(writer->Write(AsBytes(more)));
  CKPT_TRY(writer->Write(AsBytes(trailer_)));
  return writer->Finish();
}

Result<> ArchiveDump::FinishFile() {
  struct stat status {};
  if (fstat(fd_.get(), &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fstat({})", path_);
  }
  const std::string& name = transaction_->staging_path();
  CopyExtendedAttributes(path_, staging_fd_.get());
  CKPT_TRY(CopyAttributes(staging_fd_.get(), status, name));
  if (fsync(staging_fd_.get()) == 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "fsync({})", name);
}

Result<PlanOutcome> ArchiveDump::Stage(const DumpChanges& changes) {
  if (!transaction_) return MakeError(ErrorCode::kInternal, "{}: no place to stage in", path_);
  bool is_done = false;
  if (stage_) {
    CKPT_TRY(is_done, FinishPrepared(changes));
  }
  if (!is_done) CKPT_TRY(Stream(changes));
  CKPT_TRY(FinishFile());
  PlanOutcome outcome;
  outcome.is_archive = true;
  outcome.copied = items_.size() - changes.edited.size();
  return outcome;
}

}  // namespace ckpt
