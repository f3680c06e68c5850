// A dump in an archive: its images, read into memory, and the way from changes to a new archive.
#ifndef IMGTOOL_ARCHIVE_DUMP_H_
#define IMGTOOL_ARCHIVE_DUMP_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "imgtool/archive_rules.h"
#include "imgtool/archive_stage.h"
#include "imgtool/archive_walk.h"
#include "imgtool/dump_changes.h"
#include "imgtool/dump_transaction.h"
#include "imgtool/image_source.h"
#include "imgtool/plan_report.h"

namespace ckpt {

class ArchiveDump {
 public:
  // Reads the whole archive once. Images are those at the top, or those in checkpoint/; what is
  // beside that folder has a name with "../" in front, "../spec.dump". With a transaction, which
  // must be of a file, the members that are too big to be kept in memory are compressed into its
  // staging place in passing. kBadFormat where there is no image.
  static Result<ArchiveDump> Open(const std::string& path, const ArchiveLimits& limits,
                                  std::optional<DumpTransaction> transaction);

  const ImageSource& images() const { return images_; }

  // Builds the changed archive in the staging place of the transaction and syncs it. Members keep
  // their order; those without changes keep their bytes; new files come last. Owner, mode, times
  // and extended attributes are those of the archive. kInternal without a transaction.
  Result<PlanOutcome> Stage(const DumpChanges& changes);
  DumpTransaction& transaction() { return *transaction_; }

 private:
  ArchiveDump(std::string path, UniqueFd fd, const ArchiveLimits& limits)
      : path_(std::move(path)), fd_(std::move(fd)), limits_(limits) {}

  Result<> Scan();
  Result<> ScanMember(ArchiveWalk& walk, ArchiveWalk::Member member,
                      std::map<std::string, std::optional<std::string>>& contents);
  Result<> FindImages(std::map<std::string, std::optional<std::string>> contents);
  bool IsKept(const ArchiveWalk::Member& member) const;
  std::string ImageName(const std::string& path) const;
  std::string MemberName(const std::string& image_name) const;

  Result<std::string> MemberBytes(const ArchiveItem& item, const DumpChanges& changes) const;
  Result<std::string> HeadersOf(const ArchiveItem& item, const DumpChanges& changes,
                                uint64_t size_bytes) const;
  Result<std::string> NewMembers(const DumpChanges& changes) const;
  // False where the changes do not fit into what was prepared.
  Result<bool> FinishPrepared(const DumpChanges& changes);
  Result<> Stream(const DumpChanges& changes);
  Result<> StreamMember(ArchiveWalk& walk, const ArchiveItem& item, const DumpChanges& changes,
                        CompressedWriter& writer);
  Result<> FinishFile();

  std::string path_;
  UniqueFd fd_;
  ArchiveLimits limits_;
  Compression compression_ = Compression::kNone;
  std::optional<DumpTransaction> transaction_;
  UniqueFd staging_fd_;
  std::unique_ptr<ArchiveStage> stage_;  // with zstd and a transaction
  std::vector<ArchiveItem> items_;
  std::string trailer_;
  uint64_t kept_bytes_ = 0;
  bool is_in_folder_ = false;
  ImageSource images_ = ImageSource::OfMembers("", {});
};

}  // namespace ckpt

#endif  // IMGTOOL_ARCHIVE_DUMP_H_
