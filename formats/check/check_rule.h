// A rule of `imgtool check`: one row of a table, with what it found.
#ifndef FORMATS_CHECK_CHECK_RULE_H_
#define FORMATS_CHECK_CHECK_RULE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/check/checked_dump.h"

namespace ckpt {

enum class CheckSeverity : uint8_t {
  kError,    // a restorer fails, or restores something else
  kWarning,  // it may: the dump says what no dumper writes, or lacks what tasks seldom live without
  kNote,     // nothing wrong, but worth knowing before a restore
};
std::string_view Name(CheckSeverity severity);  // "error"

class CheckRun;

struct CheckRule {
  std::string_view id;
  CheckSeverity severity;
  std::string_view doc;  // one line: what the rule demands, without a full stop
  // What decides the rule, in words separated by blanks: an image type as the table of types spells
  // it ("FILES": anything in such images, and which of them there are), or a field of its entries
  // ("FILES.reg.name": with all that is inside). A change of anything else cannot change its
  // findings. "*" is everything.
  std::string_view reads;
  void (*run)(CheckRun& run);
};

struct CheckFinding {
  const CheckRule* rule = nullptr;
  std::string image;            // file name
  std::optional<size_t> entry;  // from 0; nothing where the whole image is meant
  std::string field;            // from the entry's message inwards; may be empty
  std::string found;
  std::string expected;

  // "mm-7.img: entry 0: vmas[3].shmid: 77, expected a file of files.img"
  std::string Text() const;
  friend bool operator==(const CheckFinding&, const CheckFinding&) = default;
};

// Where in a dump a rule found something.
struct CheckPlace {
  std::string_view image;
  std::optional<size_t> entry;

  // NOLINTNEXTLINE(google-explicit-constructor)
  CheckPlace(std::string_view image_name, std::optional<size_t> index = std::nullopt)
      : image(image_name), entry(index) {}
  template <typename M>  // NOLINTNEXTLINE(google-explicit-constructor)
  CheckPlace(const EntryRef<M>& ref) : image(ref.image->file_name), entry(ref.index) {}
};

class CheckedTasks;
class CheckedFiles;

// One check of one dump, and what rules share in it.
class CheckRun {
 public:
  explicit CheckRun(const CheckedDump& dump);
  CheckRun(const CheckRun&) = delete;
  CheckRun& operator=(const CheckRun&) = delete;
  ~CheckRun();

  // Only rules that look at each image by itself, as those for fields nobody knows, are limited to
  // these file names (which must outlive this object); all images without.
  void LimitTo(const std::vector<std::string>* file_names) { limit_ = file_names; }
  bool IsWanted(std::string_view file_name) const;

  void Run(const CheckRule& rule);
  std::vector<CheckFinding> TakeFindings() { return std::move(findings_); }

  const CheckedDump& dump() const { return dump_; }
  // Made when first asked for.
  const CheckedTasks& tasks();
  const CheckedFiles& files();

  void Add(CheckPlace place, std::string field, std::string found, std::string expected);

 private:
  const CheckedDump& dump_;
  const CheckRule* rule_ = nullptr;
  const std::vector<std::string>* limit_ = nullptr;
  std::unique_ptr<CheckedTasks> tasks_;
  std::unique_ptr<CheckedFiles> files_;
  std::vector<CheckFinding> findings_;
};

}  // namespace ckpt

#endif  // FORMATS_CHECK_CHECK_RULE_H_
