// What changed between two dumps, as it is found: lines for people or JSON for programs.
#ifndef IMGTOOL_EXPLORE_DIFF_REPORT_H_
#define IMGTOOL_EXPLORE_DIFF_REPORT_H_

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <string_view>

#include "formats/json_text.h"
#include "imgtool/explore/message_fields.h"

namespace ckpt {

enum class ChangeKind { kGone, kNew, kChanged };

// Something that a dump has: its name is the same in two dumps if it is the same thing.
struct DumpedObject {
  std::string name;   // "pid 5 fd 3"
  std::string about;  // half a line, for one that is gone or new
  Fields fields;
};
// In the order of the output, by a key that sorts so.
using Objects = std::map<std::string, DumpedObject>;

class DiffReport {
 public:
  DiffReport(std::ostream& out, bool is_json);

  // What follows belongs to this section: "tasks".
  void BeginSection(std::string_view name);

  void CompareObjects(const Objects& old_objects, const Objects& new_objects);

  void AddObject(ChangeKind kind, const DumpedObject& object);
  void AddField(const std::string& object, const std::string& field, const std::string& old_text,
                const std::string& new_text);
  void AddPages(ChangeKind kind, const std::string& object, uint64_t start, uint64_t page_count);

  uint64_t changes() const { return changes_; }
  void Finish();
  bool stopped() const { return !out_; }

 private:
  void BeginChange(ChangeKind kind, const std::string& object);
  void Line(const std::string& text);

  std::ostream& out_;
  bool is_json_;
  JsonText json_;
  std::string section_;
  bool section_shown_ = false;
  uint64_t changes_ = 0;
};

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_DIFF_REPORT_H_
